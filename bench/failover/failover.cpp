// How long users get errors, and how long two nodes answer probes, after each fault of a real
// cluster: with genapp's agent and with azure-lb's two, in turn. And what one monitor costs.

#include <cstdio>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/node.hpp"
#include "bench/options.hpp"
#include "bench/program.hpp"
#include "bench/rounds.hpp"
#include "tests/e2e/lab/responders.hpp"
#include "tests/e2e/lab/scenarios.hpp"

namespace genapp::bench {
namespace {

using tests::Lab;
using tests::Outcome;
using tests::Responder;
using tests::Scenario;
using tests::Timing;

constexpr char kOurs[] = "genapp";
// What has not ended by then is taken to last for ever.
constexpr auto kForEver = std::chrono::seconds(15);
// Everything of the second table on one processor.
constexpr int kCpu = 1;

// Those faults that are over in 2 s are made several times a round: much depends on whether HAProxy
// has just checked.
constexpr std::size_t kQuick = 4;
constexpr int kTimes = 3;

struct Row {
  std::vector<double> errors;   // seconds
  std::vector<double> overlap;  // seconds
  int unfinished = 0;
};
struct Table {
  std::vector<std::string> faults;
  std::vector<std::string> responders;
  std::map<std::pair<std::string, std::string>, Row> rows;
  std::mutex mutex;
};

double seconds(tests::Moment moment) { return static_cast<double>(moment.count()) / 1e6; }

Outcome play_and_note(Lab& lab, const Scenario& scenario, Table& table) {
  const Outcome outcome = tests::play(lab, scenario, kForEver);
  const std::string& responder = lab.responder().name;
  std::fprintf(stderr, "%s: %s\n", responder.c_str(),
               tests::describe(scenario.name, outcome).c_str());
  const std::lock_guard lock(table.mutex);
  Row& row = table.rows[{scenario.name, responder}];
  row.errors.push_back(seconds(outcome.errors.all));
  row.overlap.push_back(seconds(outcome.overlap.longest));
  if (!outcome.as_expected) ++row.unfinished;
  return outcome;
}

void play_note_and_mend(Lab& lab, const Scenario& scenario, Table& table) {
  const Outcome outcome = play_and_note(lab, scenario, table);
  scenario.mend(lab, outcome.active);
  if (lab.ready_again()) return;
  throw std::runtime_error(scenario.name + " was not mended:\n" + lab.logs());
}

void play_all(const Responder& responder, const Timing& timing, Table& table) {
  Lab lab(responder, timing);
  const std::vector<Scenario>& all = tests::scenarios();
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (int times = i < kQuick ? kTimes : 1; times > 0; --times) {
      play_note_and_mend(lab, all[i], table);
    }
  }
  play_note_and_mend(lab, tests::kSilentConnections, table);
  play_note_and_mend(lab, tests::kSplit, table);
  lab.use_quorum();
  if (!tests::move_to(lab, "n2")) throw std::runtime_error("no move to n2:\n" + lab.logs());
  play_note_and_mend(lab, tests::kSplitWithQuorum, table);
  lab.use_fencing();
  play_and_note(lab, tests::kSplitWithFencing, table);
}

// All responders' labs side by side: so what else the machine does hits all of them. A thread for
// each, which has to live as long as its lab's programs.
void play_round(const std::vector<Responder>& responders, const Timing& timing, Table& table) {
  std::vector<std::future<void>> labs;
  for (const Responder& responder : responders) {
    labs.push_back(std::async(std::launch::async, [&] { play_all(responder, timing, table); }));
  }
  for (auto& lab : labs) lab.get();
}

std::string text_of(const Table& table) {
  std::string text =
      "### Failover\n\n| fault | responder | errors s, median | errors s, most | "
      "both nodes answer s, most | not over after " +
      std::to_string(kForEver.count()) + " s |\n|---|---|---|---|---|---|\n";
  for (const auto& fault : table.faults) {
    for (const auto& responder : table.responders) {
      const Row& row = table.rows.at({fault, responder});
      char line[200];
      std::snprintf(line, sizeof line, "| %s | %s | %.2f | %.2f | %.2f | %d of %zu |\n",
                    fault.c_str(), responder.c_str(), median(row.errors), quantile(row.errors, 1),
                    quantile(row.overlap, 1), row.unfinished, row.errors.size());
      text += line;
    }
  }
  return text;
}

// Every round's figures: a table for each fault.
std::vector<Rounds> rounds_of(const Table& table) {
  std::vector<Rounds> all;
  for (const auto& fault : table.faults) {
    Rounds rounds(fault, kOurs, {});
    for (const auto& responder : table.responders) {
      const Row& row = table.rows.at({fault, responder});
      for (const double value : row.errors) rounds.add(responder, "errors s", value);
      for (const double value : row.overlap) rounds.add(responder, "both s", value);
    }
    all.push_back(std::move(rounds));
  }
  return all;
}

Program agent(const std::string& path, std::map<std::string, std::string> more) {
  more["OCF_ROOT"] = "/usr/lib/ocf";
  more["OCF_RESOURCE_INSTANCE"] = "genapp-bench";
  more["OCF_RESKEY_port"] = std::to_string(free_port());
  return {{path}, std::move(more)};
}

// A responder in service, started by its own agent.
class Service {
 public:
  explicit Service(Program monitor) : program_(std::move(monitor)) { call("start"); }
  ~Service() {
    try {
      call("stop");
    } catch (const std::runtime_error& problem) {
      std::fprintf(stderr, "%s\n", problem.what());
    }
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  Run monitor() const { return call("monitor"); }

 private:
  Run call(const char* action) const {
    Program program = program_;
    program.argv.push_back(action);
    return time_run(program, 0);
  }

  Program program_;
};

Rounds monitors(const Options& options) {
  const Folder folder;
  const Service ours(agent(installed(std::string(GENAPP_BIN_DIR) + "/ocf/lbhc"),
                           {{"GENAPP_RUN_DIR", folder / "run"}}));
  const Service theirs(
      agent("/usr/lib/ocf/resource.d/heartbeat/azure-lb", {{"OCF_RESKEY_nc", find_program("nc")},
                                                           {"HA_RSCTMP", folder / "tmp"},
                                                           {"HA_VARRUN", folder / "run"}}));
  Rounds rounds("one monitor", kOurs, {"wall us", "CPU us"});
  for (int round = 0; round < options.rounds; ++round) {
    std::map<std::string, std::vector<Run>> runs;
    for (int i = 0; i < options.runs; ++i) {
      runs[kOurs].push_back(ours.monitor());
      runs["azure-lb"].push_back(theirs.monitor());
    }
    for (const char* name : {kOurs, "azure-lb"}) {
      std::vector<double> wall;
      std::vector<double> cpu;
      for (const Run& run : runs[name]) {
        wall.push_back(run.wall_us);
        cpu.push_back(run.cpu_us);
      }
      rounds.add(name, "wall us", median(wall));
      rounds.add(name, "CPU us", median(cpu));
    }
  }
  return rounds;
}

void benchmark(const Options& options) {
  const Timing timing;
  const std::vector<Responder> responders{tests::genapp_lbhc(timing),
                                          tests::genapp_lbhc(timing, "0.5"), tests::azure_lb("nc"),
                                          tests::azure_lb("socat")};
  Table table;
  for (const Scenario& scenario : tests::scenarios()) table.faults.push_back(scenario.name);
  for (const Scenario* scenario : {&tests::kSilentConnections, &tests::kSplit,
                                   &tests::kSplitWithQuorum, &tests::kSplitWithFencing}) {
    table.faults.push_back(scenario->name);
  }
  for (const Responder& responder : responders) table.responders.push_back(responder.name);
  for (int round = 0; round < options.rounds; ++round) play_round(responders, timing, table);
  std::printf("%s\n", text_of(table).c_str());
  run_on_cpu(kCpu);
  std::vector<Rounds> all = rounds_of(table);
  all.push_back(monitors(options));
  std::printf("%s\n", all.back().table().c_str());
  write_json(all, options.json);
}

}  // namespace
}  // namespace genapp::bench

int main(int argc, char** argv) {
  return genapp::bench::run_benchmark(argc, argv, "monitors of each agent a round", 100,
                                      genapp::bench::benchmark);
}
