#include "monitor/smtp_check.hpp"

#include <unistd.h>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>

#include "common/printable.hpp"
#include "monitor/smtp_reply.hpp"

namespace genapp::monitor {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Clock;
using std::chrono_literals::operator""s;

constexpr std::string_view kQuit = "QUIT\r\n";
constexpr auto kMostFarewell = 2s;
constexpr std::size_t kMostFarewells = 64;
constexpr int kMostFarewellReads = 16;  // who goes on talking is left talking
constexpr std::size_t kMostQuotedBytes = 80;

// RFC 5321, 4.1.1.1 wants a name that can be looked up; the host's is what we have.
std::string own_name(const SmtpSettings& settings) {
  if (!settings.helo.empty()) return settings.helo;
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name[0] ? name : "localhost";
}

bool positive(const SmtpReply& reply) { return reply.code / 100 == 2; }
bool refused_for_good(const SmtpReply& reply) { return reply.code / 100 == 5; }

class Dialogue;

// Dialogues whose verdict is told and which still say good-bye. They belong to the event loop and
// end with it, since the check is gone by then.
class Farewells : public asio::execution_context::service {
 public:
  inline static asio::execution_context::id id;
  explicit Farewells(asio::execution_context& context) : service(context) {}

  // False when there are so many already that this one has to go without.
  bool add(std::shared_ptr<Dialogue> dialogue) {
    return all_.size() < kMostFarewells && all_.insert(std::move(dialogue)).second;
  }
  void remove(const std::shared_ptr<Dialogue>& dialogue) { all_.erase(dialogue); }

 private:
  void shutdown() override { all_.clear(); }

  std::set<std::shared_ptr<Dialogue>> all_;
};

// One connection from its beginning to QUIT. Its owner is the check, then Farewells; the stream's
// callbacks own nothing.
class Dialogue : public std::enable_shared_from_this<Dialogue> {
 public:
  Dialogue(asio::io_context& io, Resolver& resolver, const SmtpSettings& settings,
           const TlsContext* tls, Clock::duration wait, CheckDone done)
      : io_(io),
        settings_(settings),
        tls_(tls),
        start_(Clock::now()),
        deadline_(start_ + wait),
        stream_(io, resolver, deadline_),
        timer_(io),
        done_(std::move(done)) {}

  void start() {
    const bool tls_first = settings_.how == SmtpSettings::Tls::from_start;
    stream_.connect(settings_.server,
                    step(tls_first ? &Dialogue::start_tls : &Dialogue::read_greeting));
  }

  // The check is not wanted any more. A dialogue that is over goes on saying good-bye.
  void cancel() {
    if (!done_) return;
    done_ = nullptr;
    close();
  }

 private:
  using Step = void (Dialogue::*)();
  using TakeReply = void (Dialogue::*)(const SmtpReply&);

  // Goes on with `next` unless the stream tells a fault.
  Stream::Done step(Step next) {
    return [weak = weak_from_this(), next](const std::optional<Fault>& fault) {
      const auto self = weak.lock();
      if (self && fault) self->fail(*fault);
      if (self && !fault) (self.get()->*next)();
    };
  }

  void start_tls() {
    in_handshake_ = true;
    stream_.start_tls(*tls_, settings_.server, step(&Dialogue::tls_started));
  }

  void tls_started() {
    in_handshake_ = false;
    encrypted_ = true;
    // RFC 3207, 4.2: what the server said before is forgotten.
    if (settings_.how == SmtpSettings::Tls::starttls) return ask_ehlo();
    read_greeting();
  }

  void read_greeting() { expect("the greeting", &Dialogue::take_greeting); }

  void take_greeting(const SmtpReply& reply) {
    // RFC 5321, 3.1: QUIT is due after any greeting, also one that refuses.
    greeted_ = true;
    if (reply.code != 220) return refuse(reply);
    ask_ehlo();
  }

  void ask_ehlo() { ask("EHLO " + own_name(settings_), "the reply to EHLO", &Dialogue::take_ehlo); }

  void take_ehlo(const SmtpReply& reply) {
    if (positive(reply)) return greeted_by(reply);
    if (!refused_for_good(reply)) return refuse(reply);
    ask("HELO " + own_name(settings_), "the reply to HELO", &Dialogue::take_helo);
  }

  void take_helo(const SmtpReply& reply) {
    if (!positive(reply)) return refuse(reply);
    greeted_by(SmtpReply{});
  }

  // The server knows us, and offers what `ehlo` says.
  void greeted_by(const SmtpReply& ehlo) {
    if (settings_.how != SmtpSettings::Tls::starttls || encrypted_) return ask_noop();
    if (!offers_extension(ehlo, "STARTTLS")) {
      return finish(Fault{Event::tls_error, 0, "the server does not offer STARTTLS"});
    }
    ask("STARTTLS", "the reply to STARTTLS", &Dialogue::take_starttls);
  }

  void take_starttls(const SmtpReply& reply) {
    if (reply.code != 220) return refuse(reply);
    in_handshake_ = true;
    // What came in the clear must not be taken for what was encrypted (CVE-2011-0411).
    if (unread_.empty()) return start_tls();
    fail(Fault{Event::tls_error, 0,
               "bytes behind the reply to STARTTLS, before the handshake: " +
                   common::quoted(unread_, kMostQuotedBytes)});
  }

  void ask_noop() { ask("NOOP", "the reply to NOOP", &Dialogue::take_noop); }

  void take_noop(const SmtpReply& reply) {
    if (!positive(reply)) return refuse(reply);
    finish(std::nullopt);
  }

  void ask(const std::string& command, std::string_view what, TakeReply take) {
    what_ = what;
    take_ = take;
    stream_.write(command + "\r\n", step(&Dialogue::read_reply));
  }

  void expect(std::string_view what, TakeReply take) {
    what_ = what;
    take_ = take;
    read_reply();
  }

  // A server that has said more than it was asked for is not at fault by that: its words are taken
  // as the next reply, and must be one.
  void read_reply() {
    reader_ = SmtpReplyReader();
    heard_.clear();
    if (unread_.empty()) return read_on();
    const std::string bytes = std::exchange(unread_, {});
    take_bytes(bytes);
  }

  void read_on() {
    stream_.read(what_, [weak = weak_from_this()](const std::optional<Fault>& fault,
                                                  std::string_view bytes) {
      const auto self = weak.lock();
      if (!self) return;
      if (fault) return self->fail(*fault);
      if (bytes.empty()) return self->ended();
      self->take_bytes(bytes);
    });
  }

  void take_bytes(std::string_view bytes) {
    heard_.append(bytes.substr(0, kMostQuotedBytes - std::min(heard_.size(), kMostQuotedBytes)));
    switch (reader_.put(bytes)) {
      case SmtpReplyReader::Progress::more:
        return read_on();
      case SmtpReplyReader::Progress::invalid:
        return invalid();
      case SmtpReplyReader::Progress::complete:
        break;
    }
    unread_ = bytes;
    result_.seen = smtp_reply_text(reader_.reply());
    (this->*take_)(reader_.reply());
  }

  void invalid() {
    finish(Fault{Event::invalid_response, 0,
                 std::string(what_) + " is no SMTP reply: " + reader_.reason() + ": " +
                     common::quoted(heard_, kMostQuotedBytes)});
  }

  void ended() {
    fail(Fault{Event::invalid_response, 0,
               "the server closed the connection " +
                   std::string(reader_.begun() ? "within " : "before ") + std::string(what_)});
  }

  void refuse(const SmtpReply& reply) {
    finish(Fault{Event::invalid_status, reply.code,
                 std::string(what_) + " was " + smtp_reply_text(reply)});
  }

  // The connection is of no more use.
  void fail(const Fault& fault) {
    close();
    tell(fault);
  }

  // The connection can still be written: the server is told good-bye, or it would log a lost
  // connection. Before its greeting it must not be told anything (RFC 5321, 4.3.1).
  void finish(const std::optional<Fault>& fault) {
    if (greeted_ && asio::use_service<Farewells>(io_).add(shared_from_this())) {
      say_good_bye();
    } else {
      close();
    }
    tell(fault);
  }

  void close() { stream_.close(greeted_ && !in_handshake_ ? kQuit : std::string_view()); }

  // Once; the check may be gone afterwards.
  void tell(const std::optional<Fault>& fault) {
    result_.fault = fault;
    result_.took = Clock::now() - start_;
    result_.address = stream_.address();
    result_.certificate_days = stream_.certificate_days();
    if (const CheckDone done = std::exchange(done_, nullptr)) done(result_);
  }

  // QUIT, and its reply read but not judged, so that the server finds nobody gone when it answers.
  void say_good_bye() {
    timer_.expires_at(std::min(deadline_, Clock::now() + kMostFarewell));
    timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
      const auto self = weak.lock();
      if (self && !cancelled) self->go();
    });
    stream_.write(std::string(kQuit), [weak = weak_from_this()](const std::optional<Fault>& fault) {
      const auto self = weak.lock();
      if (self && fault) self->go();
      if (self && !fault) self->await_end();
    });
  }

  void await_end() {
    stream_.read("the reply to QUIT", [weak = weak_from_this()](const std::optional<Fault>& fault,
                                                                std::string_view bytes) {
      const auto self = weak.lock();
      if (!self) return;
      const bool enough = ++self->farewell_reads_ == kMostFarewellReads;
      if (fault || bytes.empty() || enough) return self->go();
      self->await_end();
    });
  }

  void go() {
    timer_.cancel();
    stream_.close();
    asio::use_service<Farewells>(io_).remove(shared_from_this());
  }

  asio::io_context& io_;
  const SmtpSettings& settings_;
  const TlsContext* tls_;
  Clock::time_point start_;
  Clock::time_point deadline_;
  Stream stream_;
  asio::steady_timer timer_;
  CheckDone done_;  // empty once it is told, or cancelled
  bool greeted_ = false;
  bool in_handshake_ = false;  // or the server awaits one: no words
  bool encrypted_ = false;
  std::string_view what_;  // is awaited: "the greeting"
  TakeReply take_ = nullptr;
  SmtpReplyReader reader_;
  std::string heard_;   // the beginning of the bytes for this reply, for messages
  std::string unread_;  // what came behind the last reply
  int farewell_reads_ = 0;
  CheckResult result_;
};

class SmtpCheck : public Check {
 public:
  explicit SmtpCheck(std::shared_ptr<Dialogue> dialogue) : dialogue_(std::move(dialogue)) {
    dialogue_->start();
  }
  ~SmtpCheck() override { dialogue_->cancel(); }
  SmtpCheck(const SmtpCheck&) = delete;
  SmtpCheck& operator=(const SmtpCheck&) = delete;

 private:
  std::shared_ptr<Dialogue> dialogue_;
};

}  // namespace

std::unique_ptr<Check> start_smtp_check(asio::io_context& io, Resolver& resolver,
                                        const SmtpSettings& settings, const TlsContext* tls,
                                        Clock::duration wait, CheckDone done) {
  return std::make_unique<SmtpCheck>(
      std::make_shared<Dialogue>(io, resolver, settings, tls, wait, std::move(done)));
}

}  // namespace genapp::monitor
