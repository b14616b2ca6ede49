#include "ctl/drill/run_fault.hpp"

#include <memory>

#include "common/error.hpp"
#include "ctl/drill/guardian.hpp"
#include "ctl/drill/prober.hpp"
#include "ctl/drill/put_back.hpp"
#include "ctl/drill/trouble.hpp"

namespace genapp::ctl::drill {
namespace {

using common::Clock;
using common::Error;

constexpr auto kPause = std::chrono::milliseconds(200);
constexpr auto kProgress = std::chrono::seconds(5);
// Beyond when the fault is due to be seen.
constexpr auto kSeenSlack = std::chrono::seconds(15);

struct Interrupted {
  int signal;
};

class Play {
 public:
  Play(Target& target, Trial& run, Interruption& interruption, const Tell& tell)
      : target_(target),
        row_(row_of(run.fault)),
        run_(run),
        interruption_(interruption),
        tell_(tell) {}

  void play() {
    require_no_signal();
    trouble_ = make_trouble(run_.fault, target_);
    note(Event::Kind::made, trouble_->made());
    await_seen();
    recover();
    const Answer check = call("quickCheck");
    if (check.exit_code != 0) throw Error("quickCheck after recover is 1: " + reason(check));
    const common::State state = state_of(target_);
    if (state != common::State::in_service_protected) {
      throw Error("somebody has changed the state to " + std::string(common::state_text(state)) +
                  " meanwhile, so quickCheck looks away");
    }
    run_.recovered = elapsed();
    note(Event::Kind::recovered, "recover 0 and quickCheck 0");
  }

  void note(Event::Kind kind, const std::string& text) {
    run_.events.push_back({kind, elapsed(), text});
    tell_(event_line(run_.events.back()));
  }

 private:
  Milliseconds elapsed() const { return std::chrono::round<Milliseconds>(Clock::now() - began_); }

  std::string reason(const Answer& answer) const {
    return reason_in(target_.tag.text(), answer.err);
  }

  void note_if_any(Event::Kind kind, const std::string& text) {
    if (!text.empty()) note(kind, text);
  }

  void require_no_signal() {
    if (const auto signal = interruption_.signal()) throw Interrupted{*signal};
  }

  // Lets the program end even after a signal: a recover under way is the shortest way back.
  Answer call(
      const std::string& name, const std::function<void()>& meanwhile = [] {}) {
    require_no_signal();
    bool told = false;
    const Answer answer = target_.programs.run(name, [&](int pidfd) {
      if (interruption_.wait(pidfd, kPause)) return true;
      meanwhile();
      if (interruption_.signal() && !told) {
        told = true;
        note(Event::Kind::waiting, "interrupted: " + name + " is let end first");
      }
      return false;
    });
    require_no_signal();
    return answer;
  }

  void pause() {
    interruption_.wait(-1, kPause);
    require_no_signal();
  }

  void await_seen() {
    const auto due = row_.by_flag ? target_.hc_timeout : Clock::duration::zero();
    const auto deadline = began_ + due + kSeenSlack;
    auto next_progress = began_ + kProgress;
    for (;;) {
      note_if_any(Event::Kind::made, trouble_->keep_up());
      const Answer check = call("quickCheck");
      if (check.exit_code != 0) return note_seen(reason(check));
      const auto now = Clock::now();
      if (now >= deadline) throw Error("not seen: quickCheck is still 0");
      if (now >= next_progress) {
        next_progress += kProgress;
        note(Event::Kind::waiting, "quickCheck is still 0; HC_TIMEOUT is " +
                                       common::seconds_text(target_.hc_timeout) + " s");
      }
      pause();
    }
  }

  void note_seen(const std::string& message) {
    if (!tells_of(row_, message)) {
      throw Error("not seen: quickCheck is 1, but for another reason: " + message);
    }
    run_.seen = elapsed();
    note(Event::Kind::seen, "quickCheck 1: " + message);
  }

  Answer call_recover() {
    return call("recover", [this] {
      if (trouble_) note_if_any(Event::Kind::ended, trouble_->limit());
    });
  }

  void recover() {
    note_if_any(Event::Kind::made, trouble_->keep_up());
    const Milliseconds down_since = row_.answers ? elapsed() : Milliseconds(0);
    Answer answer = call_recover();
    if (answer.exit_code == 0 && row_.first_recover == FirstRecover::is_refused) {
      throw Error("recover said 0 while it could not be");
    }
    if (answer.exit_code != 0 && is_refusal(row_, reason(answer))) {
      run_.refused = elapsed();
      note(Event::Kind::refused, "recover 1: " + reason(answer));
      trouble_.reset();
      note(Event::Kind::ended, "recover is called again");
      answer = call_recover();
    }
    if (answer.exit_code != 0) throw not_recovered(reason(answer));
    run_.unanswered = elapsed() - down_since;
    trouble_.reset();
  }

  Error not_recovered(const std::string& why) const {
    const bool no_probe = !target_.probe && why.find("no probe on port") != std::string::npos;
    return Error("not recovered: " + why +
                 (no_probe ? "; no probe came: is a load balancer configured? With --probe the "
                             "drill plays one"
                           : ""));
  }

  Target& target_;
  const Row& row_;
  Trial& run_;
  Interruption& interruption_;
  const Tell& tell_;
  const Clock::time_point began_ = Clock::now();
  std::unique_ptr<Trouble> trouble_;
};

void play(Target& target, Trial& run, Interruption& interruption, const Tell& tell) {
  Play play(target, run, interruption, tell);
  try {
    play.play();
    return;
  } catch (const Interrupted& interrupted) {
    run.problem = std::string("interrupted by ") + signal_name(interrupted.signal);
  } catch (const Error& problem) {
    run.problem = problem.what();
  }
  play.note(Event::Kind::failed, run.problem);
}

}  // namespace

Trial run_fault(Fault fault, Target& target, Interruption& interruption, const Tell& tell) {
  Trial run{.fault = fault};
  Guardian guardian([&target] { return put_back(target); });
  std::optional<Prober> prober;
  if (target.probe) prober.emplace(probe_address(target.config), target.config);
  play(target, run, interruption, tell);
  run.put_back = guardian.finish();
  if (prober) run.probes = prober->count();
  return run;
}

}  // namespace genapp::ctl::drill
