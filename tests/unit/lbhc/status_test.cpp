#include "lbhc/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

Status full() {
  Status status;
  status.tag = "lb";
  status.id = "app1";
  status.pid = 4711;
  status.phase = Phase::serving;
  status.foreground = true;
  status.port = 54321;
  status.protocol = "http";
  status.hc_timeout_ms = 30'000;
  status.uptime_ms = 1'234'567;
  status.probes = UINT64_MAX;
  status.answered = 11;
  status.undelivered = 2;
  status.others = 3;
  status.connections = 4;
  status.last_probe = LastProbe{250, "2026-11-22T08:15:02.123Z", "168.63.129.16"};
  status.no_probe = "stopped after 11 probes at 2026-11-22T08:15:02.123Z";
  return status;
}

TEST(Status, IsReadBackAsWritten) {
  Status status = full();
  for (const Phase phase : {Phase::starting, Phase::serving, Phase::draining}) {
    status.phase = phase;
    const std::string line = format_status(status);
    EXPECT_TRUE(parse_status(line) == status) << line;
  }
}

TEST(Status, IsReadBackWithoutProbes) {
  Status status = full();
  status.last_probe.reset();
  status.no_probe.reset();
  const auto back = parse_status(format_status(status));
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->last_probe);
  EXPECT_FALSE(back->no_probe);
}

TEST(Status, IsOneLineOfDocumentedJson) {
  const std::string line = format_status(full());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const json::object object = json::parse(line).as_object();
  std::vector<std::string> keys;
  for (const auto& item : object) keys.emplace_back(item.key());
  EXPECT_THAT(keys, testing::UnorderedElementsAre(
                        "tag", "id", "pid", "phase", "foreground", "port", "protocol",
                        "hc_timeout_ms", "uptime_ms", "probes", "answered", "undelivered", "others",
                        "connections", "last_probe", "lease_ms", "no_probe"));
  EXPECT_EQ(object.at("phase"), "serving");
}

TEST(Status, IsNotReadFromGarbage) {
  for (const char* text : {"", "\n", "error: the requests are: status, drain SECONDS\n", "{}", "[]",
                           "null", "1", "\"x\"", "{", "{\"tag\":", "\xff\xfe", "{}{}"}) {
    EXPECT_FALSE(parse_status(text)) << text;
  }
  const std::string line = format_status(full());
  EXPECT_FALSE(parse_status(line + line));
  for (std::size_t cut = 0; cut + 2 < line.size(); ++cut) {
    EXPECT_FALSE(parse_status(line.substr(0, cut))) << cut;
  }
  EXPECT_FALSE(parse_status(std::string(100'000, '[')));
}

// What no daemon can have is nothing to decide by.
TEST(Status, IsNotReadWithImpossibleNumbers) {
  const std::string line = format_status(full());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"pid\":4711", "\"pid\":0"},
           {"\"pid\":4711", "\"pid\":-1"},
           {"\"pid\":4711", "\"pid\":4294972007"},
           {"\"port\":54321", "\"port\":0"},
           {"\"port\":54321", "\"port\":119857"},
           {"\"hc_timeout_ms\":30000", "\"hc_timeout_ms\":-1"},
           {"\"uptime_ms\":1234567", "\"uptime_ms\":-1"},
           {"\"age_ms\":250", "\"age_ms\":-1"},
           {"\"answered\":11", "\"answered\":-1"}}) {
    const auto at = line.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    EXPECT_FALSE(parse_status(std::string(line).replace(at, from.size(), to))) << to;
  }
}

json::object as_object(const Status& status) {
  return json::parse(format_status(status)).as_object();
}

TEST(Status, NeedsEveryKey) {
  for (const auto& item : as_object(full())) {
    json::object without = as_object(full());
    without.erase(item.key());
    // It came later: a daemon that was started before an upgrade must not look hung.
    EXPECT_EQ(parse_status(json::serialize(without)).has_value(), item.key() == "lease_ms")
        << item.key();
  }
}

TEST(Status, KeepsTheLease) {
  Status status = full();
  EXPECT_FALSE(parse_status(format_status(status))->lease_ms);
  status.lease_ms = 1500;
  EXPECT_EQ(parse_status(format_status(status))->lease_ms, 1500);
}

TEST(Status, NeedsTheRightTypes) {
  for (const auto& item : as_object(full())) {
    for (const json::value& wrong :
         {json::value(true), json::value(json::array()), json::value(-1.5)}) {
      if (wrong.is_bool() && item.value().is_bool()) continue;
      json::object changed = as_object(full());
      changed[item.key()] = wrong;
      EXPECT_FALSE(parse_status(json::serialize(changed))) << item.key() << ' ' << wrong;
    }
  }
  const std::vector<std::pair<const char*, json::value>> wrong{
      {"port", 65536},  {"port", -1}, {"probes", -1},      {"phase", "dead"}, {"pid", 1.5},
      {"tag", nullptr}, {"pid", "1"}, {"last_probe", "x"}, {"pid", 1e300},
  };
  for (const auto& [key, value] : wrong) {
    json::object changed = as_object(full());
    changed[key] = value;
    EXPECT_FALSE(parse_status(json::serialize(changed))) << key << ' ' << value;
  }
}

// A newer daemon may tell more.
TEST(Status, ToleratesFurtherKeys) {
  json::object more = as_object(full());
  more["new"] = json::object{{"x", 1}};
  EXPECT_TRUE(parse_status(json::serialize(more)));
}

TEST(NoProbeCause, TellsNeverFromStopped) {
  const LastProbe last{1, "2026-11-22T08:15:02.123Z", "::1"};
  EXPECT_EQ(no_probe_cause(0, std::nullopt), "never probed");
  EXPECT_EQ(no_probe_cause(1, last), "stopped after 1 probe at 2026-11-22T08:15:02.123Z");
  EXPECT_EQ(no_probe_cause(12, last), "stopped after 12 probes at 2026-11-22T08:15:02.123Z");
}

TEST(Flag, IsOneLineOfJsonWithItsCause) {
  Status status = full();
  status.probes = 11;
  const std::string line = format_flag(status, common::WallClock::time_point{1795335400s});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const json::object flag = json::parse(line).as_object();
  EXPECT_EQ(flag.at("cause"), "stopped after 11 probes at 2026-11-22T08:15:02.123Z");
  EXPECT_EQ(flag.at("raised"), "2026-11-22T08:16:40.000Z");
  EXPECT_EQ(flag.at("hc_timeout_ms").to_number<int>(), 30'000);
  EXPECT_EQ(flag.at("port").to_number<int>(), 54321);
  EXPECT_EQ(flag.at("last_probe").at("source"), "168.63.129.16");
}

TEST(Phase, HasAWord) {
  EXPECT_EQ(phase_text(Phase::starting), "starting");
  EXPECT_EQ(phase_text(Phase::serving), "serving");
  EXPECT_EQ(phase_text(Phase::draining), "draining");
}

}  // namespace
}  // namespace genapp::lbhc
