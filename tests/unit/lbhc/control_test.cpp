#include "lbhc/control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "common/control_socket.hpp"
#include "tests/support/temp_dir.hpp"
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

// A server whose event loop runs in a thread of its own.
class ControlTest : public testing::Test {
 protected:
  ~ControlTest() override {
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

}  // namespace
}  // namespace genapp::lbhc
