// lbhcd: the same daemon in the foreground.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "tests/support/lbhc_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// systemd's end of sd_notify(3).
class NotifySocket {
 public:
  NotifySocket() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("bind " + path());
    }
  }
  std::string path() const { return folder_ / "notify"; }
  bool received(const std::string& line) {
    char buffer[512];
    ssize_t n = 0;
    while ((n = ::recv(fd_.get(), buffer, sizeof buffer, 0)) > 0) {
      text_ += std::string(buffer, static_cast<std::size_t>(n)) + "\n";
    }
    return text_.find(line + "\n") != std::string::npos;
  }

 private:
  TempDir folder_;
  common::Fd fd_;
  std::string text_;
};

TEST(Lbhcd, TellsSystemdWhenTheFirstProbeHasComeAndEndsOnTerm) {
  NotifySocket systemd;
  LbhcNode node;
  node.node().env["NOTIFY_SOCKET"] = systemd.path();
  Process lbhcd = node.start("lbhcd");
  ASSERT_TRUE(wait_until([&] { return !node.node().status("app1").empty(); })) << lbhcd.err();
  EXPECT_FALSE(systemd.received("READY=1"));
  EXPECT_EQ(probe(node.port()).bytes, "OK");
  EXPECT_TRUE(wait_until([&] { return systemd.received("READY=1"); }));
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  const Result result = lbhcd.stop();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(systemd.received("STOPPING=1"));
  EXPECT_EQ(node.state(), "");
  EXPECT_FALSE(node.node().has("app1.pid"));
  EXPECT_FALSE(node.node().has("app1.sock"));
}

TEST(Lbhcd, FailsWithoutAFirstProbe) {
  LbhcNode node("hc_timeout = 0.2");
  const Result result = node.run("lbhcd");
  EXPECT_EQ(result.exit_code, 1);
  const auto first = result.err.find("no probe on port");
  EXPECT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("no probe on port", first + 1), std::string::npos) << result.err;
  EXPECT_EQ(node.state(), "OSF");
}

TEST(Lbhcd, DrainsOnTermAndEndsAtOnceOnASecondOne) {
  LbhcNode node("drain = 60\nprotocol = \"http\"\nwait_first_probe = false");
  Process lbhcd = node.start("lbhcd");
  ASSERT_TRUE(wait_until([&] { return node.state() == "ISP"; })) << lbhcd.err();
  lbhcd.signal(SIGTERM);
  EXPECT_TRUE(wait_until([&] {
    return node.node().status("app1").find("\"phase\":\"draining\"") != std::string::npos;
  }));
  EXPECT_THAT(probe(node.port(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n").bytes,
              HasSubstr("HTTP/1.1 503 "));
  EXPECT_EQ(lbhcd.stop().exit_code, 0);
}

TEST(Lbhcd, AnEndThatCouldNotBeRecordedIsAFailure) {
  LbhcNode node("wait_first_probe = false");
  Process lbhcd = node.start("lbhcd");
  ASSERT_TRUE(wait_until([&] { return node.state() == "ISP"; }));
  // The mutex can't be had any more, so the state stays ISP.
  std::filesystem::remove(node.node().run_file("app1.lock"));
  std::filesystem::create_directory(node.node().run_file("app1.lock"));
  const Result result = lbhcd.stop();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(node.node().run_file("app1.state")));
  EXPECT_THAT(node.node().log(), HasSubstr(node.node().run_file("app1.lock")));
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
}

TEST(Lbhcd, AndRestoreExcludeEachOther) {
  LbhcNode node("wait_first_probe = false");
  node.restore();
  const Result result = node.run("lbhcd");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("already running"));
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_EQ(probe(node.port()).bytes, "OK");
}

TEST(Lbhcd, AnOrphanDoesNotOverwriteTheStateOfTheDaemonThatFollowed) {
  LbhcNode node("hc_timeout = 0.5\nwait_first_probe = false");
  Process lbhcd = node.start("lbhcd");
  ASSERT_TRUE(wait_until([&] { return node.state() == "ISP"; }));
  std::filesystem::remove(node.node().run_file("app1.pid"));
  const Port other;
  node.node().lbhc("lb", "app1", other.text() + " OK", "wait_first_probe = false");
  EXPECT_EQ(node.run("restore").exit_code, 0);
  const Result result = lbhcd.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("app1.pid was deleted or replaced"));
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_TRUE(node.node().has("app1.pid"));
  EXPECT_EQ(probe(other.number()).bytes, "OK");
}

TEST(Lbhcd, RemoveEndsIt) {
  LbhcNode node("wait_first_probe = false");
  Process lbhcd = node.start("lbhcd");
  ASSERT_TRUE(wait_until([&] { return node.state() == "ISP"; }));
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_EQ(lbhcd.wait().exit_code, 0);
  EXPECT_THAT(node.node().run_files(), IsEmpty());
}

}  // namespace
}  // namespace genapp::tests
