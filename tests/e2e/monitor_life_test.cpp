// What becomes of a monitor that is killed, frozen, or starved of names, and who learns of its
// events.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include "tests/e2e/monitors.hpp"
#include "tests/e2e/namespace.hpp"
#include "tests/e2e/web_server.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Arguments = Monitors::Arguments;
using std::chrono::milliseconds;

class MonitorLife : public testing::Test {
 protected:
  MonitorLife() { server.start(); }
  Process start(Arguments more) const {
    more.insert(more.begin(), {"-s", "127.0.0.1", "-n", server.port_text()});
    return monitors.start(std::move(more));
  }
  Process start() const { return start({"-i", "0.05", "-r", "20"}); }

  WebServer server{WebServer::Make::nginx};
  Monitors monitors{"httpmon"};
};

TEST_F(MonitorLife, AfterAKillTheNextStartTakesOver) {
  for (int round = 0; round < 3; ++round) {
    Process monitor = start();
    ASSERT_TRUE(monitors.has_checked(1)) << monitor.out();
    EXPECT_EQ(start().wait().exit_code, 1);  // in use
    EXPECT_EQ(monitors.number("pid"), monitor.pid());
    monitor.signal(SIGKILL);
    monitor.wait();
    EXPECT_EQ(monitors.run({"--disp"}).exit_code, 1);
    EXPECT_EQ(monitors.run({"--stop"}).exit_code, 0);
  }
  Process last = start();
  ASSERT_TRUE(monitors.has_checked(1));
  EXPECT_EQ(last.stop().exit_code, 0);
  EXPECT_THAT(monitors.left(), IsEmpty());
}

TEST_F(MonitorLife, WhatAKilledOneLeftIsDeletedAndALivingOneIsNot) {
  Process monitor = start();
  ASSERT_TRUE(monitors.has_checked(1));
  EXPECT_EQ(monitors.run({"--del"}).exit_code, 1);
  EXPECT_EQ(monitors.number("pid"), monitor.pid());
  monitor.signal(SIGKILL);
  monitor.wait();
  EXPECT_THAT(monitors.left(), Not(IsEmpty()));
  EXPECT_EQ(monitors.run({"--del"}).exit_code, 0);
  EXPECT_THAT(monitors.left(), IsEmpty());
}

TEST_F(MonitorLife, AFrozenOneIsToldAndStopped) {
  Process monitor = start();
  ASSERT_TRUE(monitors.has_checked(1));
  monitor.signal(SIGSTOP);
  const Result shown = monitors.run({"--disp"});
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.err, HasSubstr("hangs"));
  EXPECT_THAT(tests::run(monitors.command({"--list"})).out, HasSubstr("hung"));
  const Result stopped = monitors.run({"--stop", "1"});
  EXPECT_EQ(stopped.exit_code, 0);
  EXPECT_THAT(stopped.err, HasSubstr("could not perform the end processing"));
  EXPECT_EQ(monitor.wait().signal, SIGKILL);
  EXPECT_THAT(monitors.left(), IsEmpty());
  Process next = start();
  EXPECT_TRUE(monitors.has_checked(1));
}

// As another user's are: that one alone is not known, and the list is still a list.
TEST_F(MonitorLife, OneWhoseFilesCanNotBeReadIsListedAsUnknown) {
  Process monitor = start();
  ASSERT_TRUE(monitors.has_checked(1));
  const std::filesystem::path files = monitors.node().run_file("monitors/watch");
  std::filesystem::permissions(files, std::filesystem::perms::none);
  Command list = monitors.command({"--list"});
  // Root may read it without leave.
  const std::vector<std::string> without_privileges{"setpriv", "--bounding-set=-all"};
  list.argv.insert(list.argv.begin(), without_privileges.begin(), without_privileges.end());
  const Result result = tests::run(list);
  std::filesystem::permissions(files, std::filesystem::perms::owner_all);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, testing::ContainsRegex("watch +- +- +unknown"));
}

// Stopped, as by a suspend, while it waits for a server that is frozen too: longer than the check
// may take, and the second of grace.
class StoppedMonitor : public MonitorLife {
 protected:
  StoppedMonitor() : monitor(start({"-i", "0.1", "-r", "3", "-c", "10000"})) {
    EXPECT_TRUE(monitors.has_checked(1));
    server.freeze();
    EXPECT_TRUE(wait_until([this] { return monitors.text("state") == "checking"; }));
    EXPECT_EQ(monitors.number("failed"), 0);
    monitor.signal(SIGSTOP);
  }
  void go_on() {
    std::this_thread::sleep_for(milliseconds(4500));
    monitor.signal(SIGCONT);
  }
  void expect_no_failure() {
    const double checks = monitors.number("checks");
    EXPECT_TRUE(monitors.has_checked(static_cast<int>(checks) + 5));
    EXPECT_EQ(monitors.number("failed"), 0);
  }

  Process monitor;
};

TEST_F(StoppedMonitor, DropsTheChecksOfThatTimeAndMakesThemAgain) {
  go_on();
  ASSERT_TRUE(wait_until([this] { return testing::Value(numbers(monitor.out()), Contains(105)); }))
      << monitor.out();
  server.thaw();
  expect_no_failure();
  EXPECT_THAT(monitors.number("dropped"), Gt(0));
}

TEST_F(StoppedMonitor, FindsTheAnswerThatCameMeanwhile) {
  server.thaw();
  go_on();
  expect_no_failure();
}

// Inside, nobody answers: no name server either, for which getaddrinfo waits minutes.
class SilentNetwork : public testing::Test {
 protected:
  static std::string setup(const TempDir& folder) {
    write_file(folder / "resolv.conf", "nameserver 192.0.2.53\noptions timeout:30 attempts:5\n");
    write_file(folder / "nsswitch.conf", "hosts: dns\n");
    // What goes out to loopback comes in again, is for nobody here, and is dropped without a word.
    return "ip addr add 192.0.2.1/32 dev lo; ip route add 192.0.2.0/24 dev lo\n"
           "mount --bind '" +
           (folder / "resolv.conf") +
           "' \"$(readlink -f /etc/resolv.conf)\"\n"
           "mount --bind '" +
           (folder / "nsswitch.conf") + "' /etc/nsswitch.conf\n";
  }
  Command inside(Arguments arguments) const {
    arguments.insert(arguments.begin(), "watch");
    return host.inside(monitors.command(std::move(arguments)));
  }

  TempDir folder;
  Namespace host{Namespace::Network::own, setup(folder)};
  Monitors monitors{"httpmon"};
};

TEST_F(SilentNetwork, ANameServerHoldsNoCheckUpAndDelaysNoOther) {
  const auto begin = std::chrono::steady_clock::now();
  const Result result =
      run(inside({"-s", "some.name.test", "-i", "0.2", "-r", "0.5", "-c", "4", "--json"}));
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_THAT(numbers(result.out), ElementsAre(1, 2, 81, 81, 81, 81, 81, 6));
  EXPECT_THAT(told(result.out)[2].reason, HasSubstr("some.name.test"));
  // One look-up takes 150 s, five checks with their waits 1.3 s.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(50));
}

// Packets that are lost: nobody refuses, and nobody accepts.
TEST_F(SilentNetwork, ABlackHoleIsSeenByItsDeadline) {
  const Result result =
      run(inside({"-s", "192.0.2.80", "-i", "0.2", "-r", "0.5", "-c", "2", "--json"}));
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_THAT(numbers(result.out),
              ElementsAre(1, 2, AnyOf(72, 74), AnyOf(72, 74), AnyOf(72, 74), 6));
  EXPECT_THAT(told(result.out)[2].reason, HasSubstr("192.0.2.80"));
}

TEST_F(SilentNetwork, ANameServerDoesNotKeepAMonitorFromEnding) {
  Process monitor(inside({"-s", "some.name.test", "-r", "10000", "--json"}));
  ASSERT_TRUE(wait_until([&] {
    return run(inside({"--disp"})).out.find("checking") != std::string::npos;
  })) << monitor.err();
  const Result stopped = run(inside({"--stop", "40"}));
  EXPECT_EQ(stopped.exit_code, 0);
  EXPECT_EQ(stopped.err, "");  // else it had to be killed
  EXPECT_EQ(monitor.wait().exit_code, 0);
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2, 3));
}

// A name with an address of each family, on a host that has no IPv6: getaddrinfo puts the address
// that can't be reached last, and that one must not hide what became of the other.
TEST(NamesOfTwoFamilies, AServerThatRefusesHasFailedThoughItsOtherAddressNeedsIpv6) {
  TempDir folder;
  write_file(folder / "hosts", "127.0.0.1 two.test\n::1 two.test\n");
  write_file(folder / "nsswitch.conf", "hosts: files\n");
  const Namespace host(Namespace::Network::shared,
                       "mount --bind '" + (folder / "hosts") + "' /etc/hosts\nmount --bind '" +
                           (folder / "nsswitch.conf") + "' /etc/nsswitch.conf\n");
  const Monitors monitors("httpmon");
  const Port nobody;
  Command command = monitors.command({"watch", "-s", "two.test", "-n", nobody.text(), "-i", "0.05",
                                      "-r", "20", "-c", "1", "--json"});
  command.argv.insert(command.argv.begin(), GENAPP_NO_IPV6);
  const Result result = run(host.inside(command));
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_THAT(numbers(result.out), ElementsAre(1, 2, 72, 72, 6));
}

// A syslog daemon of the test's own, behind the only /dev/log that the programs inside see.
class Syslog : public testing::Test {
 protected:
  Syslog() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, (folder / "log").c_str(), sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    host_.emplace(Namespace::Network::shared,
                  "cd '" + folder.path() +
                      "'; mkdir dev; mount -t tmpfs none dev\n"
                      "for f in null zero urandom; do touch dev/$f; mount --bind /dev/$f dev/$f; "
                      "done\n"
                      "ln -s '" +
                      (folder / "log") + "' dev/log; mount --rbind dev /dev");
  }
  Command inside(const Command& command) const { return host_->inside(command); }
  std::string received() {
    char buffer[4096];
    for (ssize_t size = 0; (size = ::recv(socket_.get(), buffer, sizeof buffer, 0)) > 0;) {
      lines_.append(buffer, static_cast<std::size_t>(size)).append("\n");
    }
    return lines_;
  }

  TempDir folder;

 private:
  common::Fd socket_;
  std::optional<Namespace> host_;
  std::string lines_;
};

TEST_F(Syslog, GetsTheEventsWithTheirIdAndReason) {
  const Monitors monitors("httpmon");
  const Port port;
  const Result result = run(inside(monitors.command(
      {"watch", "-s", "127.0.0.1", "-n", port.text(), "-i", "0.05", "-r", "20", "-c", "1"})));
  EXPECT_EQ(result.exit_code, 2) << result.err;
  for (const char* const part : {"httpmon started monitoring the HTTP daemon. [ID:watch]",
                                 "network error(connect error[111]). [ID:watch]", "ECONNREFUSED",
                                 "httpmon detected an error and will be terminated. [ID:watch]"}) {
    EXPECT_TRUE(wait_until([&] { return received().find(part) != std::string::npos; }))
        << part << " is not in\n"
        << received();
    EXPECT_THAT(result.err, HasSubstr(part));
  }
}

}  // namespace
}  // namespace genapp::tests
