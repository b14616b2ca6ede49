#include "common/watchdog.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/io_context.hpp>
#include <cstring>
#include <future>
#include <thread>

#include "common/fd.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using namespace std::chrono_literals;
using tests::ScopedEnv;

TEST(WatchdogTime, IsWhatSystemdSays) {
  const ScopedEnv no_pid("WATCHDOG_PID");
  const ScopedEnv time("WATCHDOG_USEC", "30000000");
  EXPECT_EQ(watchdog_time(), std::optional<common::Clock::duration>(30s));
  const ScopedEnv own("WATCHDOG_PID", std::to_string(::getpid()));
  EXPECT_EQ(watchdog_time(), std::optional<common::Clock::duration>(30s));
}

TEST(WatchdogTime, IsNoneForAnotherProcess) {
  const ScopedEnv time("WATCHDOG_USEC", "30000000");
  for (const std::string& pid :
       {std::to_string(::getpid() + 1), std::string("1x"), std::string()}) {
    const ScopedEnv other("WATCHDOG_PID", pid);
    EXPECT_FALSE(watchdog_time()) << pid;
  }
}

TEST(WatchdogTime, IsNoneWithoutOrFromNonsense) {
  const ScopedEnv no_pid("WATCHDOG_PID");
  const ScopedEnv unset("WATCHDOG_USEC");
  EXPECT_FALSE(watchdog_time());
  for (const char* text :
       {"", "0", "-5", "30s", " 30", "99999999999999999999", "9223372036854775807"}) {
    const ScopedEnv time("WATCHDOG_USEC", text);
    EXPECT_FALSE(watchdog_time()) << text;
  }
}

// systemd's end.
class NotifySocket {
 public:
  NotifySocket() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("bind");
    }
  }

  // The oldest message that nobody has read; empty when there is none.
  std::string message() const {
    char text[256];
    const ssize_t n = ::recv(fd_.get(), text, sizeof text, MSG_DONTWAIT);
    return n < 0 ? "" : std::string(text, static_cast<std::size_t>(n));
  }
  // What a systemd that stands still leaves: nothing more goes in.
  void fill() const {
    const common::Fd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    while (::sendto(sender.get(), "x", 1, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address),
                    size) == 1) {
    }
    ASSERT_EQ(errno, EAGAIN);
  }
  // All of them; how many.
  std::size_t empty() const {
    std::size_t count = 0;
    while (!message().empty()) ++count;
    return count;
  }

 private:
  tests::TempDir folder_;
  std::string path_ = folder_ / "notify";
  common::Fd fd_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ScopedEnv variable_{"NOTIFY_SOCKET", path_};
};

TEST(Watchdog, PingsAtOnceAndThenAtHalfTheTimeWhileTheLoopRuns) {
  const NotifySocket systemd;
  boost::asio::io_context io;
  Watchdog watchdog(io, 40ms);
  EXPECT_EQ(systemd.message(), "WATCHDOG=1");
  EXPECT_EQ(systemd.message(), "") << "the loop did not run, so nothing may be said";
  const auto begin = common::Clock::now();
  for (int ping = 0; ping < 3; ++ping) {
    io.run_one();
    EXPECT_EQ(systemd.message(), "WATCHDOG=1");
  }
  EXPECT_GE(common::Clock::now() - begin, 58ms);
}

TEST(Watchdog, ASystemdThatStandsStillDoesNotStopTheLoop) {
  const NotifySocket systemd;
  systemd.fill();
  std::promise<void> pinged;
  std::thread agent([&] {
    boost::asio::io_context io;
    Watchdog watchdog(io, 1ms);
    for (int ping = 0; ping < 3; ++ping) io.run_one();
    pinged.set_value();
  });
  EXPECT_EQ(pinged.get_future().wait_for(10s), std::future_status::ready);
  while (!tests::wait_until([&] { return systemd.empty() == 0; })) {
  }
  agent.join();
}

TEST(Watchdog, LeavesTheLoopNothingToDoOnceItIsStopped) {
  const NotifySocket systemd;
  boost::asio::io_context io;
  Watchdog watchdog(io, 1h);
  EXPECT_EQ(systemd.message(), "WATCHDOG=1");
  watchdog.stop();
  io.run();
  EXPECT_EQ(systemd.message(), "");
}

}  // namespace
}  // namespace genapp::common
