#include "lbhc/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using common::TomlFile;
using testing::HasSubstr;
using testing::StartsWith;
using tests::error_of;
using tests::ScopedEnv;

constexpr char kInfo[] = "54321 OK";

class ConfigTest : public testing::Test {
 protected:
  // `own`: the resource's keys under [lbhc], from line 4 on; `shared`: genapp.toml's, from line 2.
  Config read(const std::string& own, const std::string& shared = "",
              const std::string& info = kInfo) {
    const TomlFile resource =
        TomlFile::parse("lb.toml", "type = \"lbhc\"\ninfo = \"x\"\n[lbhc]\n" + own);
    const TomlFile settings = TomlFile::parse("genapp.toml", "[lbhc]\n" + shared);
    return read_config(&settings, resource, info);
  }
  std::string error(const std::string& own, const std::string& shared = "",
                    const std::string& info = kInfo) {
    return error_of([&] { read(own, shared, info); });
  }

  ScopedEnv no_timeout_{"HC_TIMEOUT"};
};

TEST_F(ConfigTest, HasTheDocumentedDefaults) {
  const Config config = read_config(nullptr, TomlFile::parse("lb.toml", ""), "54321");
  EXPECT_EQ(config.port, 54321);
  EXPECT_EQ(config.message, "");
  EXPECT_EQ(config.hc_timeout, 30s);
  EXPECT_EQ(config.protocol, Protocol::tcp);
  EXPECT_EQ(config.listen, "any");
  EXPECT_TRUE(config.wait_first_probe);
  EXPECT_EQ(config.already_running, AlreadyRunning::fail);
  EXPECT_EQ(config.on_no_probe, OnNoProbe::fail);
  EXPECT_EQ(config.recover, Recover::restart);
  EXPECT_TRUE(config.allow.allows(mapped({203, 0, 113, 1})));
  EXPECT_EQ(config.others, Others::answer);
  EXPECT_EQ(config.drain, 0s);
  EXPECT_FALSE(config.lb_profile);
  EXPECT_EQ(config.lease, 0s);
  EXPECT_FALSE(config.standby_check);
}

TEST_F(ConfigTest, TakesALeaseOrNone) {
  EXPECT_EQ(read("lease = 7.5\n").lease, 7500ms);
  EXPECT_EQ(read("lease = 0.1\n").lease, 100ms);
  EXPECT_EQ(read("lease = 0\n", "lease = 5\n").lease, 0s);
  EXPECT_TRUE(read("standby_check = true\n").standby_check);
  for (const char* wrong : {"lease = 0.05\n", "lease = -1\n", "lease = 86401\n", "lease = \"x\"\n",
                            "standby_check = 1\n"}) {
    EXPECT_THAT(error(wrong), StartsWith("lb.toml:4: lbhc.")) << wrong;
  }
}

TEST_F(ConfigTest, TakesEveryKey) {
  const Config config = read(
      "hc_timeout = 0.2\nprotocol = \"http\"\nlisten = \"::1\"\nwait_first_probe = false\n"
      "already_running = \"ok\"\non_no_probe = \"warn\"\nrecover = \"none\"\n"
      "allow = [\"10.0.0.0/8\"]\nothers = \"refuse\"\ndrain = 5\nlb_profile = \"gcp\"\n"
      "escapes = true\n",
      "", "1 a\\r\\n");
  EXPECT_EQ(config.hc_timeout, 200ms);
  EXPECT_EQ(config.protocol, Protocol::http);
  EXPECT_EQ(config.listen, "::1");
  EXPECT_FALSE(config.wait_first_probe);
  EXPECT_EQ(config.already_running, AlreadyRunning::ok);
  EXPECT_EQ(config.on_no_probe, OnNoProbe::warn);
  EXPECT_EQ(config.recover, Recover::none);
  EXPECT_TRUE(config.allow.allows(mapped({10, 1, 2, 3})));
  EXPECT_FALSE(config.allow.allows(mapped({11, 1, 2, 3})));
  EXPECT_EQ(config.others, Others::refuse);
  EXPECT_EQ(config.drain, 5s);
  ASSERT_TRUE(config.lb_profile);
  EXPECT_EQ(config.lb_profile->name, "gcp");
  EXPECT_EQ(config.message, "a\r\n");
}

TEST_F(ConfigTest, TakesEveryWord) {
  EXPECT_EQ(read("protocol = \"tcp\"").protocol, Protocol::tcp);
  EXPECT_EQ(read("protocol = \"haproxy-agent\"", "", "1 up").protocol, Protocol::haproxy_agent);
  EXPECT_EQ(read("already_running = \"fail\"").already_running, AlreadyRunning::fail);
  EXPECT_EQ(read("on_no_probe = \"fail\"").on_no_probe, OnNoProbe::fail);
  EXPECT_EQ(read("on_no_probe = \"ignore\"").on_no_probe, OnNoProbe::ignore);
  EXPECT_EQ(read("recover = \"restart\"").recover, Recover::restart);
  EXPECT_EQ(read("others = \"answer\"").others, Others::answer);
  for (const char* listen : {"any", "ipv4", "ipv6", "127.0.0.1", "0.0.0.0", "::", "2001:db8::1"}) {
    EXPECT_EQ(read("listen = \"" + std::string(listen) + "\"").listen, listen);
  }
  EXPECT_FALSE(read("lb_profile = \"\"").lb_profile);
  EXPECT_EQ(protocol_text(Protocol::tcp), "tcp");
  EXPECT_EQ(protocol_text(Protocol::http), "http");
  EXPECT_EQ(protocol_text(Protocol::haproxy_agent), "haproxy-agent");
}

// Every wrong value names file, line and key.
TEST_F(ConfigTest, RefusesWrongValuesWhereTheyStand) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"hc_timeout = 0", "hc_timeout"},
      {"hc_timeout = -1", "hc_timeout"},
      {"hc_timeout = 1e9", "hc_timeout"},
      {"hc_timeout = nan", "hc_timeout"},
      {"hc_timeout = inf", "hc_timeout"},
      {"hc_timeout = \"30\"", "hc_timeout"},
      {"hc_timeout = 9223372036854775807", "hc_timeout"},
      {"protocol = \"udp\"", "protocol"},
      {"protocol = true", "protocol"},
      {"listen = \"eth0\"", "listen"},
      {"listen = \"localhost\"", "listen"},
      {"listen = \"\"", "listen"},
      {"listen = \"127.0.0.1:80\"", "listen"},
      {"wait_first_probe = 1", "wait_first_probe"},
      {"wait_first_probe = \"no\"", "wait_first_probe"},
      {"already_running = \"yes\"", "already_running"},
      {"on_no_probe = \"\"", "on_no_probe"},
      {"recover = \"restart \"", "recover"},
      {"allow = \"azure\"", "allow"},
      {"allow = [\"aws\"]", "allow"},
      {"allow = [\"10.0.0.1/8\"]", "allow"},
      {"others = \"drop\"", "others"},
      {"drain = -1", "drain"},
      {"drain = 3601", "drain"},
      {"lb_profile = \"f5\"", "lb_profile"},
      {"escapes = \"true\"", "escapes"},
  };
  for (const auto& [line, key] : wrong) {
    EXPECT_THAT(error("\n" + line + "\n"), StartsWith("lb.toml:5: lbhc." + key + " ")) << line;
    EXPECT_THAT(error("", line + "\n"), StartsWith("genapp.toml:2: lbhc." + key + " ")) << line;
  }
}

// A string in TOML may hold a zero byte; what follows it must not be overlooked.
TEST_F(ConfigTest, RefusesAZeroByteInListen) {
  EXPECT_THAT(error("listen = \"127.0.0.1\\u0000x\""), StartsWith("lb.toml:4: lbhc.listen "));
}

// It can't be bound by a socket that is IPv6 only; the IPv4 address itself can.
TEST_F(ConfigTest, RefusesAMappedAddressInListen) {
  EXPECT_THAT(error("listen = \"::ffff:127.0.0.1\""), StartsWith("lb.toml:4: lbhc.listen "));
}

TEST_F(ConfigTest, RefusesUnknownKeysInBothFiles) {
  EXPECT_THAT(error("drain = 1\nhctimeout = 5\n"),
              testing::AllOf(StartsWith("lb.toml:5: unknown key \"lbhc.hctimeout\""),
                             HasSubstr("hc_timeout")));
  EXPECT_THAT(error("", "drian = 5\n"), StartsWith("genapp.toml:2: unknown key \"lbhc.drian\""));
}

TEST_F(ConfigTest, TheResourceComesBeforeTheSettings) {
  EXPECT_EQ(read("hc_timeout = 5", "hc_timeout = 7").hc_timeout, 5s);
  EXPECT_EQ(read("", "hc_timeout = 7").hc_timeout, 7s);
  EXPECT_EQ(read("drain = 1", "hc_timeout = 7").hc_timeout, 7s);
  // The resource's own list replaces the node's, an empty one included.
  EXPECT_TRUE(read("allow = []", "allow = [\"10.0.0.1\"]").allow.allows(mapped({11, 0, 0, 1})));
}

TEST_F(ConfigTest, TheEnvironmentComesBeforeBoth) {
  const ScopedEnv set("HC_TIMEOUT", "0.25");
  EXPECT_EQ(read("hc_timeout = 5", "hc_timeout = 7").hc_timeout, 250ms);
}

TEST_F(ConfigTest, RefusesAWrongEnvironment) {
  for (const char* text : {"0", "-1", "1e9", "abc", "", "inf", "nan", "30s", "0.001"}) {
    const ScopedEnv set("HC_TIMEOUT", text);
    EXPECT_THAT(error("hc_timeout = 5"),
                testing::AllOf(StartsWith("environment variable: "), HasSubstr("HC_TIMEOUT")))
        << text;
  }
}

TEST_F(ConfigTest, SaysWhereAWrongInfoStands) {
  EXPECT_THAT(error("", "", ""), StartsWith("lb.toml:2: info "));
  EXPECT_THAT(error("", "", "65536 OK"), StartsWith("lb.toml:2: "));
  EXPECT_THAT(error("escapes = true", "", "80 \\q"), StartsWith("lb.toml:2: reply message"));
  EXPECT_THAT(error("protocol = \"haproxy-agent\"", "", "80 OK"),
              testing::AllOf(StartsWith("lb.toml:2: "), HasSubstr("\"OK\"")));
}

// A cluster that keeps info elsewhere gives no file: then there is no place to name.
TEST_F(ConfigTest, NamesNoPlaceWhereThereIsNoFile) {
  EXPECT_THAT(error_of([] { read_config(nullptr, TomlFile(), "abc"); }), StartsWith("info "));
}

// escapes from the node's settings, message from the resource: order must not matter.
TEST_F(ConfigTest, DecodesEscapesBeforeTheMessageIsChecked) {
  EXPECT_EQ(read("", "escapes = true", "1 a\\tb").message, "a\tb");
  EXPECT_EQ(read("escapes = false", "escapes = true", "1 a\\tb").message, "a\\tb");
  EXPECT_EQ(read("escapes = true\nprotocol = \"haproxy-agent\"", "", "1 up\\x20ready").message,
            "up ready");
  EXPECT_THAT(error("escapes = true\nprotocol = \"haproxy-agent\"", "", "1 up\\n"),
              HasSubstr("one line"));
}

TEST(AgentMessage, MayBeAnyOfHaproxysWords) {
  for (const char* text :
       {"", "up", "up ready", "75%", "0%", "100%", "maxconn:30", "down", "fail", "stopped", "maint",
        "drain", "up,ready,50%", "up\tready", "  up  ", "down #all is lost, and more words",
        "#remark", "up 75% maxconn:5 ready"}) {
    EXPECT_EQ(error_of([&] { check_agent_message(text); }), "") << text;
  }
}

TEST(AgentMessage, RefusesWhatHaproxyWouldIgnore) {
  for (const char* text : {"OK", "%", "7 5%", "-5%", "75", "maxconn:", "maxconn:x", "up;ready",
                           "upready", "7.5%", "ready drian"}) {
    EXPECT_THAT(error_of([&] { check_agent_message(text); }), HasSubstr("does not know the word"))
        << text;
  }
  for (const char* text : {"up\n", "up\r", "up\nready", "up #x\ny"}) {
    EXPECT_THAT(error_of([&] { check_agent_message(text); }), HasSubstr("one line")) << text;
  }
}

}  // namespace
}  // namespace genapp::lbhc
