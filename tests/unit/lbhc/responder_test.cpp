#include "lbhc/responder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <time.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <list>
#include <thread>

#include "common/listener.hpp"
#include "common/log.hpp"
#include "lbhc/local_connection.hpp"
#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using tests::accepts;
using tests::Client;
using tests::Port;
using tests::probe;
using tests::wait_until;

// A responder whose event loop runs in a thread of its own; everything else reaches it by post().
class Running {
 public:
  explicit Running(Config config, ResponderLimits limits = {})
      : config_(std::move(config)),
        responder_(
            io_, common::open_listener("any", port_.number()), config_, limits,
            [this](const Address& source) {
              ++probes_;
              last_source_ = source.text();
            },
            [this] { return may_answer_; }) {
    responder_.start();
    loop_ = std::thread([this] { io_.run(); });
  }
  ~Running() {
    in_loop([this] { responder_.stop(); });
    work_.reset();
    loop_.join();
  }

  std::uint16_t port() const { return port_.number(); }
  Client connect() const { return Client("127.0.0.1", port()); }

  void in_loop(const std::function<void()>& work) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  Counters counters() {
    Counters counters;
    in_loop([&] { counters = responder_.counters(); });
    return counters;
  }
  int probes() {
    int probes = 0;
    in_loop([&] { probes = probes_; });
    return probes;
  }
  std::string last_source() {
    std::string source;
    in_loop([&] { source = last_source_; });
    return source;
  }
  bool none_open() {
    return wait_until([this] { return counters().open == 0; });
  }
  void drain() {
    in_loop([this] { responder_.drain(); });
  }
  void forbid_answers() {
    in_loop([this] { may_answer_ = false; });
  }
  void expect_own_probe(std::uint16_t port) {
    in_loop([this, port] { responder_.expect_own_probe(port); });
  }

 private:
  Port port_;
  Config config_;
  boost::asio::io_context io_{1};
  // Work that keeps the loop alive without connections.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  int probes_ = 0;
  bool may_answer_ = true;
  std::string last_source_;
  Responder responder_;
  std::thread loop_;
};

Config config_for(Protocol protocol, const std::string& message) {
  Config config;
  config.protocol = protocol;
  config.message = message;
  return config;
}
Config tcp(const std::string& message) { return config_for(Protocol::tcp, message); }
Config http(const std::string& message) { return config_for(Protocol::http, message); }

Config only_from(const std::string& entry, Others others) {
  Config config = tcp("OK");
  config.allow.allow(entry);
  config.others = others;
  return config;
}

// The whole reply, ended by a FIN and not by an RST.
void expect_polite(const Client::Received& received, const std::string& bytes) {
  EXPECT_EQ(received.bytes, bytes);
  EXPECT_TRUE(received.ended);
  EXPECT_FALSE(received.reset);
}

TEST(ResponderTcp, SendsTheMessageByteForByteAndEndsWithAFin) {
  const std::string message("OK \0\r\n\xff", 7);
  Running running(tcp(message));
  expect_polite(probe(running.port()), message);
  expect_polite(probe(running.port(), "", "::1"), message);
}

// Where the lease has run out.
TEST(ResponderTcp, ResetsAndCountsNothingWhenItMayNotAnswer) {
  Running running(tcp("OK"));
  running.forbid_answers();
  const Client::Received received = running.connect().receive();
  EXPECT_EQ(received.bytes, "");
  EXPECT_TRUE(received.reset);
  EXPECT_EQ(running.probes(), 0);
  EXPECT_EQ(running.counters().answered, 0u);
}

TEST(ResponderHttp, ResetsWhoseRequestComesWhenItMayAnswerNoMore) {
  Running running(http("OK"));
  Client client = running.connect();
  client.send("GET / HT");
  ASSERT_TRUE(wait_until([&] { return running.counters().open == 1; }));
  running.forbid_answers();
  client.send("TP/1.0\r\n\r\n");
  const Client::Received received = client.receive();
  EXPECT_EQ(received.bytes, "");
  EXPECT_TRUE(received.reset);
  EXPECT_TRUE(running.none_open());
  EXPECT_EQ(running.counters().answered, 0u);
}

// A monitor's.
TEST(ResponderTcp, AnswersAnOwnProbeThatItWasToldOfAndDoesNotCountIt) {
  Running running(only_from("203.0.113.1", Others::refuse));
  LocalConnection own("any", running.port());
  running.expect_own_probe(own.source_port());
  EXPECT_EQ(own.ask("", common::Clock::now() + 20s), "OK");
  EXPECT_EQ(running.probes(), 0);
  EXPECT_EQ(running.counters().others, 0u);
  EXPECT_EQ(running.counters().answered, 1u);
  // Only that one.
  EXPECT_TRUE(running.connect().receive().reset);
  EXPECT_EQ(running.counters().others, 1u);
}

TEST(ResponderTcp, CountsAProbeFromAnotherPortWhileItExpectsAnOwnOne) {
  Running running(tcp("OK"));
  LocalConnection own("ipv4", running.port());
  running.expect_own_probe(own.source_port());
  expect_polite(probe(running.port()), "OK");
  EXPECT_EQ(running.probes(), 1);
  EXPECT_EQ(own.ask("", common::Clock::now() + 20s), "OK");
  EXPECT_EQ(running.probes(), 1);
}

TEST(ResponderTcp, SendsNothingWithoutAMessage) {
  Running running(tcp(""));
  expect_polite(probe(running.port()), "");
}

TEST(ResponderTcp, SendsTheLongestMessageWhole) {
  const std::string message(kMostMessageBytes, 'x');
  Running running(tcp(message));
  expect_polite(probe(running.port()), message);
}

// Unread input at close() would make the kernel send an RST, which Azure counts as a failure.
TEST(ResponderTcp, EndsWithAFinAlsoWhenTheProberTalksFirst) {
  Running running(tcp("OK"));
  for (int i = 0; i < 50; ++i) {
    expect_polite(probe(running.port(), "GET / HTTP/1.0\r\n\r\n" + std::string(20'000, 'x')), "OK");
  }
}

TEST(ResponderTcp, EndsWithAFinAlsoWhenTheProberTalksAfterTheReply) {
  Running running(tcp("OK"));
  Client client = running.connect();
  expect_polite(client.receive(), "OK");
  EXPECT_TRUE(client.send("thanks"));
  client.finish();
  EXPECT_TRUE(running.none_open());
  pollfd item{client.fd(), POLLIN, 0};
  ::poll(&item, 1, 0);
  EXPECT_FALSE(item.revents & POLLERR);
}

TEST(Responder, CountsProbesAndKnowsTheirSource) {
  Running running(tcp("OK"));
  probe(running.port());
  EXPECT_EQ(running.last_source(), "127.0.0.1");
  probe(running.port(), "", "::1");
  EXPECT_EQ(running.last_source(), "::1");
  EXPECT_EQ(running.probes(), 2);
  EXPECT_TRUE(running.none_open());
  const Counters counters = running.counters();
  EXPECT_EQ(counters.answered, 2u);
  EXPECT_EQ(counters.undelivered, 0u);
  EXPECT_EQ(counters.others, 0u);
}

// Alibaba's and HAProxy's probers reset at once: that is a probe all the same.
TEST(Responder, AResetIsAProbeToo) {
  Running running(tcp("OK"));
  for (int i = 0; i < 20; ++i) running.connect().reset();
  EXPECT_TRUE(wait_until([&] { return running.probes() == 20; }));
  EXPECT_TRUE(running.none_open());
  const Counters counters = running.counters();
  EXPECT_EQ(counters.answered + counters.undelivered, 20u);
  expect_polite(probe(running.port()), "OK");
}

TEST(ResponderHttp, AnswersTheRequest) {
  Running running(http("fine"));
  const auto received = probe(running.port(), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(received.bytes,
              testing::AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nfine")));
  EXPECT_TRUE(received.ended);
  EXPECT_THAT(probe(running.port(), "OPTIONS / HTTP/1.0\r\n\r\n").bytes,
              StartsWith("HTTP/1.0 200 "));
  EXPECT_THAT(probe(running.port(), "HEAD / HTTP/1.1\r\n\r\n").bytes, EndsWith("\r\n\r\n"));
  EXPECT_THAT(probe(running.port(), "POST / HTTP/1.1\r\n\r\n").bytes, StartsWith("HTTP/1.1 405 "));
}

TEST(ResponderHttp, AnswersARequestThatComesBitByBit) {
  Running running(http("fine"));
  Client client = running.connect();
  for (const char c : std::string("GET / HTTP/1.1\r\n\r\n"))
    ASSERT_TRUE(client.send(std::string(1, c)));
  EXPECT_THAT(client.receive().bytes, EndsWith("fine"));
}

// Their requests are read one after the other, before the first of them is looked at.
TEST(ResponderHttp, ProbersThatComeTogetherGetEachTheirOwnAnswer) {
  Running running(http("OK"));
  const std::string long_header = "X-Long: " + std::string(1500, 'x') + "\r\n";
  struct Case {
    std::string request;
    std::string status;
  };
  const std::vector<Case> cases{{"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 "},
                                {"DELETE /a/longer/path HTTP/1.1\r\n\r\n", "HTTP/1.1 405 "},
                                {"GET / HTTP/1.0\r\n" + long_header + "\r\n", "HTTP/1.0 200 "},
                                {std::string("\x16\x03\x01", 3), "HTTP/1.1 400 "},
                                {"HEAD / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 "}};
  std::vector<Client> clients;
  // The loop does not turn meanwhile, so that it finds all of them at once.
  running.in_loop([&] {
    for (const Case& one : cases) {
      clients.push_back(running.connect());
      clients.back().send(one.request);
    }
  });
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto received = clients[i].receive();
    EXPECT_THAT(received.bytes, StartsWith(cases[i].status)) << cases[i].request;
    EXPECT_TRUE(received.ended) << cases[i].request;
  }
}

TEST(ResponderHttp, AnswersAPipelinedRequestOnceAndEndsWithAFin) {
  Running running(http("fine"));
  const std::string request = "GET / HTTP/1.1\r\n\r\n";
  for (int i = 0; i < 20; ++i) {
    const auto received = probe(running.port(), request + request + std::string(20'000, 'x'));
    EXPECT_EQ(received.bytes.find("HTTP/1.1"), received.bytes.rfind("HTTP/1.1"));
    EXPECT_TRUE(received.ended);
  }
}

TEST(ResponderHttp, RefusesForeignProtocolsAtOnceAndPolitely) {
  Running running(http("fine"));
  const auto tls = probe(running.port(), "\x16\x03\x01\x02" + std::string(500, '\x01'));
  EXPECT_THAT(tls.bytes, StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(tls.ended);
  EXPECT_THAT(probe(running.port(), "GET /" + std::string(9000, 'x')).bytes,
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(probe(running.port(), "GET / HTTP/1.1\r\n\r\n").bytes, EndsWith("fine"));
  EXPECT_EQ(running.counters().undelivered, 2u);
  EXPECT_EQ(running.counters().answered, 1u);
}

TEST(ResponderHttp, CountsAsUndeliveredWhoSendsNoRequest) {
  Running running(http("fine"));
  running.connect().close();
  EXPECT_TRUE(wait_until([&] { return running.counters().undelivered == 1; }));
  EXPECT_EQ(running.probes(), 1);
  EXPECT_EQ(running.counters().answered, 0u);
}

TEST(ResponderAgent, SpeaksFirst) {
  Running running(config_for(Protocol::haproxy_agent, ""));
  expect_polite(probe(running.port()), "up ready\n");
  expect_polite(probe(running.port(), "agent-send\n"), "up ready\n");
  Running own(config_for(Protocol::haproxy_agent, "75%"));
  expect_polite(probe(own.port()), "75%\n");
}

TEST(ResponderAllow, OthersAreAnsweredButAreNoProbes) {
  Running running(only_from("127.0.0.0/8", Others::answer));
  expect_polite(probe(running.port(), "", "::1"), "OK");
  EXPECT_EQ(running.probes(), 0);
  EXPECT_EQ(running.counters().others, 1u);
  expect_polite(probe(running.port()), "OK");
  EXPECT_EQ(running.probes(), 1);
  EXPECT_EQ(running.counters().others, 1u);
}

TEST(ResponderAllow, OthersAreRefusedWhereToldSo) {
  Running running(only_from("127.0.0.0/8", Others::refuse));
  Client other("::1", running.port());
  const auto received = other.receive();
  EXPECT_TRUE(received.reset);
  EXPECT_EQ(received.bytes, "");
  EXPECT_EQ(running.probes(), 0);
  EXPECT_EQ(running.counters().others, 1u);
  EXPECT_EQ(running.counters().answered, 0u);
  expect_polite(probe(running.port()), "OK");
}

ResponderLimits short_limits() {
  ResponderLimits limits;
  limits.linger_time = 100ms;
  limits.request_time = 100ms;
  return limits;
}

TEST(ResponderLimit, SilentClientsAreClosedAfterTheLingerTime) {
  Running running(tcp("OK"), short_limits());
  std::list<Client> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(running.connect());
  EXPECT_TRUE(wait_until([&] { return running.probes() == 20; }));
  EXPECT_TRUE(running.none_open());
  EXPECT_EQ(running.counters().answered, 20u);
}

TEST(ResponderLimit, HttpClientsThatSendNoRequestAreClosed) {
  Running running(http("OK"), short_limits());
  Client silent = running.connect();
  Client slow = running.connect();
  EXPECT_TRUE(slow.send("GET / HT"));
  EXPECT_FALSE(silent.receive().bytes.starts_with("HTTP"));
  EXPECT_TRUE(running.none_open());
  EXPECT_EQ(running.counters().undelivered, 2u);
}

// The linger time is the linger time, whatever else is waited for: here the long time for a
// request.
TEST(ResponderLimit, HttpClientsThatDoNotCloseAreClosedAfterTheLingerTime) {
  ResponderLimits limits;
  limits.linger_time = 100ms;
  limits.request_time = 1h;
  Running running(http("OK"), limits);
  Client client = running.connect();
  EXPECT_TRUE(wait_until([&] { return running.counters().open == 1; }));
  EXPECT_TRUE(client.send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(client.receive().ended);
  EXPECT_TRUE(wait_until([&] { return running.counters().open == 0; }, 5s));
}

TEST(ResponderLimit, AProberThatNeverStopsTalkingIsCutOff) {
  ResponderLimits limits;
  limits.linger_time = 1h;
  limits.discarded_bytes = 10'000;
  Running running(tcp("OK"), limits);
  Client client = running.connect();
  const std::string piece(10'000, 'x');
  EXPECT_TRUE(wait_until([&] { return !client.send(piece); }));
  EXPECT_TRUE(running.none_open());
}

// Silent clients hold every place; a fresh probe is answered all the same, and the oldest goes.
TEST(ResponderLimit, WhenPlacesRunOutTheOldestGoes) {
  ResponderLimits limits;
  limits.connections = 5;
  limits.linger_time = 1h;
  Running running(tcp("OK"), limits);
  std::list<Client> silent;
  for (int i = 0; i < 5; ++i) silent.push_back(running.connect());
  EXPECT_TRUE(wait_until([&] { return running.counters().open == 5; }));
  expect_polite(running.connect().receive(), "OK");
  EXPECT_LE(running.counters().open, 5u);
  // The oldest is closed on both sides: what it sends now is refused.
  EXPECT_TRUE(wait_until([&] { return !silent.front().send("x"); }));
  EXPECT_TRUE(silent.back().send("x"));
}

TEST(ResponderLimit, WhenPlacesRunOutWaitingHttpClientsGoToo) {
  ResponderLimits limits;
  limits.connections = 3;
  limits.request_time = 1h;
  Running running(http("OK"), limits);
  std::list<Client> silent;
  for (int i = 0; i < 10; ++i) silent.push_back(running.connect());
  EXPECT_TRUE(wait_until([&] { return running.probes() == 10; }));
  EXPECT_EQ(running.counters().open, 3u);
  EXPECT_EQ(running.counters().undelivered, 7u);
  EXPECT_THAT(probe(running.port(), "GET / HTTP/1.1\r\n\r\n").bytes, EndsWith("OK"));
}

TEST(ResponderDrain, TcpClosesThePort) {
  Running running(tcp("OK"));
  Client before = running.connect();
  EXPECT_TRUE(wait_until([&] { return running.probes() == 1; }));
  running.drain();
  EXPECT_FALSE(accepts(running.port()));
  expect_polite(before.receive(), "OK");
}

TEST(ResponderDrain, HttpAnswers503) {
  Running running(http("OK"));
  Client before = running.connect();
  EXPECT_TRUE(wait_until([&] { return running.probes() == 1; }));
  running.drain();
  EXPECT_THAT(probe(running.port(), "GET / HTTP/1.1\r\n\r\n").bytes, StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(before.send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_THAT(before.receive().bytes, StartsWith("HTTP/1.1 503 "));
}

TEST(ResponderDrain, AnAgentAnswersDrain) {
  Running running(config_for(Protocol::haproxy_agent, "up ready"));
  expect_polite(probe(running.port()), "up ready\n");
  running.drain();
  expect_polite(probe(running.port()), "drain\n");
}

TEST(ResponderStop, ClosesThePortAndEveryConnection) {
  const Port port;
  const Config config = tcp("OK");
  boost::asio::io_context io;
  Responder responder(io, common::open_listener("any", port.number()), config, {},
                      [](const Address&) {});
  responder.start();
  Client client("127.0.0.1", port.number());
  while (responder.counters().open == 0) io.run_one_for(10ms);
  responder.stop();
  EXPECT_EQ(responder.counters().open, 0u);
  EXPECT_FALSE(accepts(port.number()));
  io.run();  // nothing is left that would keep it
}

// A start that fails at its first probe stops the responder from within.
TEST(ResponderStop, MayComeFromTheProbeItself) {
  tests::TempDir temp;
  tests::Child child([&] {
    common::log::to_file("test", temp / "log", common::log::Level::debug);
    const Port port;
    const Config config = tcp("OK");
    boost::asio::io_context io;
    Responder* self = nullptr;
    Responder responder(io, common::open_listener("any", port.number()), config, {},
                        [&](const Address&) { self->stop(); });
    self = &responder;
    responder.start();
    Client client("127.0.0.1", port.number());
    io.run();
    return accepts(port.number()) ? 1 : 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(tests::read_file(temp / "log"), "");  // in order: there is nothing to complain about
}

// After a stop of the whole process: what waits in the kernel is accepted before the clock is read.
TEST(Responder, AcceptsWhatIsWaitingWhenAsked) {
  const Port port;
  const Config config = tcp("OK");
  boost::asio::io_context io;
  int probes = 0;
  Responder responder(io, common::open_listener("any", port.number()), config, {},
                      [&](const Address&) { ++probes; });
  responder.start();
  std::list<Client> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back("127.0.0.1", port.number());
  EXPECT_EQ(probes, 0);
  responder.accept_waiting();
  EXPECT_EQ(probes, 100);
  responder.stop();
}

// The child's CPU time so far, in seconds.
double cpu_seconds(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return -1;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

// Opens descriptors until there are no more; true when it is so.
std::list<common::Fd> take_all_descriptors() {
  std::list<common::Fd> taken;
  for (;;) {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return taken;
    taken.emplace_back(fd);
  }
}

// Serves until killed. A byte on `gate` makes it take every descriptor, a second give them back.
int serve_without_descriptors(common::Fd listener, int gate, int told) {
  const rlimit few{64, 64};
  ::setrlimit(RLIMIT_NOFILE, &few);
  const Config config = tcp("OK");
  boost::asio::io_context io;
  Responder responder(io, std::move(listener), config, {}, [](const Address&) {});
  responder.start();
  boost::asio::posix::stream_descriptor input(io, gate);
  std::list<common::Fd> taken;
  char byte = 0;
  std::function<void()> next = [&] {
    input.async_read_some(boost::asio::buffer(&byte, 1), [&](auto error, std::size_t) {
      if (error) return;
      if (taken.empty()) {
        // An old connection would make room for the new one.
        responder.accept_waiting();
        while (responder.counters().open > 0) io.run_one();
        taken = take_all_descriptors();
      } else {
        taken.clear();
      }
      [[maybe_unused]] const ssize_t written = ::write(told, "x", 1);
      next();
    });
  };
  next();
  io.run();
  return 0;
}

TEST(ResponderExhausted, NeitherSpinsNorDiesAndServesAgain) {
  const Port port;
  int gate[2];
  int told[2];
  ASSERT_EQ(::pipe2(gate, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(told, O_CLOEXEC), 0);
  const common::Fd gate_in(gate[0]), gate_out(gate[1]), told_in(told[0]), told_out(told[1]);
  tests::Child child([&] {
    return serve_without_descriptors(common::open_listener("any", port.number()), gate[0], told[1]);
  });
  char byte = 0;
  const auto toggle = [&] {
    return ::write(gate[1], "x", 1) == 1 && ::read(told[0], &byte, 1) == 1;
  };
  ASSERT_TRUE(wait_until([&] { return accepts(port.number()); }));
  ASSERT_TRUE(toggle());
  Client waiting("127.0.0.1", port.number());
  const double before = cpu_seconds(child.pid());
  const auto received = waiting.receive(500ms);
  const double used = cpu_seconds(child.pid()) - before;
  EXPECT_EQ(received.bytes, "");
  EXPECT_FALSE(received.ended || received.reset);
  EXPECT_LT(used, 0.2);  // of half a second in which it has nothing to do
  ASSERT_TRUE(child.running());
  ASSERT_TRUE(toggle());
  expect_polite(waiting.receive(), "OK");
  expect_polite(probe(port.number()), "OK");
  EXPECT_TRUE(child.running());
}

// More silent clients than descriptors: they make room, so the fresh probe is answered.
TEST(ResponderExhausted, SilentClientsMakeRoomForAFreshProbe) {
  const Port port;
  tests::Child child([&] {
    common::Fd listener = common::open_listener("any", port.number());
    return serve_without_descriptors(std::move(listener), ::dup(STDIN_FILENO), STDOUT_FILENO);
  });
  ASSERT_TRUE(wait_until([&] { return accepts(port.number()); }));
  std::list<Client> silent;
  for (int i = 0; i < 100; ++i) silent.emplace_back("127.0.0.1", port.number());
  expect_polite(probe(port.number()), "OK");
  EXPECT_TRUE(child.running());
}

}  // namespace
}  // namespace genapp::lbhc
