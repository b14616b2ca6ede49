// Restores, removes, recovers and quickChecks of one id at once, some of them killed, their daemon
// killed or stopped, with and without probes: nothing is answered that the checker does not know to
// be right, and a remove always leaves nothing.
//
// GENAPP_RACE_SEED=N GENAPP_RACE_RUNS=1 makes run N once more; the scheduling is the machine's own.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include "tests/stress/checker.hpp"
#include "tests/stress/race_lane.hpp"
#include "tests/support/full_length.hpp"
#include "tests/support/sanitized.hpp"

namespace genapp::tests {
namespace {

constexpr std::uint64_t kSubset = kSanitized ? 20 : 150;

constexpr std::uint64_t kFirstSeed = 20261122;
constexpr int kLanes = 4;
constexpr std::size_t kMostReports = 5;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = ::getenv(variable);
  return text ? std::stoull(text) : otherwise;
}

std::string told(const History& history) {
  std::ostringstream out;
  for (const Call& call : history.calls) {
    out << "  " << call.begin.count() << "-" << call.end.count() << " us "
        << action_name(call.action) << (call.signalled ? " (signalled)" : "") << ": exit "
        << call.exit_code << "\n";
  }
  for (const Fault& fault : history.faults) {
    constexpr const char* kWords[] = {"killed", "stopped", "continued"};
    out << "  " << fault.at.count() << " us daemon " << kWords[static_cast<int>(fault.kind)]
        << "\n";
  }
  const Rest& rest = history.rest;
  out << "  at rest: " << rest.daemons << " daemons, state \"" << rest.state << "\"\n";
  return out.str();
}

// Runs shared by lanes; what went wrong is collected.
class Races {
 public:
  Races(std::uint64_t first_seed, std::uint64_t count) : next_(first_seed), end_(next_ + count) {}

  void work(RaceLane& lane) {
    for (;;) {
      const std::uint64_t seed = next_++;
      if (seed >= end_) return;
      const History history = lane.run(make_plan(seed));
      note(seed, history, violations(history));
    }
  }

  std::string figures() const {
    return std::to_string(calls_) + " calls, " + std::to_string(signalled_) + " of them killed, " +
           std::to_string(faults_) + " faults, " + std::to_string(attempts_) + " probes, " +
           std::to_string(broken_runs_) + " runs with violations";
  }
  const std::string& reports() const { return reports_; }
  std::size_t broken_runs() const { return broken_runs_; }
  std::size_t calls() const { return calls_; }

 private:
  void note(std::uint64_t seed, const History& history, const std::vector<std::string>& wrong) {
    const std::lock_guard hold(mutex_);
    calls_ += history.calls.size();
    faults_ += history.faults.size();
    attempts_ += history.attempts.size();
    for (const Call& call : history.calls) signalled_ += call.signalled ? 1 : 0;
    if (wrong.empty() || ++broken_runs_ > kMostReports) return;
    reports_ += "run GENAPP_RACE_SEED=" + std::to_string(seed) + ":\n";
    for (const std::string& line : wrong) reports_ += "  " + line + "\n";
    reports_ += told(history);
  }

  std::atomic<std::uint64_t> next_;
  const std::uint64_t end_;
  std::mutex mutex_;
  std::size_t calls_ = 0;
  std::size_t signalled_ = 0;
  std::size_t faults_ = 0;
  std::size_t attempts_ = 0;
  std::size_t broken_runs_ = 0;
  std::string reports_;
};

TEST(Races, NothingIsAnsweredThatIsNotSo) {
  const std::uint64_t seed = number_from("GENAPP_RACE_SEED", kFirstSeed);
  const std::uint64_t runs = number_from("GENAPP_RACE_RUNS", full_length() ? 10'000 : kSubset);
  std::cout << runs << " runs from GENAPP_RACE_SEED=" << seed << std::endl;
  Races races(seed, runs);
  std::vector<std::unique_ptr<RaceLane>> lanes;
  for (int i = 0; i < kLanes; ++i) lanes.push_back(std::make_unique<RaceLane>());
  std::vector<std::thread> threads;
  for (const auto& lane : lanes) threads.emplace_back([&] { races.work(*lane); });
  for (std::thread& thread : threads) thread.join();
  std::cout << races.figures() << std::endl;
  EXPECT_GE(races.calls(), 2 * runs);
  EXPECT_EQ(races.broken_runs(), 0u) << races.reports();
}

}  // namespace
}  // namespace genapp::tests
