#include "tests/stress/race_plan.hpp"

#include <signal.h>

#include <algorithm>
#include <array>
#include <random>

namespace genapp::tests {
namespace {

using namespace std::chrono_literals;

// With probes coming, long enough that only a machine which stands still makes the flag right.
constexpr Time kProbedTimeout = 2s;
constexpr Time kUnprobedTimeout = 250ms;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  // std::uniform_int_distribution is not the same everywhere; this is.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }
  Time time(Time most) { return Time(below(static_cast<std::uint64_t>(most.count()) + 1)); }

 private:
  std::mt19937_64 engine_;
};

Action any_action(Dice& dice) {
  const auto n = dice.below(100);
  if (n < 30) return Action::restore;
  if (n < 52) return Action::remove;
  if (n < 77) return Action::recover;
  return n < 95 ? Action::quick_check : Action::status;
}

int end_signal(Dice& dice) { return dice.chance(50) ? SIGTERM : SIGKILL; }

Step fault(Dice& dice, Time most) {
  Step step;
  step.at = dice.time(most);
  step.what = dice.chance(70) ? Step::What::fault_daemon : Step::What::fault_starting;
  step.number = dice.chance(60) ? SIGKILL : SIGSTOP;
  // A daemon that stays stopped costs the calls their whole time limits: rarely.
  if (!dice.chance(2)) step.continue_after = 1ms + dice.time(40ms);
  return step;
}

}  // namespace

Plan make_plan(std::uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  plan.in_service_at_first = dice.chance(65);
  plan.probing = dice.chance(85);
  plan.already_running_ok = dice.chance(30);
  plan.hc_timeout = plan.probing ? kProbedTimeout : kUnprobedTimeout;
  constexpr std::array kSpreads{0ms, 5ms, 15ms, 50ms};
  const Time spread = kSpreads.at(dice.below(kSpreads.size()));
  const std::size_t calls = 2 + dice.below(5);
  std::vector<Step> signals;
  for (std::size_t i = 0; i < calls; ++i) {
    Step call;
    call.at = dice.time(spread);
    call.action = any_action(dice);
    plan.steps.push_back(call);
  }
  const auto earlier = [](const Step& a, const Step& b) { return a.at < b.at; };
  std::stable_sort(plan.steps.begin(), plan.steps.end(), earlier);
  for (std::size_t i = 0; i < calls; ++i) {
    if (!dice.chance(20)) continue;
    Step signal;
    signal.at = plan.steps[i].at + dice.time(15ms);
    signal.what = Step::What::signal;
    signal.target = i;
    signal.number = end_signal(dice);
    signals.push_back(signal);
  }
  if (dice.chance(35)) {
    const auto faults = 1 + dice.below(2);
    for (std::uint64_t i = 0; i < faults; ++i) {
      Step step = fault(dice, spread + 15ms);
      step.target = dice.below(calls);
      signals.push_back(step);
    }
  }
  plan.steps.insert(plan.steps.end(), signals.begin(), signals.end());
  std::stable_sort(plan.steps.begin(), plan.steps.end(), earlier);
  return plan;
}

}  // namespace genapp::tests
