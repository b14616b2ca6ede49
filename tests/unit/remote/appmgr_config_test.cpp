#include "remote/appmgr/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "common/error.hpp"
#include "common/paths.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::remote {
namespace {

using common::log::Level;
using std::chrono_literals::operator""s;
using testing::HasSubstr;

CommandLine line_to(const std::string& node) {
  CommandLine line;
  line.node = node;
  line.where = parse_host_port(node).value();
  return line;
}

Settings settle_in(const std::string& text, const CommandLine& line) {
  return settle(line, parse_manager_config("f.toml", text));
}

std::string problem_of(const std::string& text) {
  try {
    parse_manager_config("f.toml", text);
  } catch (const common::Error& problem) {
    return problem.what();
  }
  return "";
}

TEST(AppmgrConfig, Defaults) {
  const Settings settings = settle(line_to("guest1"), {});
  EXPECT_EQ(settings.node, "guest1");
  EXPECT_EQ(settings.address, "guest1");
  EXPECT_EQ(settings.server_name, "guest1");
  EXPECT_EQ(settings.port, 5315);
  EXPECT_EQ(settings.timeout, 30s);
  EXPECT_EQ(settings.kill_after, 10s);
  EXPECT_EQ(settings.tls.certificate, common::paths::tls_dir() + "/appmgr.crt");
  EXPECT_EQ(settings.tls.key, common::paths::tls_dir() + "/appmgr.key");
  EXPECT_EQ(settings.tls.authorities, common::paths::tls_dir() + "/ca.crt");
  EXPECT_EQ(settings.log_file, "");
  EXPECT_EQ(settings.log_level, Level::warn);
}

constexpr char kWhole[] = R"(
port = 1
timeout = 2
kill_after = 0
certificate = "/all.crt"
key = "/all.key"
authorities = "/all.ca"
log_file = "/all.log"
[node.guest1]
address = "192.0.2.1"
server_name = "name.example"
port = 11
timeout = 12
kill_after = 13
certificate = "/one.crt"
key = "/one.key"
authorities = "/one.ca"
[node."guest2.example"]
address = "[2001:db8::1]"
)";

TEST(AppmgrConfig, TheFileHolds) {
  const Settings settings = settle_in(kWhole, line_to("other"));
  EXPECT_EQ(settings.address, "other");
  EXPECT_EQ(settings.port, 1);
  EXPECT_EQ(settings.timeout, 2s);
  EXPECT_EQ(settings.kill_after, 0s);
  EXPECT_EQ(settings.tls.certificate, "/all.crt");
  EXPECT_EQ(settings.tls.key, "/all.key");
  EXPECT_EQ(settings.tls.authorities, "/all.ca");
  EXPECT_EQ(settings.log_file, "/all.log");
  EXPECT_EQ(settings.log_level, Level::info);  // of a file
}

TEST(AppmgrConfig, ANodesTableComesBeforeIt) {
  const Settings settings = settle_in(kWhole, line_to("guest1"));
  EXPECT_EQ(settings.address, "192.0.2.1");
  EXPECT_EQ(settings.server_name, "name.example");
  EXPECT_EQ(settings.port, 11);
  EXPECT_EQ(settings.timeout, 12s);
  EXPECT_EQ(settings.kill_after, 13s);
  EXPECT_EQ(settings.tls.certificate, "/one.crt");
  EXPECT_EQ(settings.tls.key, "/one.key");
  EXPECT_EQ(settings.tls.authorities, "/one.ca");
  const Settings other = settle_in(kWhole, line_to("guest2.example:7"));
  EXPECT_EQ(other.address, "2001:db8::1");
  EXPECT_EQ(other.server_name, "guest2.example");  // as it is called, not where it is
  EXPECT_EQ(other.port, 7);
  EXPECT_EQ(other.timeout, 2s);
}

TEST(AppmgrConfig, TheCommandLineComesFirst) {
  CommandLine line = line_to("guest1:21");
  line.timeout = 22s;
  line.kill_after = 23s;
  line.certificate = "c";
  line.key = "k";
  line.authorities = "a";
  line.server_name = "n";
  line.log_file = "l";
  line.log_level = Level::error;
  const Settings settings = settle_in(kWhole, line);
  EXPECT_EQ(settings.port, 21);
  EXPECT_EQ(settings.timeout, 22s);
  EXPECT_EQ(settings.kill_after, 23s);
  EXPECT_EQ(settings.tls.certificate, "c");
  EXPECT_EQ(settings.tls.key, "k");
  EXPECT_EQ(settings.tls.authorities, "a");
  EXPECT_EQ(settings.server_name, "n");
  EXPECT_EQ(settings.log_file, "l");
  EXPECT_EQ(settings.log_level, Level::error);
}

TEST(AppmgrConfig, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(problem_of("\nprot = 1"), HasSubstr("f.toml:2: unknown key \"prot\""));
  EXPECT_THAT(problem_of("[nodes.a]"), HasSubstr("f.toml:1: unknown table"));
  EXPECT_THAT(problem_of("[node]\nport = 1"), HasSubstr("unknown table"));
  EXPECT_THAT(problem_of("[node.a]\nlog_file = \"/x\""), HasSubstr("f.toml:2: unknown key"));
  EXPECT_THAT(problem_of("address = \"h\""), HasSubstr("unknown key"));
  EXPECT_THAT(problem_of("server_name = \"h\""), HasSubstr("unknown key"));
  for (const char* wrong :
       {"port = 0", "port = 65536", "port = 1.5", "port = \"1\"", "timeout = 0", "timeout = 3601",
        "timeout = nan", "kill_after = -1", "key = \"relative\"", "certificate = 1",
        "log_level = \"loud\"", "log_file = \"\"", "[node.a]\naddress = \"h:5\"",
        "[node.a]\naddress = \"\"", "[node.a]\nserver_name = \"a b\""}) {
    EXPECT_THAT(problem_of(wrong), HasSubstr("f.toml:")) << wrong;
  }
}

// As an error lists them.
std::set<std::string> known_keys(const std::string& wrong) {
  const std::string before = "known here: ";
  const std::string text = problem_of(wrong);
  std::istringstream words(text.substr(text.find(before) + before.size()));
  std::set<std::string> keys;
  for (std::string word; words >> word;) keys.insert(word.substr(0, word.find(',')));
  return keys;
}

TEST(AppmgrConfig, TheManPageHasEveryKeyAndNoOther) {
  const std::string page = tests::read_file(GENAPP_SOURCE_DIR "/docs/man/appmgr.toml.5");
  std::set<std::string> described;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".It Cm ")) described.insert(line.substr(7));
  }
  std::set<std::string> keys = known_keys("no_such = 1");
  const std::set<std::string> of_node = known_keys("[node.a]\nno_such = 1");
  keys.insert(of_node.begin(), of_node.end());
  EXPECT_EQ(keys.size(), 10u);
  EXPECT_EQ(described, keys);
}

}  // namespace
}  // namespace genapp::remote
