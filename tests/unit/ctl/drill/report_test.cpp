#include "ctl/drill/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "lbhc/health.hpp"

namespace genapp::ctl::drill {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::HasSubstr;

Trial passed(Fault fault) {
  Trial run{.fault = fault};
  run.seen = 50ms;
  if (row_of(fault).first_recover == FirstRecover::is_refused) run.refused = 100ms;
  run.recovered = 1234ms;
  run.unanswered = 1200ms;
  return run;
}

Trial not_run(Fault fault) { return Trial{.fault = fault, .not_run = "too large"}; }

Report report_of(std::vector<Trial> runs) {
  return {.tag = "lb", .id = "app1", .port = 54321, .hc_timeout = 30s, .runs = std::move(runs)};
}

TEST(DrillFaults, AreInTheTableOnceEach) {
  for (const Row& row : kFaults) {
    EXPECT_EQ(row_of(row.fault).name, row.name);
    EXPECT_EQ(parse_fault(row.name), row.fault);
  }
  EXPECT_EQ(kFaults.size(), 5u);
  EXPECT_FALSE(parse_fault("no_probe"));
}

// The words that a drill expects are those that quickCheck uses.
TEST(DrillFaults, AreToldByTheWordsOfQuickCheck) {
  lbhc::Observation seen;
  seen.state = common::State::in_service_protected;
  const std::string dead = lbhc::judge(seen).reason;
  seen.alive = true;
  seen.why_silent = "did not answer";
  const std::string hung = lbhc::judge(seen).reason;
  seen.answered = seen.flag_file = true;
  const std::string no_probe = lbhc::judge(seen).reason;
  for (const Row& row : kFaults) {
    const bool by_flag = row.fault == Fault::no_probe || row.fault == Fault::disk_full;
    const bool by_silence = row.fault == Fault::hung;
    EXPECT_EQ(row.by_flag, by_flag) << row.name;
    EXPECT_EQ(tells_of(row, no_probe), by_flag) << row.name;
    EXPECT_EQ(tells_of(row, hung), by_silence) << row.name;
    EXPECT_EQ(tells_of(row, dead), !by_flag && !by_silence) << row.name;
  }
}

TEST(DrillFaults, ARefusalIsOneForTheReasonOfTheFault) {
  const std::string port = "port 1 (any address) is in use by another program: see which";
  const std::string room = "writing pid file /run/x: No space left on device";
  for (const Row& row : kFaults) {
    EXPECT_EQ(is_refusal(row, port), row.fault == Fault::port_taken) << row.name;
    EXPECT_EQ(is_refusal(row, room), row.fault == Fault::disk_full) << row.name;
    EXPECT_FALSE(is_refusal(row, "no probe on port 1 within 30 s")) << row.name;
  }
}

TEST(DrillResult, NeedsBothToBeSeenAndToBeRecovered) {
  for (const Row& row : kFaults) {
    EXPECT_EQ(result_of(passed(row.fault)), Result::passed) << row.name;
    Trial run = passed(row.fault);
    run.seen.reset();
    EXPECT_EQ(result_of(run), Result::failed) << row.name;
    run = passed(row.fault);
    run.recovered.reset();
    EXPECT_EQ(result_of(run), Result::failed) << row.name;
    run = passed(row.fault);
    run.refused.reset();
    EXPECT_EQ(result_of(run), row.fault == Fault::port_taken ? Result::failed : Result::passed)
        << row.name;
    run = passed(row.fault);
    run.problem = "interrupted by INT";
    EXPECT_EQ(result_of(run), Result::failed) << row.name;
    run = passed(row.fault);
    run.put_back = false;
    EXPECT_EQ(result_of(run), Result::failed) << row.name;
  }
  EXPECT_EQ(result_of(Trial()), Result::failed);
  EXPECT_EQ(result_of(not_run(Fault::disk_full)), Result::not_run);
}

TEST(DrillReport, IsWellWhenOnePassedAndNoneFailed) {
  EXPECT_TRUE(all_well(report_of({passed(Fault::hung)})));
  EXPECT_TRUE(all_well(report_of({passed(Fault::hung), not_run(Fault::disk_full)})));
  EXPECT_FALSE(all_well(report_of({not_run(Fault::disk_full)})));
  EXPECT_FALSE(all_well(report_of({passed(Fault::hung), Trial()})));
  EXPECT_FALSE(all_well(report_of({})));
}

TEST(DrillReason, IsThatOfTheErrorLine) {
  EXPECT_EQ(
      reason_in("lb",
                "2026-11-24T11:17:48.742Z quickCheck[9438] info: BEGIN quickCheck of \"lb\"\n"
                "2026-11-24T11:17:48.742Z quickCheck[9438] error: \"lb\": it is gone\n"
                "2026-11-24T11:17:48.742Z quickCheck[9438] info: END unsuccessful of \"lb\"\n"),
      "it is gone");
  EXPECT_EQ(reason_in("lb", "quickCheck: error: no result within 4.5 s\n"),
            "quickCheck: error: no result within 4.5 s");
  EXPECT_EQ(reason_in("lb", "one\n\ntwo"), "two");
  EXPECT_EQ(reason_in("lb", ""), "");
}

TEST(DrillText, LinesTheTimelineUp) {
  EXPECT_EQ(event_line({Event::Kind::made, 0ms, "the daemon is killed"}),
            "  0.000 s  fault made: the daemon is killed\n");
  EXPECT_EQ(event_line({Event::Kind::seen, 3048ms, "quickCheck 1: x\ny"}),
            "  3.048 s  seen: quickCheck 1: x\\ny\n");
  EXPECT_EQ(event_line({Event::Kind::recovered, 30'150ms, ""}), " 30.150 s  recovered: \n");
  EXPECT_EQ(event_line({Event::Kind::failed, 123'456ms, "no"}), "123.456 s  FAILED: no\n");
}

TEST(DrillText, EndsAFaultWithItsResult) {
  EXPECT_EQ(result_lines(passed(Fault::killed)), "  passed; unanswered for 1.200 s at most\n");
  Trial run = passed(Fault::killed);
  run.probes = ProbeCount{20, 3};
  EXPECT_THAT(result_lines(run), HasSubstr("the drill's own probes lost: 3 of 20\n"));
  EXPECT_EQ(result_lines(not_run(Fault::disk_full)), "  not run: too large\n");
  run = Trial{.fault = Fault::hung, .problem = "not seen"};
  EXPECT_EQ(result_lines(run), "  failed: not seen; everything is put back\n");
  run.put_back = false;
  EXPECT_EQ(result_lines(run), "  failed: not seen; NOT PUT BACK\n");
}

TEST(DrillText, SumsUp) {
  EXPECT_EQ(
      summary_table(report_of({passed(Fault::killed), not_run(Fault::disk_full)})),
      "FAULT      RESULT   SEEN AFTER  RECOVERED AFTER  UNANSWERED  OWN PROBES LOST  REMARK\n"
      "killed     passed   0.050 s     1.234 s          1.200 s     -                -\n"
      "disk-full  not run  -           -                -           -                too large\n");
}

TEST(DrillJson, HasItsDocumentedKeys) {
  Trial run = passed(Fault::port_taken);
  run.events.push_back({Event::Kind::made, 2ms, "killed \"it\"\n"});
  run.probes = ProbeCount{20, 3};
  const std::string text = report_json(report_of({run, not_run(Fault::disk_full)}));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_EQ(
      json::parse(text),
      json::parse(
          R"({"version":1,"tag":"lb","id":"app1","port":54321,"hc_timeout_ms":30000,"ok":true,)"
          R"("faults":[{"fault":"port-taken","result":"passed","seen_ms":50,"refused_ms":100,)"
          R"("recovered_ms":1234,"unanswered_ms":1200,"probes":{"sent":20,"lost":3},)"
          R"("not_run":null,"problem":null,"put_back":true,)"
          R"("events":[{"at_ms":2,"event":"made","text":"killed \"it\"\\n"}]},)"
          R"({"fault":"disk-full","result":"not run","seen_ms":null,"refused_ms":null,)"
          R"("recovered_ms":null,"unanswered_ms":null,"probes":null,"not_run":"too large",)"
          R"("problem":null,"put_back":true,"events":[]}]})"));
}

}  // namespace
}  // namespace genapp::ctl::drill
