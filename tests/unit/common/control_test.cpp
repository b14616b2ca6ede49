// Both ends of a control socket, common/control_server.hpp and common/control_client.hpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "common/control_client.hpp"
#include "common/control_server.hpp"
#include "common/control_socket.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::error_of;

// Connects without ControlServer's own client.
Fd connect_to(const Directory& dir) {
  const sockaddr_un address = socket_address(dir, "sock");
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

std::string raw_request(const Directory& dir, const std::string& bytes) {
  const Fd fd = connect_to(dir);
  ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return read_to_end(fd);
}

// A server whose event loop runs in a thread of its own, and can be held up.
class ControlSocketTest : public testing::Test {
 protected:
  ~ControlSocketTest() override {
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

  std::string ask(Clock::duration timeout = 20s) {
    return ask_control(dir_, "sock", "status\n", timeout);
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
  Directory dir_ = tests::open_dir(temp_.path());
  boost::asio::io_context io_{1};
  // Both are the loop's, and read here once it has answered.
  std::string answer_ = "all is well\n";
  std::vector<std::string> lines_;
  std::atomic<bool> hung_{false};
  std::atomic<bool> held_{false};
  ControlServer server_{io_, dir_, "sock", [this](std::string_view line) {
                          lines_.emplace_back(line);
                          return answer_;
                        }};
  std::thread loop_;
};

TEST_F(ControlSocketTest, PassesALineOnWithoutItsLineFeedAndAnswers) {
  serve();
  EXPECT_EQ(ask(), answer_);
  EXPECT_EQ(raw_request(dir_, "another question\n"), answer_);
  EXPECT_EQ(lines_, (std::vector<std::string>{"status", "another question"}));
}

TEST_F(ControlSocketTest, TakesARequestInPiecesAndOneOnly) {
  serve();
  const Fd fd = connect_to(dir_);
  for (const char c : std::string("status\n")) ::send(fd.get(), &c, 1, MSG_NOSIGNAL);
  EXPECT_EQ(read_to_end(fd), answer_);
  EXPECT_EQ(raw_request(dir_, "status\ndrain 1\n"), answer_);
  EXPECT_EQ(ask(), answer_);
  EXPECT_EQ(lines_, std::vector<std::string>(3, "status"));
}

TEST_F(ControlSocketTest, TellsARequestThatIsTooLong) {
  serve();
  EXPECT_EQ(raw_request(dir_, std::string(300, 'x')), "error: the request is too long\n");
  EXPECT_EQ(raw_request(dir_, std::string("\xff\xfe\0\n", 4)), answer_);
  EXPECT_EQ(lines_, (std::vector<std::string>{std::string("\xff\xfe\0", 3)}));
}

TEST_F(ControlSocketTest, ASilentClientIsInNobodysWayAndIsClosed) {
  serve();
  const Fd silent = connect_to(dir_);
  EXPECT_EQ(ask(), answer_);
  EXPECT_EQ(read_to_end(silent), "");
}

TEST_F(ControlSocketTest, ClientsThatGoAwayDoNoHarm) {
  serve();
  for (int i = 0; i < 100; ++i) {
    const Fd gone = connect_to(dir_);
    if (i % 2) ::send(gone.get(), "status\n", 7, MSG_NOSIGNAL);
  }
  EXPECT_EQ(ask(), answer_);
}

// As many honest questions at once as fit the backlog, as after a stop of the whole machine:
// quickCheck takes an answer that does not come for a hung daemon, and fails over.
TEST_F(ControlSocketTest, AnswersManyClientsAtOnce) {
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  std::vector<std::string> problems(50);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    clients.emplace_back([this, &answered, &problems, i] {
      problems[i] = error_of([&] {
        ask(30s);
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

TEST_F(ControlSocketTest, SilentClientsDoNotLockTheOthersOut) {
  serve();
  std::vector<Fd> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(connect_to(dir_));
  EXPECT_EQ(error_of([&] { ask(); }), "");
}

TEST_F(ControlSocketTest, AHungServerIsAnErrorInTime) {
  serve();
  hang();
  const auto before = Clock::now();
  EXPECT_THAT(error_of([&] { ask(200ms); }), HasSubstr("hangs"));
  // Far more than the 0.2 s given, far less than for ever.
  EXPECT_LT(Clock::now() - before, 15s);
}

// A hung server's backlog fills: then not even connecting works.
TEST_F(ControlSocketTest, AHungServerWithAFullBacklogIsAnErrorInTime) {
  serve();
  hang();
  std::vector<Fd> filling;
  for (int i = 0; i < 200; ++i) {
    const sockaddr_un address = socket_address(dir_, "sock");
    filling.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(filling.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  EXPECT_THAT(error_of([&] { ask(200ms); }),
              testing::AllOf(HasSubstr("does not accept connections"), HasSubstr("sock")));
}

TEST_F(ControlSocketTest, AnAnswerWithoutALinesEndIsGivenAsItIsAndBounded) {
  answer_ = "half a li";
  serve();
  EXPECT_EQ(ask(), "half a li");
  answer_ = std::string(64 * 1024, 'x');
  EXPECT_LE(ask().size(), 20u * 1024);
}

// An agent's status of a thousand resources is about as long; a fresh socket's buffer is not.
TEST_F(ControlSocketTest, AnAnswerLongerThanTheSocketsBufferComesWhole) {
  answer_ = std::string(3'000'000, 'x') + "\n";
  serve();
  constexpr std::size_t kMost = 16 * 1024 * 1024;
  EXPECT_TRUE(ask_control(dir_, "sock", "status\n", 60s, kMost) == answer_);
  EXPECT_LE(ask_control(dir_, "sock", "status\n", 60s, 100'000).size(), 110'000u);
  EXPECT_TRUE(ask_control(dir_, "sock", "status\n", 60s, kMost) == answer_)
      << "a client that goes away in the middle does no harm";
}

TEST_F(ControlSocketTest, WhoTakesALongAnswerSlowlyGetsItWholeAndIsInNobodysWay) {
  answer_ = std::string(600'000, 'x') + "\n";
  serve();
  const Fd slow = connect_to(dir_);
  ::send(slow.get(), "status\n", 7, MSG_NOSIGNAL);
  std::size_t taken = 0;
  // Longer in all than a session that says nothing may last.
  for (int pause = 0; pause < 4; ++pause) {
    std::this_thread::sleep_for(350ms);
    std::string piece(150'000, '\0');
    const ssize_t n = ::recv(slow.get(), piece.data(), piece.size(), 0);
    ASSERT_GT(n, 0);
    taken += static_cast<std::size_t>(n);
    EXPECT_TRUE(ask_control(dir_, "sock", "status\n", 60s, 1'000'000) == answer_);
  }
  EXPECT_EQ(taken + read_to_end(slow).size(), answer_.size());
}

TEST_F(ControlSocketTest, WhoTakesNothingOfALongAnswerIsClosed) {
  answer_ = std::string(3'000'000, 'x') + "\n";
  serve();
  const Fd silent = connect_to(dir_);
  ::send(silent.get(), "status\n", 7, MSG_NOSIGNAL);
  const auto hung_up = [&] {
    pollfd item{silent.get(), 0, 0};
    return ::poll(&item, 1, 0) == 1 && (item.revents & POLLHUP);
  };
  EXPECT_TRUE(tests::wait_until(hung_up));
  EXPECT_LT(read_to_end(silent).size(), answer_.size());
}

TEST_F(ControlSocketTest, IsForItsOwnerAlone) {
  struct stat info {};
  ASSERT_EQ(::stat((temp_ / "sock").c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ControlSocketTest, EndsWithStop) {
  serve();
  boost::asio::post(io_, [this] { server_.stop(); });
  EXPECT_TRUE(tests::wait_until([this] { return !error_of([this] { ask(1s); }).empty(); }));
}

TEST(ControlClient, SaysThatNobodyIsThere) {
  const tests::TempDir temp;
  const auto dir = tests::open_dir(temp.path());
  EXPECT_THAT(error_of([&] { ask_control(dir, "sock", "status\n", 1s); }),
              testing::AllOf(HasSubstr(temp / "sock"), HasSubstr("No such file")));
  tests::write_file(temp / "sock", "");
  EXPECT_THAT(error_of([&] { ask_control(dir, "sock", "status\n", 1s); }),
              HasSubstr("Connection refused"));
}

TEST(ControlServerStart, TakesADeadDaemonsSocketAway) {
  const tests::TempDir temp;
  const auto dir = tests::open_dir(temp.path());
  tests::write_file(temp / "sock", "left behind");
  boost::asio::io_context io;
  EXPECT_NO_THROW(ControlServer(io, dir, "sock", {}));
  EXPECT_NO_THROW(ControlServer(io, dir, "sock", {}));
}

TEST(ControlServerStart, SaysWhatIsInItsWay) {
  const tests::TempDir temp;
  const auto dir = tests::open_dir(temp.path());
  std::filesystem::create_directory(temp / "sock");
  boost::asio::io_context io;
  EXPECT_THAT(error_of([&] { ControlServer(io, dir, "sock", {}); }), HasSubstr(temp / "sock"));
}

// A UNIX socket's path may have 107 bytes; run directories have more.
TEST(ControlServerStart, TheRunDirectoriesNameMayBeLong) {
  const tests::TempDir temp;
  const std::string path = temp / std::string(120, 'd') + "/" + std::string(120, 'e');
  std::filesystem::create_directories(path);
  const auto dir = tests::open_dir(path);
  boost::asio::io_context io;
  const ControlServer server(io, dir, std::string(64, 'i') + ".sock", {});
  EXPECT_TRUE(dir.exists(std::string(64, 'i') + ".sock"));
}

}  // namespace
}  // namespace genapp::common
