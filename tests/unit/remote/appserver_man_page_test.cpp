// appserver.toml(5) and the package's appserver.toml have every key that appserver knows and no
// other, and what they show is accepted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "remote/appserver/config.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::remote {
namespace {

using testing::HasSubstr;

const std::string kPage = GENAPP_SOURCE_DIR "/docs/man/appserver.toml.5";
const std::string kShown = GENAPP_SOURCE_DIR "/packaging/etc/appserver.toml";

// What stands between two lines.
std::string part(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find("\n" + from + "\n");
  if (begin == std::string::npos) {
    ADD_FAILURE() << "there is no " << from;
    return {};
  }
  const auto after = begin + from.size() + 2;
  const auto end = text.find("\n" + to, after);
  if (end == std::string::npos) ADD_FAILURE() << "there is no " << to << " after " << from;
  return text.substr(after, end == std::string::npos ? end : end - after + 1);
}

struct Item {
  std::string key;
  std::string text;
};

// The page's list of keys under this heading.
std::vector<Item> items(const std::string& heading) {
  std::istringstream lines(
      part(part(tests::read_file(kPage), ".Ss " + heading, ".Ss "), ".Bl -tag -width Ds", ".El"));
  std::vector<Item> all;
  const std::string item = ".It Cm ";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(item)) {
      all.push_back({line.substr(item.size()), {}});
    } else if (!all.empty()) {
      all.back().text += line + "\n";
    }
  }
  return all;
}

void expect_items(const std::string& heading, const std::vector<std::string_view>& keys) {
  std::vector<std::string> listed;
  for (const Item& item : items(heading)) {
    listed.push_back(item.key);
    EXPECT_THAT(item.text, testing::ContainsRegex("(^|\n)(Default[:,]|Required)")) << item.key;
  }
  EXPECT_EQ(listed, std::vector<std::string>(keys.begin(), keys.end()));
}

TEST(RemoteManPage, HasEveryKeyOfTheServerWithItsDefaultAndNoOther) {
  expect_items("Keys of the appserver", server_keys());
}

TEST(RemoteManPage, HasEveryKeyOfARuleWithItsDefaultAndNoOther) {
  expect_items("Tables allow.NAME", rule_keys());
}

TEST(RemoteManPage, ItsExampleIsAcceptedAndDoesWhatItSays) {
  const std::string example = part(part(tests::read_file(kPage), ".Sh EXAMPLES", ".Sh "),
                                   ".Bd -literal -offset indent", ".Ed");
  const ServerConfig config = parse_server_config("the page", example, true);
  ASSERT_EQ(config.policy.size(), 3u) << example;
  const auto rule = [&](const char* certificate, const std::vector<std::string>& command) {
    const Rule* found = find_rule(config.policy, certificate, command);
    return found ? found->name : "none";
  };
  const std::string httpd = "/usr/sbin/httpd";
  EXPECT_EQ(rule("host1", {httpd, "-D", "FOREGROUND", "-f", "/etc/httpd/a.conf"}), "web");
  EXPECT_EQ(rule("host2", {httpd, "-D", "FOREGROUND", "-f", "/etc/httpd/a.conf"}), "none");
  EXPECT_EQ(rule("host1", {httpd, "-D", "FOREGROUND", "-f", "/etc/httpd/../a.conf"}), "none");
  EXPECT_EQ(rule("host2", {httpd, "-t", "-f", "/etc/httpd/a.conf"}), "web-check");
  EXPECT_EQ(rule("host2", {"/usr/local/sbin/backup", "daily"}), "backup");
  EXPECT_EQ(rule("host2", {"/usr/local/sbin/backup", "--delete"}), "none");
}

TEST(RemoteGuide, ItsRulesAreAccepted) {
  const std::string guide = tests::read_file(GENAPP_SOURCE_DIR "/docs/remote.md");
  const std::string begin = "\n```toml\n";
  int blocks = 0;
  for (auto at = guide.find(begin); at != std::string::npos; at = guide.find(begin, at + 1)) {
    const std::string block = part(guide.substr(at), "```toml", "```");
    EXPECT_EQ(parse_server_config("the guide", block, true).policy.size(), 1u) << block;
    ++blocks;
  }
  EXPECT_GE(blocks, 2);
}

// The page's table of patterns, as a person reads it.
TEST(RemoteManPage, PatternsMatchWhatItSays) {
  const std::string page = tests::read_file(kPage);
  const auto matches = [](const std::string& pattern, const std::string& argument) {
    return matches_command({"/a", pattern}, {"/a", argument});
  };
  for (const char* line : {"\"/srv/*.conf\"   /srv/a.conf     not /srv/b/a.conf, /srv/.conf\n",
                           "\"/srv/*/log\"    /srv/web/log    not /srv/../log\n",
                           "\"*\"             a, --all        and an empty argument\n"
                           "                                not a/b, .., .hidden\n",
                           "\"[!-]*\"         a               not -x, /x, an empty argument\n",
                           "\"**\"            anything\n", "'\\e*'            * alone\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
  EXPECT_TRUE(matches("/srv/*.conf", "/srv/a.conf"));
  EXPECT_FALSE(matches("/srv/*.conf", "/srv/b/a.conf"));
  EXPECT_FALSE(matches("/srv/*.conf", "/srv/.conf"));
  EXPECT_TRUE(matches("/srv/*/log", "/srv/web/log"));
  EXPECT_FALSE(matches("/srv/*/log", "/srv/../log"));
  for (const char* yes : {"a", "--all", ""}) EXPECT_TRUE(matches("*", yes)) << yes;
  for (const char* no : {"a/b", "..", ".hidden"}) EXPECT_FALSE(matches("*", no)) << no;
  EXPECT_TRUE(matches("[!-]*", "a"));
  for (const char* no : {"-x", "/x", ""}) EXPECT_FALSE(matches("[!-]*", no)) << no;
  for (const char* yes : {"", "/../.x", "-y", "a b"}) EXPECT_TRUE(matches("**", yes)) << yes;
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "a"));
  // "Within a longer pattern it is the same as *."
  EXPECT_TRUE(matches("a**b", "axb"));
  EXPECT_FALSE(matches("a**b", "a/b"));
}

// The package's file, with its remarks taken away or not.
std::string shown(bool uncommented) {
  const std::string text = tests::read_file(kShown);
  if (!uncommented) return text;
  return std::regex_replace(text, std::regex("(^|\n)#(\\[|[a-z_]+ = )"), "$1$2");
}

TEST(RemoteShownSettings, AllowNothing) {
  EXPECT_TRUE(parse_server_config(kShown, shown(false), true).policy.empty());
}

TEST(RemoteShownSettings, AreEveryKeyWithItsDefault) {
  const std::string text = shown(true);
  const auto rule_begins = text.find("\n[allow.web]\n");
  ASSERT_NE(rule_begins, std::string::npos);
  for (const std::string_view key : server_keys()) {
    EXPECT_THAT(text.substr(0, rule_begins), HasSubstr("\n" + std::string(key) + " = "));
  }
  for (const std::string_view key : rule_keys()) {
    EXPECT_THAT(text.substr(rule_begins), HasSubstr("\n" + std::string(key) + " = "));
  }
  const ServerConfig config = parse_server_config(kShown, text, true);
  const ServerConfig defaults = parse_server_config(kShown, "", true);
  EXPECT_EQ(config.port, defaults.port);
  EXPECT_EQ(config.listen, defaults.listen);
  EXPECT_EQ(config.timeout, defaults.timeout);
  EXPECT_EQ(config.handshake_timeout, defaults.handshake_timeout);
  EXPECT_EQ(config.max_sessions, defaults.max_sessions);
  EXPECT_EQ(config.max_connections, defaults.max_connections);
  EXPECT_EQ(config.max_strangers, defaults.max_strangers);
  EXPECT_EQ(config.buffer_bytes, defaults.buffer_bytes);
  EXPECT_EQ(config.stall, defaults.stall);
  EXPECT_EQ(config.certificate, "/etc/genapp/tls/appserver.crt");
  EXPECT_EQ(config.key, "/etc/genapp/tls/appserver.key");
  EXPECT_EQ(config.authorities, "/etc/genapp/tls/ca.crt");
  EXPECT_EQ(config.log.least, defaults.log.least);
  EXPECT_FALSE(config.log_to_stderr);
  ASSERT_EQ(config.policy.size(), 1u);
  const Rule& rule = config.policy[0];
  const Rule plain{};
  EXPECT_EQ(rule.environment, plain.environment);
  EXPECT_EQ(rule.accept_environment, plain.accept_environment);
  EXPECT_EQ(rule.signals, plain.signals);
  EXPECT_EQ(rule.kill_after, plain.kill_after);
  EXPECT_EQ(rule.end_leftovers, plain.end_leftovers);
  EXPECT_EQ(rule.directory, plain.directory);
  EXPECT_EQ(rule.umask, plain.umask);
  EXPECT_TRUE(rule.limits.empty());
}

}  // namespace
}  // namespace genapp::remote
