#include "monitor/smtp_check.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <thread>

#include "common/fd.hpp"
#include "monitor/resolver.hpp"
#include "tests/support/net.hpp"
#include "tests/support/tls.hpp"
#include "tests/support/wait.hpp"

namespace genapp::monitor {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A mail server's certificate, ready for SSL_accept.
class ServerTls {
 public:
  explicit ServerTls(const tests::Certificate& certificate)
      : context_(::SSL_CTX_new(::TLS_server_method()), &::SSL_CTX_free) {
    if (::SSL_CTX_use_certificate_file(context_.get(), certificate.file.c_str(),
                                       SSL_FILETYPE_PEM) != 1 ||
        ::SSL_CTX_use_PrivateKey_file(context_.get(), certificate.key.c_str(), SSL_FILETYPE_PEM) !=
            1) {
      throw std::runtime_error("certificate " + certificate.file);
    }
  }
  SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
};

// One connection, as a mail server has it, in the clear or encrypted.
class Conversation {
 public:
  explicit Conversation(common::Fd fd) : fd_(std::move(fd)) {
    const timeval limit{20, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  // False when the client is gone.
  bool say(std::string_view bytes) {
    const int size = static_cast<int>(bytes.size());
    if (ssl_) return ::SSL_write(ssl_.get(), bytes.data(), size) == size;
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == size;
  }
  // The next line without its end; nothing when the client has ended.
  std::optional<std::string> hear() {
    std::string line;
    for (char c = 0; receive(c);) {
      if (c == '\n') return line;
      if (c != '\r') line += c;
    }
    return std::nullopt;
  }
  // The client has said that this is the end, which over TLS is more than to close the connection.
  bool ended_well() const {
    return !ssl_ || (::SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  // False when the handshake fails.
  bool start_tls(const ServerTls& tls) {
    ssl_.reset(::SSL_new(tls.get()));
    ::SSL_set_fd(ssl_.get(), fd_.get());
    return ::SSL_accept(ssl_.get()) == 1;
  }

 private:
  bool receive(char& byte) {
    return ssl_ ? ::SSL_read(ssl_.get(), &byte, 1) == 1 : ::recv(fd_.get(), &byte, 1, 0) == 1;
  }

  common::Fd fd_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, &::SSL_free};
};

// What to a command, instead of a reply.
constexpr char kSilence[] = "(silence)";  // for as long as the client stays
constexpr char kClose[] = "(close)";

using Lines = std::vector<std::string>;

// What a server says, and what to which command.
struct Replies {
  std::string greeting = "220 mail.example ESMTP\r\n";
  std::map<std::string, std::string> commands{};
};

// A mail server that has one connection, in a thread of its own.
class MailServer {
 public:
  using Script = std::function<void(MailServer&, Conversation&)>;

  explicit MailServer(Script script) : script_(std::move(script)), listener_(listen()) {
    thread_ = std::thread([this] { serve(); });
  }
  explicit MailServer(const Replies& replies)
      : MailServer([replies](MailServer& self, Conversation& client) {
          self.converse(client, replies);
        }) {}
  ~MailServer() { join(); }
  MailServer(const MailServer&) = delete;
  MailServer& operator=(const MailServer&) = delete;

  Server where() const { return {"127.0.0.1", port_.number()}; }
  // Once the connection has ended.
  const Lines& heard() {
    join();
    return heard_;
  }
  std::size_t lines_so_far() const { return count_; }

  // As a real server: greeting, then a reply a command until QUIT.
  void converse(Conversation& client, const Replies& replies) {
    if (answer(client, replies.greeting)) serve_commands(client, replies);
  }
  void serve_commands(Conversation& client, const Replies& replies) {
    while (auto line = hear(client)) {
      const std::string verb = line->substr(0, line->find(' '));
      const auto reply = replies.commands.find(verb);
      const bool known = reply != replies.commands.end();
      if (!answer(client, known ? reply->second : "250 OK\r\n") || verb == "QUIT") return;
    }
  }

  std::optional<std::string> hear(Conversation& client) {
    auto line = client.hear();
    if (line) heard_.push_back(*line);
    count_ = heard_.size();
    return line;
  }

 private:
  common::Fd listen() const {
    common::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_.number());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd.get(), 1) != 0) {
      throw std::runtime_error("no mail server");
    }
    return fd;
  }

  void serve() {
    common::Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return;
    // OpenSSL writes without MSG_NOSIGNAL.
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    Conversation client(std::move(fd));
    script_(*this, client);
  }

  // False when that was the last.
  bool answer(Conversation& client, const std::string& reply) {
    if (reply == kClose) return false;
    if (reply == kSilence) {
      while (hear(client)) {
      }
      return false;
    }
    return client.say(reply);
  }

  void join() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // for one that nobody has come to
    if (thread_.joinable()) thread_.join();
  }

  tests::Port port_;
  Script script_;
  common::Fd listener_;
  Lines heard_;
  std::atomic<std::size_t> count_{0};
  std::thread thread_;
};

class SmtpCheckTest : public testing::Test {
 protected:
  // Runs a check to its end, that of its QUIT included.
  CheckResult check(MailServer& server) {
    settings_.server = server.where();
    return check();
  }
  CheckResult check() {
    std::optional<CheckResult> result;
    start([&result](const CheckResult& told) { result = told; });
    EXPECT_FALSE(result) << "told from within the start";
    run();
    if (!result) throw std::runtime_error("no verdict");
    return *result;
  }
  CheckResult check(const Replies& replies) {
    MailServer server(replies);
    const CheckResult result = check(server);
    heard_ = server.heard();
    return result;
  }
  Fault fault_of(const Replies& replies) {
    const CheckResult result = check(replies);
    EXPECT_TRUE(result.fault) << "healthy: " << result.seen;
    return result.fault.value_or(Fault{});
  }

  // The check goes as its owner has it: as soon as it is told.
  void start(CheckDone done) {
    check_ = start_smtp_check(io_, resolver_, settings_, tls_.get(), wait_,
                              [this, done = std::move(done)](const CheckResult& result) {
                                ++verdicts_;
                                check_.reset();
                                done(result);
                              });
  }
  // Until nothing is under way any more.
  void run() {
    io_.restart();
    io_.run_for(30s);
    EXPECT_TRUE(io_.stopped()) << "something goes on for ever";
  }

  boost::asio::io_context io_{1};
  Resolver resolver_{io_};
  SmtpSettings settings_{.server = {}, .helo = "monitor.example"};
  common::Clock::duration wait_ = 20s;
  std::unique_ptr<TlsContext> tls_;
  std::unique_ptr<Check> check_;
  int verdicts_ = 0;
  Lines heard_;
};

const Lines kWholeDialogue{"EHLO monitor.example", "NOOP", "QUIT"};

TEST_F(SmtpCheckTest, GreetsAsksAndSaysGoodBye) {
  MailServer server(Replies{});
  const CheckResult result = check(server);
  EXPECT_FALSE(result.fault) << result.fault->reason;
  EXPECT_EQ(result.seen, "250 OK");
  EXPECT_EQ(result.address, "127.0.0.1:" + std::to_string(server.where().port));
  EXPECT_FALSE(result.certificate_days);
  EXPECT_GT(result.took, 0s);
  EXPECT_EQ(server.heard(), kWholeDialogue);
  EXPECT_EQ(verdicts_, 1);
}

TEST_F(SmtpCheckTest, UnderstandsRepliesOfManyLines) {
  const CheckResult result = check({"220-mail.example\r\n220-no spam\r\n220 ESMTP\r\n",
                                    {{"EHLO", "250-mail.example\r\n250-SIZE\r\n250 HELP\r\n"},
                                     {"NOOP", "250-2.0.0\r\n250 Ok\n"}}});
  EXPECT_FALSE(result.fault);
  EXPECT_EQ(result.seen, "250 2.0.0");
  EXPECT_EQ(heard_, kWholeDialogue);
}

TEST_F(SmtpCheckTest, CallsItselfByTheHostsNameUnlessToldAnother) {
  settings_.helo.clear();
  check(Replies{});
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  EXPECT_EQ(heard_.at(0), std::string("EHLO ") + name);
}

TEST_F(SmtpCheckTest, SaysHeloToWhoDoesNotKnowEhlo) {
  for (const char* refusal : {"500 what?\r\n", "502 no\r\n", "550-not\r\n550 so\r\n"}) {
    EXPECT_FALSE(check({.commands = {{"EHLO", refusal}}}).fault) << refusal;
    EXPECT_THAT(heard_,
                ElementsAre("EHLO monitor.example", "HELO monitor.example", "NOOP", "QUIT"));
  }
}

TEST_F(SmtpCheckTest, FailsWhenHeloIsRefusedToo) {
  const Fault fault = fault_of({.commands = {{"EHLO", "500 what?\r\n"}, {"HELO", "550 go\r\n"}}});
  EXPECT_EQ(fault.event, Event::invalid_status);
  EXPECT_EQ(fault.code, 550);
  EXPECT_EQ(fault.reason, "the reply to HELO was 550 go");
  EXPECT_EQ(heard_.back(), "QUIT");
}

// Not refused for good, and not because EHLO is unknown: HELO would fare no better.
TEST_F(SmtpCheckTest, DoesNotSayHeloToWhoIsBusy) {
  for (const int code : {421, 451, 354}) {
    const Fault fault = fault_of({.commands = {{"EHLO", std::to_string(code) + " not now\r\n"}}});
    EXPECT_EQ(fault.event, Event::invalid_status);
    EXPECT_EQ(fault.code, code);
    EXPECT_THAT(heard_, ElementsAre("EHLO monitor.example", "QUIT"));
  }
}

TEST_F(SmtpCheckTest, SaysWhichGreetingRefusedAndStillSaysGoodBye) {
  for (const int code : {554, 421, 250, 500}) {
    const Fault fault = fault_of({.greeting = std::to_string(code) + " no \x1b service\r\n"});
    EXPECT_EQ(fault.event, Event::invalid_status);
    EXPECT_EQ(fault.code, code);
    EXPECT_THAT(fault.reason, StartsWith("the greeting was " + std::to_string(code) + " no "));
    EXPECT_EQ(fault.reason.find('\x1b'), std::string::npos);
    EXPECT_FALSE(fault.timed_out);
    EXPECT_THAT(heard_, ElementsAre("QUIT"));
  }
}

TEST_F(SmtpCheckTest, FailsWhenNoopIsRefused) {
  for (const int code : {421, 452, 500, 354}) {
    const Fault fault = fault_of({.commands = {{"NOOP", std::to_string(code) + " no\r\n"}}});
    EXPECT_EQ(fault.event, Event::invalid_status);
    EXPECT_EQ(fault.code, code);
    EXPECT_EQ(fault.reason, "the reply to NOOP was " + std::to_string(code) + " no");
    EXPECT_EQ(heard_, kWholeDialogue);
  }
}

// A server that ends with its refusal, as after 421: QUIT finds nobody, which is nobody's fault.
TEST_F(SmtpCheckTest, ARefusalWithTheEndOfTheConnectionIsTheRefusal) {
  MailServer server([](MailServer&, Conversation& client) { client.say("421 shutting down\r\n"); });
  const CheckResult result = check(server);
  ASSERT_TRUE(result.fault);
  EXPECT_EQ(result.fault->event, Event::invalid_status);
  EXPECT_EQ(result.fault->code, 421);
}

// Each step of the dialogue: what it is called in reasons, and how a server does `deed` there.
struct DialogueStep {
  const char* what;
  Replies (*with)(const std::string& deed);
  std::size_t lines;  // that the server hears up to there
};
const DialogueStep kSteps[] = {
    {"the greeting", [](const std::string& deed) { return Replies{.greeting = deed}; }, 0},
    {"the reply to EHLO",
     [](const std::string& deed) {
       return Replies{.commands = {{"EHLO", deed}}};
     },
     1},
    {"the reply to HELO",
     [](const std::string& deed) {
       return Replies{.commands = {{"EHLO", "500 no\r\n"}, {"HELO", deed}}};
     },
     2},
    {"the reply to NOOP",
     [](const std::string& deed) {
       return Replies{.commands = {{"NOOP", deed}}};
     },
     2},
};

TEST_F(SmtpCheckTest, GarbageIsAnInvalidResponseAtEachStep) {
  const std::pair<std::string, std::string> garbage[] = {
      {"HTTP/1.1 400 Bad Request\r\n", "no reply code: \"HTTP/1.1 400"},
      {"\r\n", "no reply code"},
      {std::string("\x16\x03\x01\0\x05", 5), "no reply code: \"\\x16\\x03"},
      {std::string("220 a\0b\r\n", 9), "a NUL byte"},
      {"220 one\r220 two\r", "a carriage return within a line"},
      {"220-one\r\n250 two\r\n", "two reply codes"},
      {"220 " + std::string(3000, 'x'), "a line of more than 2048 bytes"},
  };
  for (const DialogueStep& step : kSteps) {
    for (const auto& [bytes, reason] : garbage) {
      const Fault fault = fault_of(step.with(bytes));
      EXPECT_EQ(fault.event, Event::invalid_response) << step.what;
      EXPECT_THAT(fault.reason, AllOf(StartsWith(std::string(step.what) + " is no SMTP reply: "),
                                      HasSubstr(reason)));
      EXPECT_LT(fault.reason.size(), 600u);
      EXPECT_FALSE(fault.timed_out);
      // Who has not greeted is not to be told anything.
      EXPECT_EQ(heard_.size(), step.lines + (step.lines ? 1 : 0));
      EXPECT_TRUE(heard_.empty() || heard_.back() == "QUIT");
    }
  }
}

TEST_F(SmtpCheckTest, TheEndOfTheConnectionIsAnInvalidResponseAtEachStep) {
  for (const DialogueStep& step : kSteps) {
    const Fault fault = fault_of(step.with(kClose));
    EXPECT_EQ(fault.event, Event::invalid_response);
    EXPECT_EQ(fault.reason, std::string("the server closed the connection before ") + step.what);
    EXPECT_FALSE(fault.timed_out);
  }
  MailServer server([](MailServer&, Conversation& client) { client.say("220-half a gree"); });
  EXPECT_EQ(check(server).fault.value().reason,
            "the server closed the connection within the greeting");
}

TEST_F(SmtpCheckTest, SilenceIsNoAnswerInTimeAtEachStep) {
  wait_ = 100ms;
  for (const DialogueStep& step : kSteps) {
    for (const char* deed : {kSilence, "220 and no line end: "}) {
      const Fault fault = fault_of(step.with(deed));
      EXPECT_EQ(fault.event, Event::select_error);
      EXPECT_TRUE(fault.timed_out);
      EXPECT_THAT(fault.reason, HasSubstr(std::string("waiting for ") + step.what));
      // It must not be told anything before it has greeted; later it hears of the end.
      EXPECT_EQ(heard_.size(), step.lines + (step.lines ? 1 : 0)) << step.what;
      EXPECT_TRUE(heard_.empty() || heard_.back() == "QUIT");
    }
  }
}

// A byte now and then keeps nothing alive beyond the deadline.
TEST_F(SmtpCheckTest, DripsEndWithTheDeadline) {
  wait_ = 300ms;
  MailServer server([](MailServer&, Conversation& client) {
    client.say("220-");
    for (int i = 0; i < 2000 && client.say(i % 40 ? "x" : "\r\n220-"); ++i) {
      std::this_thread::sleep_for(10ms);
    }
  });
  const CheckResult result = check(server);
  ASSERT_TRUE(result.fault);
  EXPECT_TRUE(result.fault->timed_out);
  EXPECT_THAT(result.fault->reason, HasSubstr("waiting for the greeting"));
  EXPECT_GE(result.took, wait_);
}

TEST_F(SmtpCheckTest, AFloodEndsAtTheBound) {
  MailServer server([](MailServer&, Conversation& client) {
    while (client.say("220-" + std::string(1000, 'x') + "\r\n")) {
    }
  });
  const CheckResult result = check(server);
  ASSERT_TRUE(result.fault);
  EXPECT_EQ(result.fault->event, Event::invalid_response);
  EXPECT_THAT(result.fault->reason, HasSubstr("more than 16384 bytes"));
}

// Postfix's postscreen and others test clients so: what matters is that a dialogue comes about.
TEST_F(SmtpCheckTest, AServerThatTalksBeforeItIsAskedMustStillTalkSmtp) {
  EXPECT_FALSE(check({.greeting = "220 a\r\n250 early\r\n"}).fault);
  const Fault fault = fault_of({.greeting = "220 a\r\nrubbish\r\n"});
  EXPECT_EQ(fault.event, Event::invalid_response);
  EXPECT_THAT(fault.reason,
              StartsWith("the reply to EHLO is no SMTP reply: no reply code: \"rubb"));
}

TEST_F(SmtpCheckTest, TakesRepliesInPieces) {
  MailServer server([](MailServer&, Conversation& client) {
    for (const std::string_view reply : {"220-a\r\n220 b\r\n", "250-c\r\n250 d\r\n", "250 e\r\n"}) {
      for (const char& c : reply) {
        client.say({&c, 1});
        std::this_thread::sleep_for(1ms);
      }
      client.hear();
    }
  });
  const CheckResult result = check(server);
  EXPECT_FALSE(result.fault) << result.fault->reason;
  EXPECT_EQ(result.seen, "250 e");
}

// The verdict is there while the server still owes the reply to QUIT.
TEST_F(SmtpCheckTest, TheVerdictDoesNotWaitForTheReplyToQuit) {
  std::atomic<bool> told{false};
  bool told_before_the_reply = false;
  MailServer server([&](MailServer&, Conversation& client) {
    client.say("220 a\r\n");
    for (int i = 0; i < 2; ++i) {
      client.hear();
      client.say("250 b\r\n");
    }
    EXPECT_EQ(client.hear(), "QUIT");
    told_before_the_reply = tests::wait_until([&] { return told.load(); });
    client.say("500 this is not judged\r\n");
  });
  settings_.server = server.where();
  start([&](const CheckResult& result) { told = !result.fault; });
  run();
  server.heard();
  EXPECT_TRUE(told_before_the_reply);
}

TEST_F(SmtpCheckTest, WhoNeverAnswersQuitIsLeft) {
  wait_ = 500ms;
  EXPECT_FALSE(check({.commands = {{"QUIT", kSilence}}}).fault);
  EXPECT_EQ(heard_, kWholeDialogue);
}

TEST_F(SmtpCheckTest, WhoTalksOnAfterQuitIsLeft) {
  MailServer server([](MailServer&, Conversation& client) {
    client.say("220 a\r\n");
    for (int i = 0; i < 3 && client.hear(); ++i) client.say("250 b\r\n");
    while (client.say(std::string(4096, 'x'))) {
    }
  });
  EXPECT_FALSE(check(server).fault);
}

// What a monitor does that stops, or whose own time was stopped.
TEST_F(SmtpCheckTest, ADroppedCheckSaysGoodByeWithoutWaitingAndTellsNothing) {
  for (const DialogueStep& step : kSteps) {
    MailServer server(step.with(kSilence));
    settings_.server = server.where();
    start([](const CheckResult&) { FAIL() << "told after the end"; });
    ASSERT_TRUE(tests::wait_until([&] {
      io_.poll();
      io_.restart();
      return server.lines_so_far() == step.lines;
    }));
    check_.reset();
    run();
    const std::string last = server.heard().empty() ? "" : server.heard().back();
    EXPECT_EQ(last, step.lines ? "QUIT" : "") << step.what;
  }
  EXPECT_EQ(verdicts_, 0);
}

TEST_F(SmtpCheckTest, MayBeDroppedBeforeItHasDoneAnything) {
  MailServer server(Replies{});
  settings_.server = server.where();
  start([](const CheckResult&) { FAIL() << "told after the end"; });
  check_.reset();
  run();
  EXPECT_THAT(server.heard(), IsEmpty());
}

// A monitor that ends stops its loop: what was still saying good-bye goes with it, without a leak,
// which AddressSanitizer would tell.
TEST_F(SmtpCheckTest, AGoodByeEndsWithTheEventLoop) {
  MailServer server(Replies{.commands = {{"QUIT", kSilence}}});
  SmtpSettings settings;
  settings.server = server.where();
  {
    boost::asio::io_context io{1};
    Resolver resolver(io);
    std::unique_ptr<Check> check = start_smtp_check(io, resolver, settings, nullptr, 20s,
                                                    [&](const CheckResult&) { io.stop(); });
    io.run();
    check.reset();
  }
  EXPECT_EQ(server.heard().back(), "QUIT");
}

// Checks that overlap, each with a connection of its own.
TEST_F(SmtpCheckTest, ManyMayRunAtOnce) {
  constexpr int kChecks = 100;
  std::vector<std::unique_ptr<MailServer>> servers;
  std::vector<std::unique_ptr<Check>> checks(kChecks);
  std::vector<SmtpSettings> settings(kChecks, settings_);
  int healthy = 0;
  for (std::size_t i = 0; i < kChecks; ++i) {
    servers.push_back(std::make_unique<MailServer>(Replies{}));
    settings[i].server = servers[i]->where();
    checks[i] =
        start_smtp_check(io_, resolver_, settings[i], nullptr, wait_, [&, i](const CheckResult& r) {
          healthy += !r.fault;
          checks[i].reset();
        });
  }
  run();
  EXPECT_EQ(healthy, kChecks);
  for (const auto& server : servers) EXPECT_EQ(server->heard().back(), "QUIT");
}

TEST_F(SmtpCheckTest, TellsThatNobodyListens) {
  const tests::Port port;
  settings_.server = {"127.0.0.1", port.number()};
  const CheckResult result = check();
  ASSERT_TRUE(result.fault);
  EXPECT_EQ(result.fault->event, Event::connect_error);
  EXPECT_EQ(result.fault->code, ECONNREFUSED);
  EXPECT_EQ(result.seen, "");
}

// With a certificate authority that the check trusts.
class SmtpTlsTest : public SmtpCheckTest {
 protected:
  static void SetUpTestSuite() { authority_ = std::make_unique<tests::Authority>(); }
  static void TearDownTestSuite() { authority_.reset(); }

  void use_tls(SmtpSettings::Tls how) {
    settings_.how = how;
    settings_.tls.ca_file = authority_->file();
    tls_ = std::make_unique<TlsContext>(settings_.tls);
  }
  tests::Certificate certificate(int days = 100) const {
    return authority_->issue("IP:127.0.0.1", days);
  }

  // A server that offers STARTTLS and answers it with `reply`; after 220 comes `early` in the same
  // packet, then the handshake, then what `encrypted` says.
  MailServer::Script starttls(const ServerTls& tls, const std::string& early,
                              const Replies& encrypted) {
    return [&tls, early, encrypted](MailServer& server, Conversation& client) {
      client.say("220 mail.example\r\n");
      server.hear(client);
      client.say("250-mail.example\r\n250-SIZE\r\n250 StartTLS\r\n");
      server.hear(client);
      client.say("220 go ahead\r\n" + early);
      if (client.start_tls(tls)) server.serve_commands(client, encrypted);
    };
  }
  // TLS from the first byte.
  MailServer::Script over_tls(const ServerTls& tls, const Replies& replies) {
    return [&tls, replies](MailServer& server, Conversation& client) {
      if (client.start_tls(tls)) server.converse(client, replies);
    };
  }
  // What a check finds with STARTTLS.
  CheckResult check_starttls(int days, const std::string& early = "",
                             const Replies& encrypted = {}) {
    use_tls(SmtpSettings::Tls::starttls);
    const ServerTls tls(certificate(days));
    MailServer server(starttls(tls, early, encrypted));
    const CheckResult result = check(server);
    heard_ = server.heard();
    return result;
  }

  static std::unique_ptr<tests::Authority> authority_;
};
std::unique_ptr<tests::Authority> SmtpTlsTest::authority_;

TEST_F(SmtpTlsTest, StartsTlsWhereItIsOfferedAndGreetsAgain) {
  const CheckResult result = check_starttls(30);
  EXPECT_FALSE(result.fault) << result.fault->reason;
  EXPECT_EQ(result.seen, "250 OK");
  EXPECT_THAT(result.certificate_days,
              testing::Optional(testing::AllOf(testing::Ge(29), testing::Le(30))));
  EXPECT_THAT(heard_, ElementsAre("EHLO monitor.example", "STARTTLS", "EHLO monitor.example",
                                  "NOOP", "QUIT"));
}

TEST_F(SmtpTlsTest, JudgesWhatIsSaidOverTls) {
  const CheckResult result = check_starttls(30, "", {.commands = {{"NOOP", "451 no\r\n"}}});
  ASSERT_TRUE(result.fault);
  EXPECT_EQ(result.fault->event, Event::invalid_status);
  EXPECT_EQ(result.fault->code, 451);
  EXPECT_EQ(heard_.back(), "QUIT");
}

TEST_F(SmtpTlsTest, FailsWithoutACertificateThatHolds) {
  const CheckResult result = check_starttls(-1);
  ASSERT_TRUE(result.fault);
  EXPECT_EQ(result.fault->event, Event::tls_error);
  EXPECT_THAT(result.fault->reason, HasSubstr("expired"));
  // Nothing is said in the clear any more, and nothing to who is not who he should be.
  EXPECT_THAT(heard_, ElementsAre("EHLO monitor.example", "STARTTLS"));
}

TEST_F(SmtpTlsTest, FailsWhereStartTlsIsNotOffered) {
  use_tls(SmtpSettings::Tls::starttls);
  for (const Replies& replies :
       {Replies{}, Replies{.commands = {{"EHLO", "250-STARTTLS\r\n250 SIZE\r\n"}}},
        Replies{.commands = {{"EHLO", "500 no\r\n"}, {"HELO", "250-a\r\n250 STARTTLS\r\n"}}}}) {
    const Fault fault = fault_of(replies);
    EXPECT_EQ(fault.event, Event::tls_error);
    EXPECT_EQ(fault.reason, "the server does not offer STARTTLS");
    EXPECT_EQ(heard_.back(), "QUIT");
    EXPECT_EQ(std::count(heard_.begin(), heard_.end(), "STARTTLS"), 0);
  }
}

TEST_F(SmtpTlsTest, FailsWhenStartTlsIsRefused) {
  use_tls(SmtpSettings::Tls::starttls);
  for (const int code : {454, 502, 250}) {
    const Fault fault =
        fault_of({.commands = {{"EHLO", "250-a\r\n250 STARTTLS\r\n"},
                               {"STARTTLS", std::to_string(code) + " not now\r\n"}}});
    EXPECT_EQ(fault.event, Event::invalid_status);
    EXPECT_EQ(fault.code, code);
    EXPECT_EQ(fault.reason, "the reply to STARTTLS was " + std::to_string(code) + " not now");
    EXPECT_EQ(heard_.back(), "QUIT");
  }
}

// CVE-2011-0411: who stands between both adds replies in the clear, to be taken for the server's.
TEST_F(SmtpTlsTest, TakesNothingThatCameInTheClearForWhatIsEncrypted) {
  for (const char* early : {"250 injected\r\n", "2", "\r\n", "220-a\r\n220 b\r\n250 c\r\n"}) {
    const CheckResult result = check_starttls(30, early);
    ASSERT_TRUE(result.fault) << early;
    EXPECT_EQ(result.fault->event, Event::tls_error);
    EXPECT_THAT(result.fault->reason,
                StartsWith("bytes behind the reply to STARTTLS, before the handshake: \""));
    EXPECT_THAT(heard_, ElementsAre("EHLO monitor.example", "STARTTLS"));
  }
}

// The same, added a step earlier: then the server's own 220 comes where a handshake should.
TEST_F(SmtpTlsTest, AReplyInAdvanceDoesNotPassForTheOneToStartTls) {
  use_tls(SmtpSettings::Tls::starttls);
  const CheckResult result =
      check({.commands = {{"EHLO", "250-a\r\n250 STARTTLS\r\n220 injected\r\n"},
                          {"STARTTLS", "220 go ahead\r\n"}}});
  ASSERT_TRUE(result.fault);
  EXPECT_EQ(result.fault->event, Event::tls_error);
}

TEST_F(SmtpTlsTest, MayHaveTlsFromTheFirstByte) {
  use_tls(SmtpSettings::Tls::from_start);
  const ServerTls tls(certificate());
  MailServer server(over_tls(tls, {}));
  const CheckResult result = check(server);
  EXPECT_FALSE(result.fault) << result.fault->reason;
  EXPECT_TRUE(result.certificate_days);
  EXPECT_EQ(server.heard(), kWholeDialogue);
}

// Or the server would log an error of TLS each time a monitor stops.
TEST_F(SmtpTlsTest, ADroppedCheckSaysGoodByeOverTlsToo) {
  use_tls(SmtpSettings::Tls::from_start);
  const ServerTls tls(certificate());
  for (const char* const silent_at : {"EHLO", "NOOP"}) {
    bool ended_well = false;
    MailServer server([&](MailServer& self, Conversation& client) {
      if (!client.start_tls(tls)) return;
      self.converse(client, {.commands = {{silent_at, kSilence}}});
      ended_well = client.ended_well();
    });
    settings_.server = server.where();
    start([](const CheckResult&) { FAIL() << "told after the end"; });
    ASSERT_TRUE(tests::wait_until([&] {
      io_.poll();
      io_.restart();
      return server.lines_so_far() == (silent_at == std::string("EHLO") ? 1u : 2u);
    }));
    check_.reset();
    run();
    EXPECT_EQ(server.heard().back(), "QUIT") << silent_at;
    EXPECT_TRUE(ended_well) << silent_at;
  }
}

// A monitor's certificates go before its event loop.
TEST_F(SmtpTlsTest, AGoodByeOverTlsEndsWithTheEventLoop) {
  use_tls(SmtpSettings::Tls::from_start);
  const ServerTls tls(certificate());
  MailServer server(over_tls(tls, {.commands = {{"QUIT", kSilence}}}));
  settings_.server = server.where();
  {
    boost::asio::io_context io{1};
    Resolver resolver(io);
    const TlsContext context(settings_.tls);
    std::unique_ptr<Check> check = start_smtp_check(io, resolver, settings_, &context, 20s,
                                                    [&](const CheckResult&) { io.stop(); });
    io.run();
    check.reset();
  }
  EXPECT_EQ(server.heard(), kWholeDialogue);
}

TEST_F(SmtpTlsTest, SaysThatTheHandshakeFailedOnAPortInTheClear) {
  use_tls(SmtpSettings::Tls::from_start);
  const CheckResult result = check(Replies{});
  ASSERT_TRUE(result.fault);
  EXPECT_EQ(result.fault->event, Event::tls_error);
  EXPECT_THAT(result.fault->reason, HasSubstr("TLS handshake"));
}

TEST_F(SmtpTlsTest, ASilentHandshakeEndsWithTheDeadline) {
  wait_ = 200ms;
  use_tls(SmtpSettings::Tls::from_start);
  const CheckResult result = check({.greeting = kSilence});
  ASSERT_TRUE(result.fault);
  EXPECT_TRUE(result.fault->timed_out);
  EXPECT_THAT(result.fault->reason, HasSubstr("TLS handshake"));
}

}  // namespace
}  // namespace genapp::monitor
