#include "ctl/status_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

namespace genapp::ctl {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

Observed out_of_service() {
  Observed seen;
  seen.tag = "lb";
  seen.id = "app1";
  seen.type = "lbhc";
  seen.info = "54321 OK";
  seen.port = 54321;
  seen.state = common::State::out_unimpaired;
  return seen;
}

Observed serving() {
  Observed seen = out_of_service();
  seen.state = common::State::in_service_protected;
  seen.alive = true;
  seen.pid = 123;
  lbhc::Status daemon;
  daemon.tag = "lb";
  daemon.id = "app1";
  daemon.pid = 123;
  daemon.phase = lbhc::Phase::serving;
  daemon.port = 54321;
  daemon.protocol = "tcp";
  daemon.probes = 13;
  daemon.answered = 12;
  daemon.last_probe = lbhc::LastProbe{2150, "2026-11-22T08:15:02.123Z", "127.0.0.1"};
  seen.daemon = daemon;
  return seen;
}

Observed script_in_service() {
  Observed seen;
  seen.tag = "web";
  seen.id = "app2";
  seen.type = "script";
  seen.info = "/data";
  seen.state = common::State::in_service_protected;
  return seen;
}

// The second line of the table.
std::string row_of(const Observed& seen) {
  const std::string table = status_table({seen});
  const auto begin = table.find('\n') + 1;
  return table.substr(begin, table.size() - begin - 1);
}

json::object json_of(const Observed& seen) {
  return json::parse(status_json({seen})).at("resources").at(0).as_object();
}

// It has no daemon, so nothing of one is missing.
TEST(StatusTable, AScriptHasAStateAndAtTimesARunner) {
  EXPECT_EQ(row_of(script_in_service()),
            "web  app2  script  ISP    -    -     -           -       -");
  Observed busy = script_in_service();
  busy.alive = true;
  busy.pid = 321;
  busy.at_work = "recover";
  EXPECT_THAT(row_of(busy), testing::ContainsRegex(
                                "^web  app2  script  ISP    321 \\(recover\\)  -  *-  *-  *-$"));
}

Observed remote_in_service() {
  Observed seen = script_in_service();
  seen.type = "remote";
  seen.node = "guest1:5316";
  return seen;
}

TEST(StatusTable, ARemoteTellsWhereItsCommandRuns) {
  EXPECT_EQ(row_of(remote_in_service()),
            "web  app2  remote  ISP    -    -     -           -       -");
  Observed running = remote_in_service();
  running.alive = true;
  running.guest_pid = 4711;
  EXPECT_THAT(
      row_of(running),
      testing::ContainsRegex("^web  app2  remote  ISP    4711 on guest1:5316  -  *-  *-  *-$"));
  running.guest_pid.reset();
  EXPECT_THAT(row_of(running), HasSubstr("  ? on guest1:5316  "));
  // An action at work is on this node.
  running.pid = 321;
  running.at_work = "restore";
  EXPECT_THAT(row_of(running), HasSubstr("  321 (restore)  "));
}

TEST(StatusJson, ARemoteTellsWhereItsCommandRuns) {
  Observed running = remote_in_service();
  running.alive = true;
  running.guest_pid = 4711;
  const json::object one = json_of(running);
  EXPECT_EQ(one.at("node"), "guest1:5316");
  EXPECT_EQ(one.at("guest_pid"), 4711);
  EXPECT_TRUE(one.at("pid").is_null());
  EXPECT_TRUE(one.at("daemon").is_null());
  const json::object lbhc = json_of(serving());
  EXPECT_TRUE(lbhc.at("node").is_null());
  EXPECT_TRUE(lbhc.at("guest_pid").is_null());
}

TEST(StatusJson, AScriptHasAStateAndAtTimesARunner) {
  const json::object idle = json_of(script_in_service());
  EXPECT_EQ(idle.at("type"), "script");
  EXPECT_EQ(idle.at("state"), "ISP");
  EXPECT_EQ(idle.at("alive"), false);
  EXPECT_TRUE(idle.at("action").is_null());
  EXPECT_TRUE(idle.at("port").is_null());
  EXPECT_TRUE(idle.at("daemon").is_null());
  EXPECT_TRUE(idle.at("error").is_null());
  Observed busy = script_in_service();
  busy.alive = true;
  busy.pid = 321;
  busy.at_work = "quickCheck";
  EXPECT_EQ(json_of(busy).at("action"), "quickCheck");
  EXPECT_EQ(json_of(busy).at("pid"), 321);
}

TEST(StatusTable, ShowsEveryColumn) {
  EXPECT_EQ(status_table({serving()}),
            "TAG  ID    TYPE  STATE  PID  PORT   LAST PROBE                PROBES  FLAG\n"
            "lb   app1  lbhc  ISP    123  54321  2.1 s ago from 127.0.0.1  12      -\n");
}

TEST(StatusTable, ShowsDashesForWhatDoesNotApply) {
  EXPECT_EQ(row_of(out_of_service()), "lb   app1  lbhc  OSU    -    54321  -           -       -");
}

TEST(StatusTable, SaysThatNoProbeCameYet) {
  Observed seen = serving();
  seen.daemon->last_probe.reset();
  seen.daemon->answered = 0;
  seen.daemon->phase = lbhc::Phase::starting;
  EXPECT_THAT(row_of(seen), HasSubstr("123 (starting)  54321  never       0       -"));
}

TEST(StatusTable, NamesAHungDaemon) {
  Observed seen = serving();
  seen.daemon.reset();
  EXPECT_THAT(row_of(seen), HasSubstr("ISP    123 (hung)  54321  ?           ?       -"));
}

TEST(StatusTable, NamesADrainingDaemon) {
  Observed seen = serving();
  seen.daemon->phase = lbhc::Phase::draining;
  EXPECT_THAT(row_of(seen), HasSubstr("123 (draining)"));
}

TEST(StatusTable, ShowsTheDaemonsPortRatherThanTheEditedOne) {
  Observed seen = serving();
  seen.daemon->port = 1234;
  EXPECT_THAT(row_of(seen), HasSubstr("123  1234  "));
}

TEST(StatusTable, ShowsTheFlagAndItsCause) {
  Observed seen = out_of_service();
  seen.flag = true;
  EXPECT_TRUE(row_of(seen).ends_with("  up")) << row_of(seen);
  seen.cause = "never probed";
  EXPECT_TRUE(row_of(seen).ends_with("  up: never probed")) << row_of(seen);
}

TEST(StatusTable, ShowsACauseWhoseFlagFileIsMissing) {
  Observed seen = serving();
  seen.cause = "never probed";
  EXPECT_TRUE(row_of(seen).ends_with("  file missing: never probed")) << row_of(seen);
}

TEST(StatusTable, ShowsAnUnreadableResourceByItsTagAlone) {
  Observed seen;
  seen.tag = "bad";
  seen.error = "bad.toml:1: no";
  EXPECT_EQ(row_of(seen), "bad  ?   ?     ?      ?    ?     ?           ?       ?");
}

TEST(StatusTable, EscapesWhatCameFromOutside) {
  Observed seen = serving();
  seen.cause = "\033[31m\n";
  seen.flag = true;
  seen.daemon->last_probe->source = "x\ny";
  const std::string table = status_table({seen});
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2);
  EXPECT_EQ(table.find('\033'), std::string::npos);
}

TEST(StatusTable, OfNoResourcesSaysHowToMakeOne) {
  EXPECT_THAT(status_table({}), HasSubstr("genapp create"));
}

TEST(StatusJson, IsOneLineWithAVersion) {
  const std::string line = status_json({serving(), out_of_service()});
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_TRUE(line.ends_with("}\n"));
  const json::value value = json::parse(line);
  EXPECT_EQ(value.at("version"), 1);
  EXPECT_EQ(value.at("resources").as_array().size(), 2u);
}

TEST(StatusJson, HasTheDocumentedKeysInTheirOrder) {
  std::vector<std::string> keys;
  for (const auto& entry : json_of(serving())) keys.emplace_back(std::string_view(entry.key()));
  EXPECT_THAT(keys, testing::ElementsAre("tag", "id", "type", "info", "state", "alive", "pid",
                                         "action", "node", "guest_pid", "port", "flag", "cause",
                                         "daemon", "error", "agent"));
}

TEST(StatusJson, OfAServingResource) {
  const json::object object = json_of(serving());
  EXPECT_EQ(object.at("tag"), "lb");
  EXPECT_EQ(object.at("id"), "app1");
  EXPECT_EQ(object.at("type"), "lbhc");
  EXPECT_EQ(object.at("info"), "54321 OK");
  EXPECT_EQ(object.at("state"), "ISP");
  EXPECT_EQ(object.at("alive"), true);
  EXPECT_EQ(object.at("pid"), 123);
  EXPECT_EQ(object.at("port"), 54321);
  EXPECT_EQ(object.at("flag"), false);
  EXPECT_TRUE(object.at("cause").is_null());
  EXPECT_EQ(object.at("daemon").at("answered"), 12);
  EXPECT_EQ(object.at("daemon").at("last_probe").at("source"), "127.0.0.1");
  EXPECT_TRUE(object.at("error").is_null());
}

TEST(StatusJson, HasNullsForWhatIsNotThere) {
  const json::object object = json_of(out_of_service());
  EXPECT_TRUE(object.at("pid").is_null());
  EXPECT_TRUE(object.at("daemon").is_null());
  EXPECT_EQ(object.at("alive"), false);
}

TEST(StatusJson, HasTheErrorOfAnUnreadableResource) {
  Observed seen;
  seen.tag = "bad";
  seen.error = "no \xff";
  const json::object object = json_of(seen);
  EXPECT_EQ(object.at("error"), "no \\xff");
  for (const char* key : {"id", "type", "info", "state", "port"}) {
    EXPECT_TRUE(object.at(key).is_null()) << key;
  }
}

TEST(StatusProblems, AreOneLineEach) {
  Observed bad;
  bad.tag = "bad";
  bad.error = "line one\nline two";
  EXPECT_EQ(status_problems({serving(), bad}), "genapp: error: \"bad\": line one\\nline two\n");
  EXPECT_EQ(status_problems({serving()}), "");
}

TEST(AgeText, GrowsCoarserWithAge) {
  constexpr std::int64_t kSecond = 1000;
  constexpr std::int64_t kMinute = 60 * kSecond;
  constexpr std::int64_t kHour = 60 * kMinute;
  EXPECT_EQ(age_text(-5), "0.0 s");
  EXPECT_EQ(age_text(99), "0.0 s");
  EXPECT_EQ(age_text(2199), "2.1 s");
  EXPECT_EQ(age_text(kMinute - 1), "59.9 s");
  EXPECT_EQ(age_text(kMinute), "1 min 0 s");
  EXPECT_EQ(age_text(kHour - 1), "59 min 59 s");
  EXPECT_EQ(age_text(5 * kHour + 2 * kMinute), "5 h 2 min");
  EXPECT_EQ(age_text(24 * kHour - 1), "23 h 59 min");
  EXPECT_EQ(age_text(103 * kHour), "4 d 7 h");
}

}  // namespace
}  // namespace genapp::ctl
