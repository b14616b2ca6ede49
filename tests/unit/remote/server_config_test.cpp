#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/error.hpp"
#include "remote/appserver/config.hpp"

namespace genapp::remote {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kPath[] = "/etc/genapp/appserver.toml";
constexpr char kRule[] =
    "[allow.web]\ncertificate = [\"host1\"]\ncommand = [\"/a\"]\nuser = \"www\"\n";

ServerConfig parse(const std::string& text, bool as_root = true) {
  return parse_server_config(kPath, text, as_root);
}

std::string problem(const std::string& text, bool as_root = true) {
  try {
    parse(text, as_root);
  } catch (const common::Error& error) {
    return error.what();
  }
  return "none";
}

TEST(RemoteServerConfig, HasDefaults) {
  const ServerConfig config = parse("");
  EXPECT_EQ(config.port, 5315);
  EXPECT_EQ(config.listen, "any");
  EXPECT_EQ(config.timeout, std::chrono::seconds(30));
  EXPECT_EQ(config.handshake_timeout, std::chrono::seconds(10));
  EXPECT_EQ(config.max_sessions, 1000u);
  EXPECT_EQ(config.buffer_bytes, 128u * 1024);
  EXPECT_THAT(config.certificate, testing::EndsWith("/tls/appserver.crt"));
  EXPECT_TRUE(config.log_to_stderr);
  EXPECT_TRUE(config.policy.empty());
}

TEST(RemoteServerConfig, ReadsItsKeys) {
  const ServerConfig config = parse(
      "port = 6000\nlisten = \"127.0.0.1\"\ntimeout = 5\nhandshake_timeout = 2\nmax_sessions = 7\n"
      "max_connections = 8\nmax_strangers = 9\nbuffer_kib = 64\nstall = 0\n"
      "certificate = \"/c\"\nkey = \"/k\"\nauthorities = \"/a\"\nlog_file = \"/l\"\n"
      "log_level = \"debug\"\n");
  EXPECT_EQ(config.port, 6000);
  EXPECT_EQ(config.listen, "127.0.0.1");
  EXPECT_EQ(config.timeout, std::chrono::seconds(5));
  EXPECT_EQ(config.handshake_timeout, std::chrono::seconds(2));
  EXPECT_EQ(config.max_sessions, 7u);
  EXPECT_EQ(config.max_connections, 8u);
  EXPECT_EQ(config.max_strangers, 9u);
  EXPECT_EQ(config.buffer_bytes, 64u * 1024);
  EXPECT_EQ(config.stall, std::chrono::seconds(0));
  EXPECT_EQ(config.certificate, "/c");
  EXPECT_EQ(config.key, "/k");
  EXPECT_EQ(config.authorities, "/a");
  EXPECT_FALSE(config.log_to_stderr);
  EXPECT_EQ(config.log.file, "/l");
  EXPECT_EQ(config.log.least, common::log::Level::debug);
}

TEST(RemoteServerConfig, ReadsRulesInTheirOrder) {
  const ServerConfig config = parse(
      "[allow.z]\ncertificate = [\"host1\", \"host2\"]\ncommand = [\"/a\", \"*\", \"...\"]\n"
      "user = \"root\"\nenvironment = [\"A=b=c\"]\naccept_environment = [\"X\"]\n"
      "signals = [\"HUP\"]\nmax_sessions = 2\nkill_after = 3\nleftovers = \"leave\"\n"
      "directory = \"/srv\"\numask = \"077\"\nlimits = [\"nofile=100\"]\n" +
      std::string(kRule));
  ASSERT_EQ(config.policy.size(), 2u);
  const Rule& rule = config.policy[0];
  EXPECT_EQ(rule.name, "z");
  EXPECT_THAT(rule.certificates, ElementsAre("host1", "host2"));
  EXPECT_THAT(rule.command, ElementsAre("/a", "*", "..."));
  EXPECT_EQ(rule.user, "root");
  EXPECT_THAT(rule.environment, ElementsAre("A=b=c"));
  EXPECT_THAT(rule.accept_environment, ElementsAre("X"));
  EXPECT_THAT(rule.signals, ElementsAre("HUP"));
  EXPECT_EQ(rule.max_sessions, 2u);
  EXPECT_EQ(rule.kill_after, std::chrono::seconds(3));
  EXPECT_FALSE(rule.end_leftovers);
  EXPECT_EQ(rule.directory, "/srv");
  EXPECT_EQ(rule.umask, 077u);
  ASSERT_EQ(rule.limits.size(), 1u);
  EXPECT_EQ(rule.limits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(config.policy[1].name, "web");
  EXPECT_TRUE(config.policy[1].end_leftovers);
}

TEST(RemoteServerConfig, AUserMustBeNamedByRoot) {
  const std::string rule = "[allow.web]\ncertificate = [\"h\"]\ncommand = [\"/a\"]\n";
  EXPECT_THAT(problem(rule), HasSubstr(":1: [allow.web] has no user"));
  EXPECT_EQ(parse(rule, false).policy.size(), 1u);
}

TEST(RemoteServerConfig, WhatIsWrongIsToldWithItsLine) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"prot = 1\n", ":1: "},
      {"port = 0\n", "port must be a whole number from 1 to 65535"},
      {"port = 65536\n", "port must be a whole number"},
      {"port = 1.5\n", "port must be a whole number"},
      {"port = \"x\"\n", ":1: port"},
      {"listen = \"nowhere\"\n", "must be any, ipv4, ipv6 or a numeric address"},
      {"timeout = 0\n", "timeout must be a whole number from 1 to 3600"},
      {"buffer_kib = 3\n", "buffer_kib must be a whole number from 4"},
      {"certificate = \"c\"\n", ":1: certificate"},
      {"log_level = \"loud\"\n", ":1: log_level"},
      {"[alow.web]\n", ":1: "},
      {"[allow.web]\ncommand = [\"/a\"]\nuser = \"w\"\n", ":1: [allow.web] has no certificate"},
      {"[allow.web]\ncertificate = []\ncommand = [\"/a\"]\nuser = \"w\"\n", "has no certificate"},
      {"[allow.web]\ncertificate = [\"\"]\n", "has an empty name"},
      {"[allow.web]\ncertificate = \"host1\"\n", ":2: allow.web.certificate"},
      {"[allow.web]\ncertificate = [\"h\"]\nuser = \"w\"\n", "has no command"},
      {"[allow.web]\ncertificate = [\"h\"]\ncommand = []\n", "is empty"},
      {"[allow.web]\ncertificate = [\"h\"]\ncommand = [\"a\"]\n", ":3: allow.web.command"},
      {"[allow.web]\ncertificate = [\"h\"]\ncommand = [\"/a*\"]\n", "begins with a pattern"},
      {"[allow.web]\ncertificate = [\"h\"]\ncommand = [\"/a\", \"...\", \"x\"]\n",
       "\"...\" before its end"},
      {std::string(kRule) + "users = 1\n", ":5: "},
      {std::string(kRule) + "environment = [\"A\"]\n", "must be NAME=VALUE"},
      {std::string(kRule) + "environment = [\"=A\"]\n", "must be NAME=VALUE"},
      {std::string(kRule) + "accept_environment = [\"LD_PRELOAD\"]\n",
       "nobody from outside may set"},
      {std::string(kRule) + "accept_environment = [\"PATH\"]\n", "nobody from outside may set"},
      {std::string(kRule) + "signals = [\"hup\"]\n", "no signal"},
      {std::string(kRule) + "max_sessions = 0\n", "must be a whole number from 1"},
      {std::string(kRule) + "leftovers = \"kill\"\n", ":5: allow.web.leftovers"},
      {std::string(kRule) + "directory = \"srv\"\n", ":5: allow.web.directory"},
      {std::string(kRule) + "umask = \"8\"\n", "must be octal"},
      {std::string(kRule) + "limits = [\"x=1\"]\n", "must be NAME=NUMBER"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string what = problem(text);
    EXPECT_THAT(what, StartsWith(kPath)) << text;
    EXPECT_THAT(what, HasSubstr(expected)) << text;
  }
}

}  // namespace
}  // namespace genapp::remote
