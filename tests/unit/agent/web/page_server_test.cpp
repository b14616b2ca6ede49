#include "agent/web/page_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "common/error.hpp"
#include "common/fd.hpp"
#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace asio = boost::asio;

PageServer::Limits soon() {
  PageServer::Limits limits;
  limits.news = 5ms;
  return limits;
}

// A server in a loop of its own, with data that tests change.
class Served {
 public:
  explicit Served(const PageServer::Limits& limits = soon(),
                  const std::string& address = "127.0.0.1")
      : server_(std::make_unique<PageServer>(io_, address + ":0", data(), limits)),
        port_(server_->port()) {
    thread_ = std::thread([this] {
      const auto work = asio::make_work_guard(io_);
      io_.run();
    });
  }
  ~Served() {
    in_loop([this] { server_.reset(); });
    io_.stop();
    thread_.join();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  std::uint16_t port() const { return port_; }
  void set_status(const std::string& text) {
    in_loop([&] {
      status_ = text;
      ++version_;
    });
  }
  void tell(const std::string& text) {
    in_loop([&] { notices_.push_back("{\"text\":\"" + text + "\"}"); });
  }
  // All notices are forgotten, and the numbers begin anew at another time.
  void boot() {
    in_loop([this] {
      notices_.clear();
      ++life_;
    });
  }
  void in_loop(const std::function<void()>& act) {
    std::promise<void> done;
    asio::post(io_, [&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  PageData data() {
    PageData data;
    data.status = [this](Past past) {
      return "{\"status\":\"" + status_ + (past == Past::included ? "+past" : "") + "\"}\n";
    };
    data.metrics = [] { return std::string("metrics 1\n"); };
    data.version = [this] { return version_; };
    data.news = [this](std::uint64_t read) {
      StatusFeed::Part part;
      part.read = version_;
      if (read < version_) part.json = "{\"news\":\"" + status_ + "\"}";
      return part;
    };
    data.notices = [this](std::uint64_t number, std::size_t most) {
      std::vector<PageData::Told> out;
      for (auto i = number; i < notices_.size() && out.size() < most; ++i) {
        out.push_back({i + 1, "life-" + std::to_string(life_), notices_[i]});
      }
      return out;
    };
    data.last_notice = [this] { return notices_.size(); };
    return data;
  }

  asio::io_context io_;
  std::string status_ = "first";
  std::uint64_t version_ = 1;
  std::vector<std::string> notices_;
  int life_ = 1;
  std::unique_ptr<PageServer> server_;
  std::uint16_t port_;
  std::thread thread_;
};

std::string request(const std::string& first, const std::string& more = "") {
  return first + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more + "\r\n";
}

std::string get(const Served& served, const std::string& path, const std::string& more = "") {
  const auto received = tests::probe(served.port(), request("GET " + path, more));
  EXPECT_TRUE(received.ended) << "and not reset";
  return received.bytes;
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

// One who reads the stream.
class Follower {
 public:
  explicit Follower(const Served& served, const std::string& more = "")
      : client_("127.0.0.1", served.port()) {
    client_.send(request("GET /events", more));
  }
  // Whether `part` comes, behind what was awaited before.
  bool comes(const std::string& part) {
    return tests::wait_until([&] {
      read();
      const auto at = text_.find(part);
      if (at == std::string::npos) return false;
      text_.erase(0, at + part.size());
      return true;
    });
  }
  bool ends() {
    return tests::wait_until([&] {
      read();
      return ended_;
    });
  }
  const std::string& rest() const { return text_; }
  int fd() const { return client_.fd(); }

 private:
  void read() {
    char buffer[4096];
    for (;;) {
      const ssize_t size = ::recv(client_.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) {
        ended_ = true;
        return;
      }
      text_.append(buffer, static_cast<std::size_t>(size));
    }
  }

  tests::Client client_;
  std::string text_{};
  bool ended_ = false;
};

TEST(PageServer, AnswersEachPath) {
  Served served;
  served.tell("one");
  served.tell("two");
  EXPECT_THAT(get(served, "/"), AllOf(StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/html"),
                                      HasSubstr("\r\n\r\n<!DOCTYPE html>"), EndsWith("</html>\n")));
  for (const auto& [path, type] :
       {std::pair{"page.css", "text/css"}, {"page.js", "text/javascript"}}) {
    const std::string answer = get(served, "/" + std::string(path));
    EXPECT_THAT(answer, HasSubstr("Content-Type: " + std::string(type)));
    EXPECT_EQ(body_of(answer),
              tests::read_file(GENAPP_SOURCE_DIR "/agent/web/page/" + std::string(path)));
  }
  EXPECT_EQ(body_of(get(served, "/api/status")), "{\"status\":\"first\"}\n");
  EXPECT_EQ(body_of(get(served, "/api/status?past=1")), "{\"status\":\"first+past\"}\n");
  EXPECT_EQ(body_of(get(served, "/api/events")), "[{\"text\":\"one\"},{\"text\":\"two\"}]\n");
  EXPECT_EQ(body_of(get(served, "/api/events?after=1")), "[{\"text\":\"two\"}]\n");
  EXPECT_EQ(body_of(get(served, "/api/events?after=9")), "[]\n");
  EXPECT_THAT(get(served, "/metrics"),
              AllOf(HasSubstr("text/plain; version=0.0.4"), HasSubstr("Content-Length: 10\r\n"),
                    EndsWith("\r\n\r\nmetrics 1\n")));
}

TEST(PageServer, TrustsNobodyElsesFilesAndLetsNobodyElseRead) {
  Served served;
  for (const char* path : {"/", "/api/status", "/none"}) {
    EXPECT_THAT(get(served, path),
                AllOf(HasSubstr("\r\nContent-Security-Policy: default-src 'self';"),
                      HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"),
                      HasSubstr("\r\nCross-Origin-Resource-Policy: same-origin\r\n"),
                      Not(HasSubstr("Access-Control"))))
        << path;
  }
}

TEST(PageServer, HeadHasNoBody) {
  Served served;
  for (const char* path : {"/", "/metrics", "/none", "/events"}) {
    const auto answer = tests::probe(served.port(), request("HEAD " + std::string(path)));
    EXPECT_TRUE(answer.ended);
    EXPECT_THAT(answer.bytes, EndsWith("\r\n\r\n")) << path;
    EXPECT_EQ(body_of(answer.bytes), "") << path;
  }
  EXPECT_THAT(tests::probe(served.port(), request("HEAD /metrics")).bytes,
              HasSubstr("Content-Length: 10\r\n"));
}

TEST(PageServer, RefusesWhatItDoesNotServe) {
  Served served;
  const auto status_of = [&served](const std::string& bytes) {
    const auto received = tests::probe(served.port(), bytes);
    EXPECT_TRUE(received.ended) << bytes;
    return received.bytes.substr(0, received.bytes.find(' ', 9));
  };
  for (const char* path : {"/none", "/page.css/", "//", "/../page.css", "/index", "/api", "*", "?",
                           "?past=1", "page.css"}) {
    EXPECT_EQ(status_of(request("GET " + std::string(path))), "HTTP/1.1 404") << path;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "FOO"}) {
    EXPECT_EQ(status_of(request(std::string(method) + " /")), "HTTP/1.1 405") << method;
  }
  EXPECT_EQ(status_of(request("POST /", "Content-Length: 5\r\n") + "hello"), "HTTP/1.1 405");
  EXPECT_EQ(status_of(request("GET /", "Content-Length: 5\r\n") + "hello"), "HTTP/1.1 400");
  EXPECT_EQ(status_of(request("GET /", "Transfer-Encoding: chunked\r\n")), "HTTP/1.1 400");
  EXPECT_EQ(status_of(request("GET /", "Host: 127.0.0.1\r\n")), "HTTP/1.1 400") << "two Hosts";
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400") << "no Host";
  for (const char* bytes : {"hello\r\n\r\n", "GET /\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
                            "GET / HTTP/1.1\r\nHost\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n"}) {
    EXPECT_EQ(status_of(bytes), "HTTP/1.1 400") << bytes;
  }
}

TEST(PageServer, ANameOfSomebodyElsesIsNotAnswered) {
  Served served;
  const auto ask = [&served](const std::string& host) {
    return tests::probe(served.port(), "GET /api/status HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
        .bytes;
  };
  EXPECT_THAT(ask("evil.example:" + std::to_string(served.port())), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(ask("evil.example"), Not(HasSubstr("first")));
  EXPECT_THAT(ask("localhost:9470"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("[::1]:9470"), StartsWith("HTTP/1.1 200"));
}

TEST(PageServer, AnotherSitesPageMayLinkButNotLoad) {
  Served served;
  const std::string cross = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: ";
  EXPECT_THAT(get(served, "/events", cross + "cors\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get(served, "/", cross + "navigate\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST(PageServer, ARequestMayComeInPieces) {
  Served served;
  tests::Client client("127.0.0.1", served.port());
  for (const char c : request("GET /metrics")) ASSERT_TRUE(client.send(std::string(1, c)));
  EXPECT_THAT(client.receive().bytes, EndsWith("metrics 1\n"));
}

TEST(PageServer, ALongRequestIsRefused) {
  Served served;
  EXPECT_THAT(
      tests::probe(served.port(), request("GET /", "X: " + std::string(7000, 'x') + "\r\n")).bytes,
      StartsWith("HTTP/1.1 200"));
  for (const std::string& bytes :
       {request("GET /", "X: " + std::string(9000, 'x') + "\r\n"),
        request("GET /" + std::string(9000, 'x')), "GET /" + std::string(20'000, 'x')}) {
    EXPECT_THAT(tests::probe(served.port(), bytes).bytes, StartsWith("HTTP/1.1 431"));
  }
}

TEST(PageServer, WhoSendsNoRequestInTimeIsClosed) {
  auto limits = soon();
  limits.request = 50ms;
  Served served(limits);
  tests::Client silent("127.0.0.1", served.port());
  tests::Client slow("127.0.0.1", served.port());
  slow.send("GET / HT");
  EXPECT_TRUE(silent.receive().ended);
  EXPECT_EQ(slow.receive().bytes, "");
}

TEST(PageServer, FollowersAreToldWhatIsNew) {
  Served served;
  served.tell("old");
  Follower follower(served);
  EXPECT_TRUE(follower.comes("Content-Type: text/event-stream\r\n"));
  EXPECT_TRUE(follower.comes("\r\n\r\nretry: 2000\n\n"));
  EXPECT_TRUE(follower.comes("event: status\ndata: {\"news\":\"first\"}\n\n"));
  EXPECT_TRUE(follower.comes("id: 1@life-1\nevent: notice\ndata: {\"text\":\"old\"}\n\n"));
  served.set_status("second");
  EXPECT_TRUE(follower.comes("event: status\ndata: {\"news\":\"second\"}\n\n"));
  served.tell("new");
  EXPECT_TRUE(follower.comes("id: 2@life-1\nevent: notice\ndata: {\"text\":\"new\"}\n\n"));
  served.set_status("third");
  EXPECT_TRUE(follower.comes("third"));
  EXPECT_THAT(follower.rest(), Not(HasSubstr("notice"))) << "each once";
}

TEST(PageServer, AFollowerThatComesBackGoesOn) {
  Served served;
  for (const char* text : {"one", "two", "three"}) served.tell(text);
  Follower follower(served, "Last-Event-ID: 2@life-1\r\n");
  EXPECT_TRUE(follower.comes("\n\nevent: status\n"));
  EXPECT_TRUE(follower.comes("\n\nid: 3@")) << "not the first two: " << follower.rest();
  for (const char* id :
       {"99@life-1", "0@life-1", "2", "2@", "@life-1", "2@life-11", "x", "@", ""}) {
    Follower confused(served, "Last-Event-ID: " + std::string(id) + "\r\n");
    EXPECT_TRUE(confused.comes("id: 1@")) << id;
  }
}

TEST(PageServer, AfterABootAFollowerIsToldAllAnew) {
  Served served;
  served.tell("before");
  served.boot();
  for (const char* text : {"one", "two", "three"}) served.tell(text);
  Follower follower(served, "Last-Event-ID: 1@life-1\r\n");
  EXPECT_TRUE(follower.comes("id: 1@life-2\n")) << "it has another first one";
}

TEST(PageServer, ANewcomerIsToldTheLastThreeHundred) {
  Served served;
  for (int i = 0; i < 1000; ++i) served.tell("x");
  Follower follower(served);
  EXPECT_TRUE(follower.comes("\nid: 701@"));
  EXPECT_TRUE(follower.comes("\nid: 1000@"));
  Follower faithful(served, "Last-Event-ID: 1@life-1\r\n");
  EXPECT_TRUE(faithful.comes("\nid: 2@"));
  EXPECT_TRUE(faithful.comes("\nid: 1000@")) << "more than one batch";
}

TEST(PageServer, NewsAreGatheredForAWhile) {
  auto limits = soon();
  limits.news = 1h;
  Served served(limits);
  Follower follower(served);
  EXPECT_TRUE(follower.comes("first"));
  for (int i = 0; i < 100; ++i) served.set_status("too soon");
  EXPECT_THAT(get(served, "/api/status"), HasSubstr("too soon"));
  EXPECT_THAT(follower.rest(), Not(HasSubstr("too soon")));
}

TEST(PageServer, AQuietStreamSaysThatItIsAlive) {
  auto limits = soon();
  limits.alive = 20ms;
  Served served(limits);
  Follower follower(served);
  EXPECT_TRUE(follower.comes("event: alive\ndata: \n\n"));
  EXPECT_TRUE(follower.comes("event: alive\n"));
}

TEST(PageServer, AFollowerThatDoesNotReadIsDroppedAndOthersAreNot) {
  auto limits = soon();
  limits.taking = 300ms;
  Served served(limits);
  Follower reader(served);
  Follower sleeper(served);
  EXPECT_TRUE(sleeper.comes("first"));
  // More than the socket's buffers hold, in all.
  const std::string large(1024 * 1024, 'x');
  for (int i = 0; i < 20; ++i) {
    served.set_status(large + std::to_string(i));
    ASSERT_TRUE(reader.comes("x" + std::to_string(i) + "\"}\n\n"));
  }
  // Its end is behind what is still in the buffers, so that is read now.
  std::this_thread::sleep_for(2 * limits.taking);
  EXPECT_TRUE(sleeper.ends());
  EXPECT_LT(sleeper.rest().size(), 20 * large.size());
  served.set_status("still");
  EXPECT_TRUE(reader.comes("still"));
}

TEST(PageServer, WhoDoesNotTakeTheAnswerIsDropped) {
  auto limits = soon();
  limits.taking = 100ms;
  limits.connections = 1;
  Served served(limits);
  served.set_status(std::string(30 * 1024 * 1024, 'x'));
  tests::Client client("127.0.0.1", served.port());
  client.send(request("GET /api/status"));
  EXPECT_THAT(get(served, "/metrics"), EndsWith("metrics 1\n")) << "its place is free again";
}

TEST(PageServer, AnswersThatNobodyTakesDoNotPileUp) {
  auto limits = soon();
  limits.held = 40 * 1024 * 1024;
  Served served(limits);
  served.set_status(std::string(30 * 1024 * 1024, 'x'));
  auto sleeper = std::make_unique<tests::Client>("127.0.0.1", served.port());
  sleeper->send(request("GET /api/status"));
  char begin[12];
  ASSERT_EQ(::recv(sleeper->fd(), begin, sizeof begin, MSG_WAITALL), 12);
  EXPECT_EQ(std::string_view(begin, sizeof begin), "HTTP/1.1 200");
  EXPECT_EQ(get(served, "/api/status").substr(0, 12), "HTTP/1.1 503");
  EXPECT_THAT(get(served, "/metrics"), EndsWith("metrics 1\n")) << "there is room for that";
  sleeper.reset();
  EXPECT_TRUE(
      tests::wait_until([&] { return get(served, "/api/status").starts_with("HTTP/1.1 200"); }));
}

TEST(PageServer, MoreClientsThanPlacesWait) {
  auto limits = soon();
  limits.connections = 4;
  Served served(limits);
  std::vector<std::unique_ptr<tests::Client>> silent;
  for (int i = 0; i < 4; ++i) {
    silent.push_back(std::make_unique<tests::Client>("127.0.0.1", served.port()));
  }
  tests::Client fifth("127.0.0.1", served.port());
  fifth.send(request("GET /metrics"));
  EXPECT_EQ(fifth.receive(50ms).bytes, "");
  silent.pop_back();
  EXPECT_THAT(fifth.receive().bytes, EndsWith("metrics 1\n"));
}

TEST(PageServer, StreamsLeaveRoomForOthers) {
  auto limits = soon();
  limits.streams = 2;
  Served served(limits);
  Follower one(served);
  EXPECT_TRUE(one.comes("first"));
  {
    Follower two(served);
    EXPECT_TRUE(two.comes("first"));
    EXPECT_THAT(get(served, "/events"), StartsWith("HTTP/1.1 503"));
    EXPECT_THAT(get(served, "/metrics"), EndsWith("metrics 1\n"));
  }
  EXPECT_TRUE(tests::wait_until([&] { return Follower(served).comes("200 OK"); }));
}

TEST(PageServer, ManyFollowersAreAllTold) {
  Served served;
  std::vector<std::unique_ptr<Follower>> followers;
  for (int i = 0; i < 40; ++i) followers.push_back(std::make_unique<Follower>(served));
  for (auto& one : followers) ASSERT_TRUE(one->comes("first"));
  served.set_status("second");
  served.tell("new");
  for (auto& one : followers) {
    ASSERT_TRUE(one->comes("second"));
    ASSERT_TRUE(one->comes("new"));
  }
}

TEST(PageServer, WithoutDescriptorsItWaitsForSome) {
  Served served;
  EXPECT_THAT(get(served, "/metrics"), EndsWith("metrics 1\n"));
  // The client's descriptor comes first; then none is left for the server's end.
  const common::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(served.port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  const std::string text = request("GET /metrics");
  ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
  // poll() asks for the limit, too.
  const timeval limit{0, 150'000};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char byte = 0;
  const bool answered = ::recv(client.get(), &byte, 1, 0) != -1;
  served.in_loop([] {});  // it neither blocks nor spins
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_TRUE(connected);
  EXPECT_FALSE(answered);
  EXPECT_TRUE(tests::wait_until([&] { return ::recv(client.get(), &byte, 1, 0) == 1; }));
}

TEST(PageServer, ItMayGoWhileClientsAreThere) {
  auto served = std::make_unique<Served>();
  Follower follower(*served);
  EXPECT_TRUE(follower.comes("first"));
  tests::Client silent("127.0.0.1", served->port());
  const std::uint16_t port = served->port();
  served.reset();
  EXPECT_TRUE(follower.ends());
  EXPECT_FALSE(tests::accepts(port));
}

TEST(PageServer, APortInUseIsAnErrorThatNamesIt) {
  Served served;
  asio::io_context io;
  const std::string address = "127.0.0.1:" + std::to_string(served.port());
  try {
    PageServer second(io, address, {});
    FAIL() << "the port was had twice";
  } catch (const common::Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr(address));
    EXPECT_EQ(problem.error_number(), EADDRINUSE);
  }
}

}  // namespace
}  // namespace genapp::agent
