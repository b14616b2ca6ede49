// The packages in a bare Debian: installed, used for the main job, upgraded while a daemon runs,
// removed and purged.
//
// The root is made by mmdebstrap and holds Debian's essential packages, mount(8), and what genapp
// says that it depends on, nothing else: what is not stated fails here. debootstrap makes a larger
// one of the same archive in the eightfold time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/e2e/namespace.hpp"
#include "tests/packaging/packages.hpp"
#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kOld[] = "/packages/old.deb";
constexpr char kNew[] = "/packages/new.deb";

// A Debian of its own in memory, its processes and mounts gone with the object. Its network is
// ours: the test is the load balancer.
class BareRoot {
 public:
  BareRoot() {
    if (::geteuid() != 0) {
      throw std::runtime_error(
          "making a Debian root takes root (GENAPP_E2E=off leaves this test out)");
    }
    Command make{{"mmdebstrap", "--quiet", "--mode=root", "--variant=essential",
                  "--include=mount," + depends(), "bookworm", folder_.path(),
                  "http://deb.debian.org/debian"}};
    make.limit = std::chrono::minutes(2);
    const Result made = tests::run(host_.inside(make));
    if (made.exit_code != 0) {
      throw std::runtime_error("mmdebstrap (it needs a network): " + made.err);
    }
    const std::string root = folder_.path();
    host_.shell("mount -t proc proc " + root + "/proc; mkdir " + root + "/packages " + root +
                "/host; cp " + package_file("genapp") + " " + root + kOld + "; cp " +
                package_file("genapp", Release::next) + " " + root + kNew + "; cd " + root +
                "; pivot_root . host; umount -l /host; rmdir /host");
  }

  Command command(std::vector<std::string> argv) const {
    Command inside{std::move(argv)};
    inside.env = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"TMPDIR", "/tmp"}, {"LC_ALL", "C"}};
    return host_.inside(std::move(inside));
  }
  Result run(std::vector<std::string> argv) const { return tests::run(command(std::move(argv))); }
  std::string shell(const std::string& script) const {
    const Result result = run({"sh", "-ec", script});
    if (result.exit_code != 0) throw std::runtime_error(script + ": " + result.out + result.err);
    return result.out;
  }
  // Every file and the users, without what dpkg and adduser keep as their own records.
  std::string state() const {
    return shell(
        "find / -xdev \\( -path /proc -o -path /var/log -o -path /packages -o -path /tmp \\) "
        "-prune -o -printf '%y %m %u %g %l %p\\n' | grep -v -e ' /var/lib/dpkg/[a-z]*-old$' "
        "-e ' /etc/[a-z]*-$' -e ' /etc/.pwd.lock$' | LC_ALL=C sort; "
        "cat /etc/passwd /etc/group /etc/shadow /etc/gshadow");
  }

 private:
  static std::string depends() {
    std::string packages = output_of({"dpkg-deb", "-f", package_file("genapp"), "Depends"});
    packages.erase(std::remove_if(packages.begin(), packages.end(), ::isspace), packages.end());
    return packages;
  }

  TempDir folder_;
  // Before anything is made in it: a file system of its own, so that nothing is left behind.
  Namespace host_{Namespace::Network::shared,
                  "mount -t tmpfs -o size=1g,mode=755 root " + folder_.path()};
};

// Steps of one life, in order: the root is made once.
class Packages : public testing::Test {
 protected:
  Result dpkg(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"dpkg", "--force-unsafe-io"});
    return root_.run(std::move(arguments));
  }
  void install(const std::string& file) {
    const Result result = dpkg({"--install", file});
    ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  }
  Result action(const std::string& name) const {
    return root_.run({"/usr/libexec/genapp/" + name, "-t", "lb", "-i", "app1"});
  }
  std::string daemon() const { return root_.shell("cut -d ' ' -f 1 /run/genapp/app1.pid"); }
  std::string status() const {
    return root_.shell("dpkg-query -W -f '${Version} ${db:Status-Status}' genapp");
  }
  bool answers() const { return probe(port_.number()).bytes == "OK"; }

  void installs();
  void serves();
  void servesAsTheUnitDoes();
  void upgradesUnderTheDaemon();
  void refusesToGoUnderTheDaemon();
  void isRemovedAndPurged();

  Port port_;
  BareRoot root_;
};

void Packages::installs() {
  install(kOld);
  EXPECT_EQ(root_.shell("stat -c '%a %U %G' /run/genapp"), "770 root genapp\n");
  EXPECT_THAT(root_.shell("getent passwd genapp"), HasSubstr(":/usr/sbin/nologin"));
  EXPECT_EQ(root_.shell("id -Gn genapp"), "genapp\n");
  EXPECT_EQ(root_.shell("ls -A /etc/genapp /etc/genapp/resources.d"),
            "/etc/genapp:\ngenapp.toml\nresources.d\n\n/etc/genapp/resources.d:\n");
  // Once more changes nothing.
  const std::string before = root_.state();
  root_.shell("/var/lib/dpkg/info/genapp.postinst configure");
  EXPECT_EQ(root_.state(), before);
}

void Packages::serves() {
  root_.shell("genapp create -t lb -i app1 --info '" + port_.text() + " OK'");
  Process restore(root_.command({"/usr/libexec/genapp/restore", "-t", "lb", "-i", "app1"}));
  ASSERT_TRUE(wait_until([&] { return accepts(port_.number()) || !restore.running(); }));
  const Result restored = restore.wait();
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_TRUE(answers());
  const Result checked = action("quickCheck");
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_THAT(root_.shell("genapp status"), HasSubstr("ISP"));
}

// Without systemd: the unit's program, user, group and capabilities.
void Packages::servesAsTheUnitDoes() {
  const std::string unit = "/usr/lib/systemd/system/lbhcd@.service";
  const auto value = [&](const std::string& key) {
    std::string text = root_.shell("sed -n 's/^" + key + "=//p' " + unit);
    text.pop_back();
    return text;
  };
  const Port port;
  root_.shell("genapp create -t unit -i unit --info '" + port.text() + " OK'");
  std::string capability = value("AmbientCapabilities");
  ASSERT_EQ(capability, "CAP_NET_BIND_SERVICE");
  ASSERT_EQ(value("ExecStart"), "/usr/sbin/lbhcd -t %i -i ${GENAPP_ID}");
  capability = "net_bind_service";
  Process lbhcd(root_.command(
      {"setpriv", "--reuid=" + value("User"), "--regid=" + value("Group"), "--clear-groups",
       "--no-new-privs", "--inh-caps=-all,+" + capability, "--ambient-caps=-all,+" + capability,
       "--bounding-set=-all,+" + capability, "/usr/sbin/lbhcd", "-t", "unit", "-i", "unit"}));
  ASSERT_TRUE(wait_until([&] { return !lbhcd.running() || accepts(port.number()); }));
  ASSERT_TRUE(lbhcd.running()) << lbhcd.err();
  EXPECT_TRUE(wait_until([&] {
    return root_.run({"cat", "/run/genapp/unit.state"}).out == "ISP\n";
  })) << lbhcd.err();
  const Result checked = root_.run({"/usr/libexec/genapp/quickCheck", "-t", "unit", "-i", "unit"});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  // A package that is removed under it would leave it as it is.
  EXPECT_THAT(dpkg({"--remove", "genapp"}).err, HasSubstr("\n  unit (process "));
  const Result removed = root_.run({"/usr/libexec/genapp/remove", "-t", "unit", "-i", "unit"});
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_EQ(lbhcd.wait().exit_code, 0);
  root_.shell("genapp delete -t unit");
}

void Packages::upgradesUnderTheDaemon() {
  const std::string before = daemon();
  const std::string settings = "log_level = \"debug\"\n";
  root_.shell("echo '" + settings + "' >/etc/genapp/genapp.toml");
  install(kNew);
  EXPECT_EQ(status(), GENAPP_VERSION "-2 installed");
  EXPECT_EQ(daemon(), before);
  EXPECT_THAT(root_.shell("readlink /proc/" + before.substr(0, before.size() - 1) + "/exe"),
              HasSubstr("(deleted)"));
  EXPECT_TRUE(answers());
  const Result checked = action("quickCheck");
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_THAT(root_.shell("cat /etc/genapp/genapp.toml"), HasSubstr(settings));
}

void Packages::refusesToGoUnderTheDaemon() {
  const Result refused = dpkg({"--remove", "genapp"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("\n  app1 (process " +
                                           daemon().substr(0, daemon().size() - 1) + ")\n"),
                                 HasSubstr("Take each out of service first")));
  EXPECT_EQ(status(), GENAPP_VERSION "-2 installed");
  EXPECT_TRUE(answers());
  const Result removed = action("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_FALSE(accepts(port_.number()));
}

void Packages::isRemovedAndPurged() {
  // A pid file of a daemon that died holds nothing up, nor does one of a process that is another's.
  root_.shell("echo '1 1' >/run/genapp/dead.pid; : >/run/genapp/empty.pid");
  root_.shell("mkdir -p /etc/genapp/apps/web; echo own >/etc/genapp/apps/web/restore");
  const Result removed = dpkg({"--remove", "genapp"});
  ASSERT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_EQ(root_.shell("ls /etc/genapp /etc/genapp/resources.d"),
            "/etc/genapp:\napps\ngenapp.toml\nresources.d\n\n/etc/genapp/resources.d:\nlb.toml\n");
  EXPECT_EQ(root_.run({"sh", "-c", "command -v genapp"}).out, "");
  const Result purged = dpkg({"--purge", "genapp"});
  ASSERT_EQ(purged.exit_code, 0) << purged.err;
  EXPECT_THAT(purged.out, HasSubstr("/etc/genapp is kept"));
  // The user's own script is the only thing left.
  EXPECT_EQ(root_.shell("find /etc/genapp -type f"), "/etc/genapp/apps/web/restore\n");
  root_.shell("rm -r /etc/genapp");
}

TEST_F(Packages, ServeInABareDebianAndLeaveNothingBehind) {
  const std::string before = root_.state();
  installs();
  if (!HasFatalFailure()) serves();
  if (!HasFatalFailure()) servesAsTheUnitDoes();
  if (!HasFatalFailure()) upgradesUnderTheDaemon();
  if (!HasFatalFailure()) refusesToGoUnderTheDaemon();
  if (!HasFatalFailure()) isRemovedAndPurged();
  EXPECT_EQ(root_.state(), before);
}

}  // namespace
}  // namespace genapp::tests
