// The packages in a bare Debian: installed, used for the main job, upgraded while a daemon runs,
// removed and purged.
//
// The root is made by mmdebstrap and holds Debian's essential packages, mount(8), and what genapp
// says that it depends on, nothing else: what is not stated fails here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <iterator>
#include <optional>
#include <regex>
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

const std::vector<std::string> kPackages{"genapp", "genapp-agents"};
constexpr char kUnit[] = "/usr/lib/systemd/system/lbhcd@.service";

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
                  "--include=mount," + depends()}};
    const std::string proxy = output_of({"apt-config", "dump", "Acquire::http::Proxy"});
    if (!proxy.empty()) make.argv.push_back("--aptopt=" + proxy);
    make.argv.insert(make.argv.end(), {"bookworm", folder_.path(), mirror()});
    make.limit = std::chrono::minutes(2);
    const Result made = tests::run(host_.inside(make));
    if (made.exit_code != 0) {
      throw std::runtime_error("mmdebstrap (it needs a network): " + made.err);
    }
    const std::string root = folder_.path();
    host_.shell("mount -t proc proc " + root + "/proc; mkdir " + root + "/packages " + root +
                "/host");
    for (const std::string& package : kPackages) {
      for (const Release release : {Release::current, Release::next}) {
        host_.shell("cp " + package_file(package, release) + " " + root +
                    in_root(package, release));
      }
    }
    host_.shell("cd " + root + "; pivot_root . host; umount -l /host; rmdir /host");
  }

  // Where a package's file is, inside.
  static std::string in_root(const std::string& package, Release release) {
    return "/packages/" + package + std::to_string(static_cast<int>(release)) + ".deb";
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
  // Every file, and every user and group, without what dpkg and adduser keep as their own records.
  std::set<std::string> state() const {
    const auto lines = lines_of(
        shell("find / -xdev \\( -path /proc -o -path /var/log -o -path /packages -o -path /tmp \\) "
              "-prune -o -printf '%y %m %u %g %l %p\\n' | grep -v -e ' /var/lib/dpkg/[a-z]*-old$' "
              "-e ' /etc/[a-z]*-$' -e ' /etc/.pwd.lock$' -e ' /run/adduser$'; "
              "grep -H . /etc/passwd /etc/group /etc/shadow /etc/gshadow"));
    return {lines.begin(), lines.end()};
  }

 private:
  // The one that this machine's packages come from, since another may be out of reach.
  static std::string mirror() {
    const std::string known =
        output_of({"apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
                   "Codename: bookworm", "Component: main"});
    const std::string first = known.substr(0, known.find('\n'));
    return first.empty() ? "http://deb.debian.org/debian" : first;
  }
  static std::string depends() {
    std::string packages = output_of({"dpkg-deb", "-f", package_file("genapp"), "Depends"});
    packages = std::regex_replace(packages, std::regex("\\([^)]*\\)"), "");
    packages.erase(std::remove_if(packages.begin(), packages.end(), ::isspace), packages.end());
    return packages;
  }

  TempDir folder_;
  // Before anything is made in it: a file system of its own, so that nothing is left behind.
  Namespace host_{Namespace::Network::shared,
                  "mount -t tmpfs -o size=1g,mode=755 root " + folder_.path()};
};

// What is in one and not in the other.
std::vector<std::string> differences(const std::set<std::string>& before,
                                     const std::set<std::string>& after) {
  std::vector<std::string> lines;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                std::back_inserter(lines));
  return lines;
}

// Steps of one life, in order: the root is made once.
class Packages : public testing::Test {
 public:
  Result dpkg(const std::string& action, const std::vector<std::string>& names) const {
    std::vector<std::string> argv{"dpkg", "--force-unsafe-io", action};
    argv.insert(argv.end(), names.begin(), names.end());
    return root_.run(std::move(argv));
  }
  void install(Release release) const {
    std::vector<std::string> files;
    for (const std::string& package : kPackages)
      files.push_back(BareRoot::in_root(package, release));
    const Result result = dpkg("--install", files);
    ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  }
  std::string status(const std::string& package) const {
    return root_.shell("dpkg-query -W -f '${Version} ${db:Status-Status}' " + package);
  }

  // restore, remove, quickCheck or recover for the resource whose tag and id are this.
  Command action_command(const std::string& name, const std::string& id) const {
    return root_.command({"/usr/libexec/genapp/" + name, "-t", id, "-i", id});
  }
  void expect_healthy(const std::string& id) const {
    const Result checked = run(action_command("quickCheck", id));
    EXPECT_EQ(checked.exit_code, 0) << checked.err;
  }
  void take_out(const std::string& id) const {
    const Result removed = run(action_command("remove", id));
    EXPECT_EQ(removed.exit_code, 0) << removed.err;
  }
  std::string pid(const std::string& id) const {
    return lines_of(root_.shell("cut -d ' ' -f 1 /run/genapp/" + id + ".pid")).at(0);
  }
  void expect_refusal_to_remove(const std::string& package, const std::string& id) const {
    const Result refused = dpkg("--remove", {package});
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("\n  " + id + " (process " + pid(id) + ")\n"),
                                   HasSubstr("Take each out of service first")));
    EXPECT_THAT(status(package), HasSubstr(" installed"));
  }

  // What the agent answers; with probes coming.
  int agent(const std::string& action, const Port& port) const {
    Process process(root_.command({"env", "OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=ocf1",
                                   "OCF_RESKEY_port=" + port.text(), "OCF_RESKEY_reply=OK",
                                   "/usr/lib/ocf/resource.d/genapp/lbhc", action}));
    EXPECT_TRUE(wait_until([&] {
      accepts(port.number());
      return !process.running();
    }));
    const Result result = process.wait();
    if (result.exit_code != 0) message_ = result.err;
    return result.exit_code;
  }

  void installs() const;
  void serves() const;
  void serves_as_the_unit_says() const;
  void serves_under_the_agent() const;
  void watches() const;
  void upgrades_under_the_daemon() const;
  void refuses_to_go_under_the_daemon() const;
  void refuses_to_go_under_the_monitor() const;
  void refuses_to_go_under_a_session() const;
  void refuses_to_go_under_the_appserver() const;
  void is_removed_and_purged() const;

  const Port port_;
  const BareRoot root_;
  mutable std::string message_;
  mutable std::optional<Process> monitor_;
};

void Packages::installs() const {
  install(Release::current);
  EXPECT_EQ(root_.shell("stat -c '%a %U %G' /run/genapp"), "770 root genapp\n");
  EXPECT_THAT(root_.shell("getent passwd genapp"), HasSubstr(":/usr/sbin/nologin"));
  EXPECT_EQ(root_.shell("id -Gn genapp"), "genapp\n");
  EXPECT_EQ(root_.shell("ls -A /etc/genapp /etc/genapp/resources.d"),
            "/etc/genapp:\nappserver.toml\ngenapp.toml\nresources.d\n\n/etc/genapp/resources.d:\n");
  // Once more changes nothing.
  const auto before = root_.state();
  root_.shell("/var/lib/dpkg/info/genapp.postinst configure");
  EXPECT_THAT(differences(before, root_.state()), IsEmpty());
}

void Packages::serves() const {
  root_.shell("genapp create -t app1 -i app1 --info '" + port_.text() + " OK'");
  Process restore(action_command("restore", "app1"));
  ASSERT_TRUE(wait_until([&] { return accepts(port_.number()) || !restore.running(); }));
  const Result restored = restore.wait();
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(probe(port_.number()).bytes, "OK");
  expect_healthy("app1");
  EXPECT_THAT(root_.shell("genapp status"), HasSubstr("ISP"));
}

// Without systemd: the unit's program, user, group and capabilities.
void Packages::serves_as_the_unit_says() const {
  const auto value = [&](const std::string& key) {
    return lines_of(root_.shell(std::string("sed -n 's/^") + key + "=//p' " + kUnit)).at(0);
  };
  ASSERT_EQ(value("ExecStart"), "/usr/sbin/lbhcd -t %i -i ${GENAPP_ID}");
  ASSERT_EQ(value("AmbientCapabilities"), "CAP_NET_BIND_SERVICE");
  const std::string capabilities = "-all,+net_bind_service";
  const Port port;
  root_.shell("genapp create -t unit -i unit --info '" + port.text() + " OK'");
  Process lbhcd(root_.command({"setpriv", "--reuid=" + value("User"), "--regid=" + value("Group"),
                               "--clear-groups", "--no-new-privs", "--inh-caps=" + capabilities,
                               "--ambient-caps=" + capabilities, "--bounding-set=" + capabilities,
                               "/usr/sbin/lbhcd", "-t", "unit", "-i", "unit"}));
  ASSERT_TRUE(wait_until([&] { return !lbhcd.running() || accepts(port.number()); }));
  ASSERT_TRUE(lbhcd.running()) << lbhcd.err();
  EXPECT_TRUE(wait_until([&] {
    return root_.run({"cat", "/run/genapp/unit.state"}).out == "ISP\n";
  })) << lbhcd.err();
  expect_healthy("unit");
  take_out("unit");
  EXPECT_EQ(lbhcd.wait().exit_code, 0);
  root_.shell("genapp delete -t unit");
}

// OCF's numbers: 0 success, 7 not running.
void Packages::serves_under_the_agent() const {
  const Port port;
  EXPECT_EQ(agent("monitor", port), 7) << message_;
  ASSERT_EQ(agent("start", port), 0) << message_;
  EXPECT_EQ(probe(port.number()).bytes, "OK");
  EXPECT_EQ(agent("monitor", port), 0) << message_;
  expect_refusal_to_remove("genapp-agents", "ocf1");
  EXPECT_EQ(agent("stop", port), 0) << message_;
  EXPECT_EQ(agent("monitor", port), 7) << message_;
}

// The resource that serves speaks HTTP of a kind: its reply begins with what httpmon looks for.
void Packages::watches() const {
  const Port port;
  root_.shell(
      "genapp create -t http -i http --set protocol=http --set wait_first_probe=false --info " +
      port.text());
  root_.shell("/usr/libexec/genapp/restore -t http -i http");
  for (const std::string name : {"localhost", "127.0.0.1"}) {
    const Result once = root_.run({"httpmon", "--once", "-s", name, "-n", port.text()});
    EXPECT_EQ(once.exit_code, 0) << once.err;
    EXPECT_THAT(once.out, HasSubstr("ok: HTTP/1.1 200 OK")) << name;
  }
  // It greets nobody as a mail server does.
  const Result mail = root_.run({"smtpmon", "--once", "-n", port.text(), "-r", "1"});
  EXPECT_EQ(mail.exit_code, 1);
  EXPECT_THAT(mail.out, HasSubstr("failed: "));

  monitor_.emplace(root_.command({"httpmon", "web", "-n", port.text(), "-i", "0.1", "-r", "5"}));
  ASSERT_TRUE(wait_until([&] {
    return root_.run({"httpmon", "web", "--disp"}).exit_code == 0;
  })) << monitor_->err();
}

void Packages::upgrades_under_the_daemon() const {
  const std::string before = pid("app1");
  const std::string settings = "log_level = \"debug\"\n";
  root_.shell("echo '" + settings + "' >/etc/genapp/genapp.toml");
  install(Release::next);
  EXPECT_EQ(status("genapp"), GENAPP_VERSION "-2 installed");
  EXPECT_EQ(status("genapp-agents"), GENAPP_VERSION "-2 installed");
  EXPECT_EQ(pid("app1"), before);
  EXPECT_THAT(root_.shell("readlink /proc/" + before + "/exe"), HasSubstr("(deleted)"));
  EXPECT_EQ(probe(port_.number()).bytes, "OK");
  expect_healthy("app1");
  EXPECT_THAT(root_.shell("cat /etc/genapp/genapp.toml"), HasSubstr(settings));
}

void Packages::refuses_to_go_under_the_daemon() const {
  // It is none of the agents'.
  const Result removed = dpkg("--remove", {"genapp-agents"});
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  expect_refusal_to_remove("genapp", "app1");
  EXPECT_EQ(probe(port_.number()).bytes, "OK");
  take_out("app1");
  EXPECT_FALSE(accepts(port_.number()));
}

void Packages::refuses_to_go_under_the_monitor() const {
  const std::string pid =
      lines_of(root_.shell("cut -d ' ' -f 1 /run/genapp/monitors/web/pid")).at(0);
  EXPECT_THAT(root_.shell("readlink /proc/" + pid + "/exe"), HasSubstr("(deleted)"));
  const Result refused = dpkg("--remove", {"genapp"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("\n  httpmon web (process " + pid + ")\n"));
  EXPECT_THAT(status("genapp"), HasSubstr(" installed"));
  EXPECT_TRUE(monitor_->running());
  // The new version's.
  EXPECT_EQ(root_.run({"httpmon", "web", "--stop"}).exit_code, 0);
  EXPECT_EQ(monitor_->wait().exit_code, 0);
  take_out("http");
  root_.shell("genapp delete -t http");
}

// Of an appserver that has ended: its command and the keeper of that run on.
void Packages::refuses_to_go_under_a_session() const {
  const std::string folder = "/run/genapp/appserver/sessions/web";
  root_.shell("mkdir -p " + folder + "; chmod -R 700 /run/genapp/appserver; mkfifo /tmp/ready");
  EXPECT_THAT(root_.shell("setsid /usr/libexec/genapp/keeper --dir " + folder +
                          " --session web --parent $$ -- /bin/sleep 1000 </dev/null >/tmp/ready "
                          "2>/dev/null & read -r line </tmp/ready; echo \"$line\""),
              testing::StartsWith("ready "));
  const std::string keeper = lines_of(root_.shell("cut -d ' ' -f 1 " + folder + "/pid")).at(0);
  const Result refused = dpkg("--remove", {"genapp"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("\n  web (process " + keeper + ")\n"));
  EXPECT_THAT(status("genapp"), HasSubstr(" installed"));
  root_.shell("kill " + keeper);
  EXPECT_TRUE(wait_until([&] {
    return root_.run({"readlink", "/proc/" + keeper + "/exe"}).exit_code != 0;
  }));
}

void Packages::refuses_to_go_under_the_appserver() const {
  const std::string settings = "GENAPP_CONFIG_DIR=/tmp/remote";
  const Port port;
  root_.shell("export " + settings + "; mkdir /tmp/remote; genapp keys init; " +
              "genapp keys guest guest1 --install; echo port = " + port.text() +
              " >/tmp/remote/appserver.toml");
  Process appserver(root_.command({"env", settings, "appserver"}));
  ASSERT_TRUE(wait_until([&] { return accepts(port.number()) || !appserver.running(); }));
  ASSERT_TRUE(appserver.running()) << appserver.err();
  const std::string pid = lines_of(root_.shell("cut -d ' ' -f 1 /run/genapp/appserver/pid")).at(0);
  const Result refused = dpkg("--remove", {"genapp"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("since the appserver runs (process " + pid + ")"));
  EXPECT_THAT(status("genapp"), HasSubstr(" installed"));
  root_.shell("kill " + pid);
  EXPECT_EQ(appserver.wait().exit_code, 0);
}

void Packages::is_removed_and_purged() const {
  // The records of the dead hold nothing up.
  root_.shell("echo '1 1' >/run/genapp/dead.pid; : >/run/genapp/empty.pid");
  root_.shell("mkdir /run/genapp/monitors/dead; echo '1 1 httpmon' >/run/genapp/monitors/dead/pid");
  root_.shell("mkdir -p /etc/genapp/apps/web; echo own >/etc/genapp/apps/web/restore");
  const Result removed = dpkg("--remove", {"genapp"});
  ASSERT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_EQ(root_.shell("ls /etc/genapp /etc/genapp/resources.d"),
            "/etc/genapp:\napps\nappserver.toml\ngenapp.toml\nresources.d\n\n/etc/genapp/"
            "resources.d:\napp1.toml\n");
  EXPECT_EQ(root_.run({"sh", "-c", "command -v genapp"}).out, "");
  const Result purged = dpkg("--purge", kPackages);
  ASSERT_EQ(purged.exit_code, 0) << purged.err;
  EXPECT_THAT(purged.out, HasSubstr("/etc/genapp is kept"));
  // The user's own script is the only thing left.
  EXPECT_EQ(root_.shell("find /etc/genapp -type f"), "/etc/genapp/apps/web/restore\n");
  root_.shell("rm -r /etc/genapp");
}

TEST_F(Packages, ServeInABareDebianAndLeaveNothingBehind) {
  const auto before = root_.state();
  for (const auto step :
       {&Packages::installs, &Packages::serves, &Packages::serves_as_the_unit_says,
        &Packages::serves_under_the_agent, &Packages::watches, &Packages::upgrades_under_the_daemon,
        &Packages::refuses_to_go_under_the_daemon, &Packages::refuses_to_go_under_the_monitor,
        &Packages::refuses_to_go_under_a_session, &Packages::refuses_to_go_under_the_appserver,
        &Packages::is_removed_and_purged}) {
    (this->*step)();
    if (HasFatalFailure()) return;
  }
  EXPECT_THAT(differences(before, root_.state()), IsEmpty());
}

}  // namespace
}  // namespace genapp::tests
