// examples/keepalived, as its page says, with real keepaliveds on two nodes: VRRP decides, genapp
// answers. The test is the load balancer that probes both.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/namespace.hpp"
#include "tests/e2e/two_nodes.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

constexpr char kProbePort[] = "54321";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("no " + from + " in the example");
  return text.replace(at, from.size(), to);
}

// A node in a network namespace `name` of the host, with the example's files.
class VrrpNode {
 public:
  VrrpNode(const Namespace& host, std::string name, std::string address)
      : host_(host), name_(std::move(name)), address_(std::move(address)) {
    node_.lbhc(kTag, kTag, std::string(kProbePort) + " OK",
               "lease = 8\nstandby_check = true\nwait_first_probe = false\n"
               "already_running = \"ok\"\non_no_probe = \"warn\"\n");
    write_file(config(), example_config());
    host_.shell("ip netns add " + name_ + " && ip link add " + name_ +
                " type veth peer name eth0 netns " + name_ + " && ip link set " + name_ +
                " master br0 up && ip -n " + name_ + " address add " + address_ +
                "/24 dev eth0 && ip -n " + name_ + " link set eth0 up && ip -n " + name_ +
                " link set lo up");
  }

  void start_keepalived() {
    keepalived_.emplace(
        inside({"/usr/sbin/keepalived", "--dont-fork", "--log-console", "--vrrp", "--use-file",
                config(), "--pid", folder_ / "pid", "--vrrp_pid", folder_ / "vrrp_pid"}));
  }
  // Both of its processes at once: nothing is tidied up.
  void kill_keepalived() const {
    host_.shell("kill -KILL $(cat " + (folder_ / "pid") + ") $(cat " + (folder_ / "vrrp_pid") +
                ")");
  }
  bool answers() const {
    return run(host_.inside({{"nc", "-w", "2", address_, kProbePort}})).out == "OK";
  }
  bool accepts() const {
    return run(host_.inside({{"nc", "-z", "-w", "2", address_, kProbePort}})).exit_code == 0;
  }
  std::string state() const {
    return read_file(node_.run_file(std::string(kTag) + ".state")).substr(0, 3);
  }
  Result act(const std::string& action) {
    return run(inside({program(action), "-t", kTag, "-i", kTag}));
  }
  // The responder's pid, inside.
  void signal_responder(const std::string& signal) const {
    host_.shell("read pid rest <" + node_.run_file(std::string(kTag) + ".pid") + "; kill -" +
                signal + " $pid");
  }
  std::string told() const { return keepalived_ ? keepalived_->out() + keepalived_->err() : ""; }
  std::string log() const { return node_.log(); }

 private:
  std::string config() const { return folder_ / "keepalived.conf"; }

  std::string example_config() const {
    const std::string folder = GENAPP_SOURCE_DIR "/examples/keepalived/";
    std::string text = read_file(folder + "keepalived.conf");
    // It trusts scripts only where nobody but root can write, up to the root directory.
    text = replaced(std::move(text), "enable_script_security", "");
    text = replaced(std::move(text), "/etc/keepalived/", folder);
    text = replaced(std::move(text), "/etc/keepalived/", folder);
    text = replaced(std::move(text), "INTERFACE", "eth0");
    return replaced(std::move(text), "ADDRESS", "198.18.0.100/24");
  }

  Command inside(std::vector<std::string> argv) const {
    argv.insert(argv.begin(), {"/usr/sbin/ip", "netns", "exec", name_, "/usr/bin/env",
                               "PATH=/usr/bin:/usr/sbin:/bin:" GENAPP_BIN_DIR});
    return host_.inside(node_.command(std::move(argv)));
  }

  const Namespace& host_;
  std::string name_;
  std::string address_;
  TempDir folder_;
  Node node_;
  std::optional<Process> keepalived_;
};

class Keepalived : public testing::Test {
 protected:
  // One answers and the other's port is closed.
  static bool serves_alone(const VrrpNode& active, const VrrpNode& other) {
    return active.answers() && !other.accepts();
  }
  std::string told() const { return "n1:\n" + n1_.told() + "n2:\n" + n2_.told(); }

  Namespace host_{Namespace::Network::own,
                  "mkdir -p /run/netns && mount -t tmpfs none /run/netns\n"
                  "ip link add br0 type bridge && ip link set br0 up\n"
                  "ip address add 198.18.0.1/24 dev br0"};
  VrrpNode n1_{host_, "n1", "198.18.0.11"};
  VrrpNode n2_{host_, "n2", "198.18.0.12"};
};

TEST_F(Keepalived, MovesTheAnswerWithTheMaster) {
  n1_.start_keepalived();
  ASSERT_TRUE(wait_until([&] { return serves_alone(n1_, n2_); })) << told();
  n2_.start_keepalived();

  // Azure-like checks would never notice.
  n1_.signal_responder("STOP");
  ASSERT_TRUE(wait_until([&] { return serves_alone(n2_, n1_); }, std::chrono::seconds(40)))
      << told();
  EXPECT_EQ(n2_.state(), "ISP");
  EXPECT_TRUE(wait_until([&] { return n1_.state().empty(); })) << n1_.state();
  EXPECT_TRUE(succeeded(n1_.act("quickCheck")));

  // Nobody takes out what serves on n2: its lease does.
  n2_.kill_keepalived();
  ASSERT_TRUE(wait_until([&] { return n1_.answers(); }, std::chrono::seconds(40))) << told();
  ASSERT_TRUE(wait_until([&] { return serves_alone(n1_, n2_); }, std::chrono::seconds(40)))
      << told();
  EXPECT_TRUE(wait_until([&] {
    return n2_.log().find("the lease has run out") != std::string::npos;
  })) << n2_.log();
}

}  // namespace
}  // namespace genapp::tests
