#include "lbhc/control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "lbhc/control_socket.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using common::Fd;
using common::Id;
using testing::HasSubstr;
using testing::StartsWith;
using tests::error_of;

const Id kId("app1");

Status some_status() {
  Status status;
  status.tag = "lb";
  status.id = kId.text();
  status.pid = 4711;
  status.phase = Phase::serving;
  status.port = 54321;
  status.protocol = "tcp";
  return status;
}

// Connects without ControlServer's own client.
Fd connect_to(const common::Directory& dir) {
  const sockaddr_un address = socket_address(dir, "app1.sock");
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("connect");
  }
  return fd;
}

std::string read_to_end(const Fd& fd) {
  std::string text;
  char buffer[512];
  for (ssize_t n = 0; (n = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

std::string raw_request(const common::Directory& dir, const std::string& bytes) {
  const Fd fd = connect_to(dir);
  ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return read_to_end(fd);
}

// A server whose event loop runs in a thread of its own, and can be held up.
class ControlTest : public testing::Test {
 protected:
  ~ControlTest() override {
    hung_ = false;
    boost::asio::post(io_, [this] {
      server_.stop();
      io_.stop();
    });
    if (loop_.joinable()) loop_.join();
  }

  void serve() {
    server_.start();
    loop_ = std::thread([this] { io_.run(); });
  }

  // From now on the loop does nothing.
  void hang() {
    hung_ = true;
    boost::asio::post(io_, [this] {
      held_ = true;
      tests::wait_until([this] { return !hung_; }, 60s);
    });
    ASSERT_TRUE(tests::wait_until([this] { return held_.load(); }));
  }

  tests::TempDir temp_;
  common::Directory dir_ = tests::open_dir(temp_.path());
  boost::asio::io_context io_{1};
  std::string answer_ = format_status(some_status());
  std::atomic<int> drains_{0};
  std::atomic<std::int64_t> drain_ms_{0};
  std::atomic<std::int64_t> ignore_ms_{-1};
  std::atomic<std::int64_t> lease_ms_{-1};
  std::atomic<bool> lease_runs_{true};
  std::atomic<int> own_port_{0};
  std::atomic<bool> hung_{false};
  std::atomic<bool> held_{false};
  ControlServer server_{
      io_,
      dir_,
      kId,
      {[this] { return answer_; },
       [this](common::Clock::duration length) {
         ++drains_;
         drain_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
       },
       [this](common::Clock::duration length) {
         ignore_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
       },
       [this](common::Clock::duration length) {
         lease_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
         return lease_runs_.load();
       },
       [this](std::uint16_t port) { own_port_ = port; }}};
  std::thread loop_;
};

TEST_F(ControlTest, AnswersItsStatus) {
  serve();
  EXPECT_EQ(ask_status(dir_, kId, 20s).port, 54321);
  EXPECT_EQ(raw_request(dir_, "status\n"), answer_);
  EXPECT_EQ(drains_, 0);
}

TEST_F(ControlTest, PassesADrainOn) {
  serve();
  EXPECT_EQ(ask_drain(dir_, kId, 1500ms, 20s).id, "app1");
  EXPECT_EQ(drains_, 1);
  EXPECT_EQ(drain_ms_, 1500);
}

TEST_F(ControlTest, PassesIgnoreOn) {
  serve();
  EXPECT_EQ(ask_ignore(dir_, kId, kMostIgnore, 20s).id, "app1");
  EXPECT_EQ(ignore_ms_, 10'000);
  EXPECT_EQ(ask_ignore(dir_, kId, 0s, 20s).id, "app1");
  EXPECT_EQ(ignore_ms_, 0);
  EXPECT_EQ(drains_, 0);
}

TEST_F(ControlTest, PassesACheckOnAndTellsOfALeaseThatHasRunOut) {
  serve();
  EXPECT_EQ(ask_check(dir_, kId, 7500ms, 20s).id, "app1");
  EXPECT_EQ(lease_ms_, 7500);
  EXPECT_EQ(ask_check(dir_, kId, 0s, 20s).id, "app1");
  EXPECT_EQ(lease_ms_, 0);
  lease_runs_ = false;
  EXPECT_THAT(error_of([&] { ask_check(dir_, kId, 1s, 20s); }), HasSubstr("the lease has run out"));
}

TEST_F(ControlTest, PassesAnOwnProbeOn) {
  serve();
  EXPECT_EQ(ask_own_probe(dir_, kId, 40123, 20s).id, "app1");
  EXPECT_EQ(own_port_, 40123);
}

TEST_F(ControlTest, TakesARequestInPiecesAndOneOnly) {
  serve();
  const Fd fd = connect_to(dir_);
  for (const char c : std::string("status\n")) ::send(fd.get(), &c, 1, MSG_NOSIGNAL);
  EXPECT_EQ(read_to_end(fd), answer_);
  EXPECT_EQ(raw_request(dir_, "status\ndrain 1\n"), answer_);
  EXPECT_EQ(ask_status(dir_, kId, 20s).port, 54321);
  EXPECT_EQ(drains_, 0);
}

TEST_F(ControlTest, TellsGarbageThatItIsNoRequest) {
  serve();
  for (const std::string& garbage :
       {std::string("\n"), std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\xff\xfe\0\n", 4),
        std::string("drain -1\n"), std::string("status \n")}) {
    EXPECT_THAT(raw_request(dir_, garbage), StartsWith("error: ")) << garbage;
  }
  EXPECT_THAT(raw_request(dir_, std::string(300, 'x')), HasSubstr("too long"));
  EXPECT_EQ(drains_, 0);
  EXPECT_EQ(ask_status(dir_, kId, 20s).port, 54321);
}

TEST_F(ControlTest, ASilentClientIsInNobodysWayAndIsClosed) {
  serve();
  const Fd silent = connect_to(dir_);
  EXPECT_EQ(ask_status(dir_, kId, 20s).port, 54321);
  EXPECT_EQ(read_to_end(silent), "");
}

TEST_F(ControlTest, ClientsThatGoAwayDoNoHarm) {
  serve();
  for (int i = 0; i < 100; ++i) {
    const Fd gone = connect_to(dir_);
    if (i % 2) ::send(gone.get(), "status\n", 7, MSG_NOSIGNAL);
  }
  EXPECT_EQ(ask_status(dir_, kId, 20s).port, 54321);
}

// As many honest questions at once as fit the backlog, as after a stop of the whole machine:
// quickCheck takes an answer that does not come for a hung daemon, and fails over.
TEST_F(ControlTest, AnswersManyClientsAtOnce) {
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  std::vector<std::string> problems(50);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    clients.emplace_back([this, &answered, &problems, i] {
      problems[i] = error_of([&] {
        ask_status(dir_, kId, 30s);
        ++answered;
      });
    });
  }
  // The sockets of 50 askers and the server's wait in the kernel before the loop runs.
  tests::wait_until([this] {
    int open = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd")) {
      ++open;
    }
    return open >= 55;
  });
  serve();
  for (auto& client : clients) client.join();
  EXPECT_EQ(answered, 50) << testing::PrintToString(problems);
}

TEST_F(ControlTest, SilentClientsDoNotLockTheOthersOut) {
  serve();
  std::vector<Fd> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(connect_to(dir_));
  EXPECT_EQ(error_of([&] { ask_status(dir_, kId, 20s); }), "");
}

TEST_F(ControlTest, AHungServerIsAnErrorInTime) {
  serve();
  hang();
  const auto before = common::Clock::now();
  EXPECT_THAT(error_of([&] { ask_status(dir_, kId, 200ms); }), HasSubstr("hangs"));
  // Far more than the 0.2 s given, far less than for ever.
  EXPECT_LT(common::Clock::now() - before, 15s);
}

// A hung server's backlog fills: then not even connecting works.
TEST_F(ControlTest, AHungServerWithAFullBacklogIsAnErrorInTime) {
  serve();
  hang();
  std::vector<Fd> filling;
  for (int i = 0; i < 200; ++i) {
    const sockaddr_un address = socket_address(dir_, "app1.sock");
    filling.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(filling.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  EXPECT_THAT(error_of([&] { ask_status(dir_, kId, 200ms); }),
              testing::AllOf(HasSubstr("does not accept connections"), HasSubstr("app1.sock")));
}

TEST_F(ControlTest, AnotherAnswerThanAStatusIsAnError) {
  answer_ = "hello\x1b[2J\n";
  serve();
  const std::string problem = error_of([&] { ask_status(dir_, kId, 20s); });
  EXPECT_THAT(problem, HasSubstr("which is no status"));
  EXPECT_EQ(problem.find('\x1b'), std::string::npos);
}

// Of another daemon, say after a copy of the run directory.
TEST_F(ControlTest, AnotherIdsStatusIsAnError) {
  Status other = some_status();
  other.id = "app2";
  answer_ = format_status(other);
  serve();
  EXPECT_THAT(error_of([&] { ask_status(dir_, kId, 20s); }), HasSubstr("which is no status"));
}

TEST_F(ControlTest, AnEndlessAnswerIsAnError) {
  answer_ = std::string(64 * 1024, 'x');
  serve();
  EXPECT_LT(error_of([&] { ask_status(dir_, kId, 20s); }).size(), 500u);
  EXPECT_NE(error_of([&] { ask_status(dir_, kId, 20s); }), "");
}

TEST_F(ControlTest, IsForItsOwnerAlone) {
  struct stat info {};
  ASSERT_EQ(::stat((temp_ / "app1.sock").c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ControlTest, EndsWithStop) {
  serve();
  boost::asio::post(io_, [this] { server_.stop(); });
  EXPECT_TRUE(tests::wait_until(
      [this] { return !error_of([this] { ask_status(dir_, kId, 1s); }).empty(); }));
}

TEST(ControlClient, SaysThatNobodyIsThere) {
  const tests::TempDir temp;
  const auto dir = tests::open_dir(temp.path());
  EXPECT_THAT(error_of([&] { ask_status(dir, kId, 1s); }),
              testing::AllOf(HasSubstr(temp / "app1.sock"), HasSubstr("No such file")));
  tests::write_file(temp / "app1.sock", "");
  EXPECT_THAT(error_of([&] { ask_status(dir, kId, 1s); }), HasSubstr("Connection refused"));
}

TEST(ControlServerStart, TakesADeadDaemonsSocketAway) {
  const tests::TempDir temp;
  const auto dir = tests::open_dir(temp.path());
  tests::write_file(temp / "app1.sock", "left behind");
  boost::asio::io_context io;
  EXPECT_NO_THROW(ControlServer(io, dir, kId, {}));
  EXPECT_NO_THROW(ControlServer(io, dir, kId, {}));
}

TEST(ControlServerStart, SaysWhatIsInItsWay) {
  const tests::TempDir temp;
  const auto dir = tests::open_dir(temp.path());
  std::filesystem::create_directory(temp / "app1.sock");
  boost::asio::io_context io;
  EXPECT_THAT(error_of([&] { ControlServer(io, dir, kId, {}); }), HasSubstr(temp / "app1.sock"));
}

// A UNIX socket's path may have 107 bytes; run directories have more.
TEST(ControlServerStart, TheRunDirectoriesNameMayBeLong) {
  const tests::TempDir temp;
  const std::string path = temp / std::string(120, 'd') + "/" + std::string(120, 'e');
  std::filesystem::create_directories(path);
  const auto dir = tests::open_dir(path);
  boost::asio::io_context io;
  const ControlServer server(io, dir, Id(std::string(64, 'i')), {});
  EXPECT_TRUE(dir.exists(std::string(64, 'i') + ".sock"));
}

}  // namespace
}  // namespace genapp::lbhc
