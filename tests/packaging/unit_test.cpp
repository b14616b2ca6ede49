// The units, as far as they can be tested without a running systemd: systemd's own checks of the
// file, and that lbhcd makes no system call that the file forbids. As the file's user and with its
// capabilities lbhcd runs in bare_root_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/packaging/packages.hpp"
#include "tests/support/lbhc_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class Unit : public testing::Test {
 protected:
  Unit() { output_of({"dpkg-deb", "-x", package_file("genapp"), root_.path()}); }

  std::string path(const std::string& unit = "lbhcd@.service") const {
    return root_ / ("usr/lib/systemd/system/" + unit);
  }
  std::vector<std::string> values(const std::string& key,
                                  const std::string& unit = "lbhcd@.service") const {
    std::vector<std::string> all;
    for (const std::string& line : lines_of(read_file(path(unit)))) {
      if (line.starts_with(key + "=")) all.push_back(line.substr(key.size() + 1));
    }
    return all;
  }

  TempDir root_;
};

TEST_F(Unit, SystemdFindsNoFaultInThem) {
  for (const char* unit : {"lbhcd@.service", "genapp-agent.service", "appserver.service"}) {
    // It looks whether the program is there.
    output_of({"sed", "-i", "s|=/usr/sbin/|=" + root_.path() + "/usr/sbin/|", path(unit)});
    const Result result = run({{"systemd-analyze", "verify", "--man=no", path(unit)}});
    EXPECT_EQ(result.exit_code, 0) << unit << ": " << result.err;
    EXPECT_EQ(result.err, "") << unit;
  }
}

// What they have started is in their control groups. On a cluster's node the agent must not begin
// by itself, and without keys the appserver can't.
TEST_F(Unit, TheAgentsAndTheAppserversEndThemAloneAndAreNotEnabled) {
  for (const std::string unit : {"genapp-agent.service", "appserver.service"}) {
    EXPECT_THAT(values("KillMode", unit), testing::ElementsAre("process")) << unit;
    EXPECT_THAT(values("OOMPolicy", unit), testing::ElementsAre("continue")) << unit;
    EXPECT_THAT(values("Restart", unit), testing::ElementsAre("always")) << unit;
    EXPECT_THAT(values("WatchdogSec", unit), testing::ElementsAre("30")) << unit;
  }
  for (const std::string folder : {"usr/lib/systemd", "etc/systemd"}) {
    if (!std::filesystem::exists(root_ / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_ / folder)) {
      EXPECT_FALSE(entry.is_symlink()) << entry.path();
    }
  }
}

TEST_F(Unit, ItsExposureIsTheFigureOfTheGuide) {
  const std::string told =
      output_of({"systemd-analyze", "security", "--offline=true", "--no-pager", path()});
  std::smatch figure;
  ASSERT_TRUE(std::regex_search(told, figure, std::regex("Overall exposure level[^:]*: ([0-9.]+)")))
      << told;
  const std::string guide = read_file(GENAPP_SOURCE_DIR "/docs/packaging.md");
  EXPECT_THAT(guide, HasSubstr("exposure of " + figure[1].str() + " "));
}

// A set's names, with those of the sets in it.
std::set<std::string> system_calls(const std::string& set) {
  if (!set.starts_with("@")) return {set};
  std::set<std::string> all;
  for (std::string line : lines_of(output_of({"systemd-analyze", "syscall-filter", set}))) {
    line.erase(0, line.find_first_not_of(' '));
    if (line.empty() || line[0] == '#' || line == set) continue;
    all.merge(system_calls(line));
  }
  return all;
}

// Each line of the filter adds to what is permitted, or, with ~, takes away.
std::set<std::string> permitted(const std::vector<std::string>& filter) {
  std::set<std::string> all;
  for (const std::string& line : filter) {
    const bool taken_away = line[0] == '~';
    std::istringstream words(line.substr(taken_away ? 1 : 0));
    for (std::string word; words >> word;) {
      for (const std::string& call : system_calls(word)) {
        if (taken_away) {
          all.erase(call);
        } else {
          all.insert(call);
        }
      }
    }
  }
  return all;
}

std::set<std::string> made_calls(const std::string& trace) {
  std::set<std::string> names;
  const std::regex call("^(?:[0-9]+ +)?([a-z_0-9]+)\\(");
  for (const std::string& line : lines_of(read_file(trace))) {
    std::smatch name;
    if (std::regex_search(line, name, call)) names.insert(name[1]);
  }
  return names;
}

TEST_F(Unit, LbhcdMakesNoSystemCallThatItForbids) {
  LbhcNode node("hc_timeout = 0.3\nallow = [\"127.0.0.1\"]\nprotocol = \"http\"");
  const std::string trace = root_ / "trace";
  Process lbhcd(node.node().command(
      {"/usr/bin/strace", "-f", "-o", trace, root_ / "usr/sbin/lbhcd", "-t", "lb", "-i", "app1"}));
  ASSERT_TRUE(wait_until([&] { return accepts(node.port()) && node.state() == "ISP"; }))
      << lbhcd.err();
  EXPECT_THAT(probe(node.port(), "GET / HTTP/1.0\r\n\r\n").bytes, HasSubstr("OK"));
  ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
  EXPECT_TRUE(accepts(node.port()));
  EXPECT_EQ(node.run("remove").exit_code, 0);
  lbhcd.wait();

  const std::set<std::string> calls = made_calls(trace);
  EXPECT_TRUE(calls.contains("accept4")) << "the trace is not one of a daemon that served";
  const std::set<std::string> allowed = permitted(values("SystemCallFilter"));
  EXPECT_TRUE(allowed.contains("accept4"));
  EXPECT_FALSE(allowed.contains("mount"));
  for (const std::string& call : calls) EXPECT_TRUE(allowed.contains(call)) << call;
}

}  // namespace
}  // namespace genapp::tests
