#pragma once

// One resource under the agent: its machine, its monitors, what it has been through. Tells Effects
// what is to be done; what concerns several resources is the supervisor's.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/effects.hpp"
#include "agent/history.hpp"
#include "agent/machine.hpp"
#include "agent/monitor_policy.hpp"
#include "agent/record.hpp"
#include "agent/supervisor.hpp"
#include "agent/view.hpp"
#include "common/clock.hpp"

namespace genapp::agent {

class Managed {
 public:
  using Clock = common::Clock;

  // `effects` outlives it. Nothing begins before begin().
  Managed(ResourceConfig config, Effects& effects);

  // Goes on where an earlier agent was, or begins anew.
  void begin(const std::optional<Record>& record, Clock::time_point now);
  // New settings for what goes on; enabled or disabled where that has changed.
  void configure(ResourceConfig config, Clock::time_point now);
  // It is none of ours any more.
  void drop();

  Step command(Command command, Clock::time_point now);
  void suspend(Clock::time_point now);
  void resume(Clock::time_point now);
  void set_wanted(bool wanted);
  bool wanted() const { return wanted_; }
  // Where it is not wanted: whether it is let be all the same, since others depend on it still.
  void let_be(bool others) { machine_.set_wanted(wanted_ || others); }

  void ended(Task task, Ended how, const std::string& reason, Clock::time_point now);
  void monitor_saw(const std::string& monitor, const Verdict& verdict, Clock::time_point now);
  std::optional<Clock::time_point> due() const;
  void tick(Clock::time_point now);

  const ResourceConfig& config() const { return config_; }
  const std::string& tag() const { return config_.tag.text(); }
  const Machine& machine() const { return machine_; }
  State state() const { return machine_.state(); }
  bool is_out() const { return state() == State::offline || state() == State::detached; }
  const std::string& fault() const { return fault_; }
  // Since it has become faulted, until what follows for others is begun and kept.
  bool new_fault() const { return new_fault_; }
  void forget_new_fault() { new_fault_ = false; }

  // The supervisor's, kept and shown here.
  std::optional<Goal> goal{};
  bool giving_up = false;

  // Has it kept, where anything has changed.
  void keep();
  ResourceView view() const;

 private:
  struct Watch {
    MonitorConfig config;
    MonitorPolicy policy{};
    std::optional<Clock::time_point> begins{};
    bool active = false;
    std::string reason{};
  };
  // Why the clean and the start under way are done.
  struct Restart {
    Argv cleanup{};
    Argv restart{};
    bool by_recover = false;
    std::string monitor{};  // whose failure it is; empty: the resource's own
  };

  void adopt(const Record& record, Clock::time_point now);
  Restart restart_of(const Record& record) const;
  static Restart restart_after(const MonitorConfig& monitor, RestartBy by);
  void look_again(const Record& record, Clock::time_point now);
  void remember_monitors(const Record& record, Clock::time_point now);
  void apply(const Step& step, const std::string& reason, Clock::time_point now);
  void note(const Row& row, const std::string& reason, State before);
  void note_restart(const Row& row);
  void note_fault(const Row& row, const std::string& reason);
  void note_monitor(Ended how, const std::string& reason, Clock::time_point now);
  TaskRun task_run(const Step::Run& run) const;
  void entered(State before, Clock::time_point now);
  void make_watches();
  void begin_watches(Clock::time_point now, bool stabilize);
  void end_watches();
  void act(Watch& watch, MonitorPolicy::Decision decision, Clock::time_point now);
  void run_notify(const Watch& watch, const char* event);
  void tell(NoticeKind kind, Severity severity, std::string text) const;
  bool looks() const;
  bool leaves() const;
  Record record() const;
  std::map<std::string, MonitorRecord> monitor_records() const;
  MonitorView view_of(const Watch& watch) const;

  ResourceConfig config_;
  Effects& effects_;
  Machine machine_;
  std::vector<Watch> watches_{};
  std::optional<Restart> restart_{};
  bool enabled_ = true;
  bool suspended_ = false;
  bool wanted_ = true;
  bool new_fault_ = false;
  bool not_taken_out_ = false;  // the last stop or clean has failed
  std::string fault_{};
  std::string last_reason_{};
  std::optional<Ended> last_seen_{};
  Clock::time_point since_{};
  Clock::time_point monitor_begun_{};
  History history_{};
  std::optional<Record> kept_{};
};

}  // namespace genapp::agent
