#include "ctl/drill/report.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "common/clock.hpp"
#include "common/printable.hpp"
#include "ctl/table.hpp"

namespace genapp::ctl::drill {
namespace {

namespace json = boost::json;

constexpr std::size_t kTimeWidth = 9;

struct KindRow {
  Event::Kind kind;
  std::string_view key;   // in JSON
  std::string_view word;  // in the timeline
};
constexpr std::array kKinds{
    KindRow{Event::Kind::made, "made", "fault made: "},
    KindRow{Event::Kind::waiting, "waiting", "waiting: "},
    KindRow{Event::Kind::seen, "seen", "seen: "},
    KindRow{Event::Kind::refused, "refused", "refused, as expected: "},
    KindRow{Event::Kind::ended, "ended", "fault ended: "},
    KindRow{Event::Kind::recovered, "recovered", "recovered: "},
    KindRow{Event::Kind::failed, "failed", "FAILED: "},
};

const KindRow& row_of(Event::Kind kind) {
  for (const KindRow& row : kKinds) {
    if (row.kind == kind) return row;
  }
  return kKinds[0];
}

// Three decimals, so that a column of them lines up.
std::string seconds(Milliseconds length) {
  const bool negative = length.count() < 0;
  const std::string digits = std::to_string(negative ? -length.count() : length.count());
  const std::string padded = std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
  return (negative ? "-" : "") + padded.substr(0, padded.size() - 3) + "." +
         padded.substr(padded.size() - 3) + " s";
}

std::string time_cell(const std::optional<Milliseconds>& time) {
  return time ? seconds(*time) : "";
}

std::string probes_text(const std::optional<ProbeCount>& probes) {
  if (!probes) return "";
  return std::to_string(probes->lost) + " of " + std::to_string(probes->sent);
}

std::string remark(const Trial& run) {
  std::string text = run.not_run.empty() ? run.problem : run.not_run;
  if (!run.put_back) {
    text += (text.empty() ? "" : "; ") + std::string("NOT PUT BACK");
  } else if (!run.problem.empty()) {
    text += "; everything is put back";
  }
  return common::printable(text);
}

json::value ms_or_null(const std::optional<Milliseconds>& time) {
  return time ? json::value(time->count()) : json::value(nullptr);
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(common::printable(text));
}

json::value event_value(const Event& event) {
  return {{"at_ms", event.at.count()},
          {"event", row_of(event.kind).key},
          {"text", common::printable(event.text)}};
}

json::value run_value(const Trial& run) {
  json::array events;
  for (const Event& event : run.events) events.push_back(event_value(event));
  json::value probes = nullptr;
  if (run.probes) probes = {{"sent", run.probes->sent}, {"lost", run.probes->lost}};
  return {{"fault", drill::row_of(run.fault).name},
          {"result", result_text(result_of(run))},
          {"seen_ms", ms_or_null(run.seen)},
          {"refused_ms", ms_or_null(run.refused)},
          {"recovered_ms", ms_or_null(run.recovered)},
          {"unanswered_ms", ms_or_null(run.unanswered)},
          {"probes", std::move(probes)},
          {"not_run", text_or_null(run.not_run)},
          {"problem", text_or_null(run.problem)},
          {"put_back", run.put_back},
          {"events", std::move(events)}};
}

}  // namespace

Result result_of(const Trial& run) {
  if (!run.not_run.empty() && run.put_back) return Result::not_run;
  const bool refusal_missing =
      drill::row_of(run.fault).first_recover == FirstRecover::is_refused && !run.refused;
  const bool well = run.seen && run.recovered && !refusal_missing && run.problem.empty();
  return well && run.put_back ? Result::passed : Result::failed;
}

std::string_view result_text(Result result) {
  switch (result) {
    case Result::passed:
      return "passed";
    case Result::not_run:
      return "not run";
    case Result::failed:
      break;
  }
  return "failed";
}

bool all_well(const Report& report) {
  const auto has = [&](Result result) {
    return std::any_of(report.runs.begin(), report.runs.end(),
                       [&](const Trial& run) { return result_of(run) == result; });
  };
  return has(Result::passed) && !has(Result::failed);
}

bool tells_of(const Row& row, std::string_view quick_check_message) {
  return quick_check_message.find(row.seen_words) != std::string_view::npos;
}

bool is_refusal(const Row& row, std::string_view recover_message) {
  return row.first_recover != FirstRecover::succeeds &&
         recover_message.find(row.refusal_words) != std::string_view::npos;
}

std::string reason_in(std::string_view tag, std::string_view err) {
  const std::string mark = "\"" + std::string(tag) + "\": ";
  std::string reason;
  std::string last;
  while (!err.empty()) {
    const std::string_view line = err.substr(0, err.find('\n'));
    err.remove_prefix(std::min(line.size() + 1, err.size()));
    if (line.empty()) continue;
    last = line;
    if (line.find("error") == std::string_view::npos) continue;
    const auto at = line.find(mark);
    reason = at == std::string_view::npos ? line : line.substr(at + mark.size());
  }
  return reason.empty() ? last : reason;
}

std::string event_line(const Event& event) {
  const std::string time = seconds(event.at);
  return std::string(time.size() < kTimeWidth ? kTimeWidth - time.size() : 0, ' ') + time + "  " +
         std::string(row_of(event.kind).word) + common::printable(event.text) + "\n";
}

std::string result_lines(const Trial& run) {
  std::string text = "  " + std::string(result_text(result_of(run)));
  if (const std::string why = remark(run); !why.empty()) text += ": " + why;
  if (run.unanswered) text += "; unanswered for " + seconds(*run.unanswered) + " at most";
  if (run.probes) text += "; the drill's own probes lost: " + probes_text(run.probes);
  return text + "\n";
}

std::string summary_table(const Report& report) {
  std::vector<std::vector<std::string>> rows{{"FAULT", "RESULT", "SEEN AFTER", "RECOVERED AFTER",
                                              "UNANSWERED", "OWN PROBES LOST", "REMARK"}};
  for (const Trial& run : report.runs) {
    rows.push_back({std::string(drill::row_of(run.fault).name),
                    std::string(result_text(result_of(run))), time_cell(run.seen),
                    time_cell(run.recovered), time_cell(run.unanswered), probes_text(run.probes),
                    remark(run)});
  }
  return table_text(rows);
}

std::string report_json(const Report& report) {
  json::array faults;
  for (const Trial& run : report.runs) faults.push_back(run_value(run));
  return json::serialize(json::value{{"version", 1},
                                     {"tag", report.tag},
                                     {"id", report.id},
                                     {"port", report.port},
                                     {"hc_timeout_ms", report.hc_timeout.count()},
                                     {"ok", all_well(report)},
                                     {"faults", std::move(faults)}}) +
         "\n";
}

}  // namespace genapp::ctl::drill
