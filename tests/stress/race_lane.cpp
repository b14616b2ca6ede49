#include "tests/stress/race_lane.hpp"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <thread>

#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "lbhc/status.hpp"
#include "tests/stress/checker.hpp"
#include "tests/stress/prober.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const common::Id kId("app1");
constexpr char kTag[] = "lb";
constexpr Time kProbePause = 4ms;
constexpr auto kLookPause = 2ms;

std::string environment_of(const std::string& pid) {
  return read_file("/proc/" + pid + "/environ");
}

// Processes of this run directory: as long as no command runs, the daemons. Zombies have ended.
int processes_of(const std::string& run_dir) {
  const std::string mark = std::string("GENAPP_RUN_DIR=") + run_dir + '\0';
  int count = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const std::string pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (environment_of(pid).find(mark) != std::string::npos) ++count;
  }
  return count;
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string text = std::to_string(pid);
  std::istringstream in(read_file("/proc/" + text + "/task/" + text + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; in >> child;) children.push_back(child);
  return children;
}

std::string first_word(const std::string& text) { return text.substr(0, text.find('\n')); }

// One run while it lasts.
class Run {
 public:
  Run(const Plan& plan, const Node& node, std::uint16_t port)
      : plan_(plan),
        node_(node),
        port_(port),
        run_dir_(common::Directory::open(node.run_dir(), "run directory",
                                         common::Directory::Symlink::follow)) {
    history_.hc_timeout = plan.hc_timeout;
    history_.already_running_ok = plan.already_running_ok;
  }

  History go() {
    probe(true);
    if (plan_.in_service_at_first) begin_in_service();
    probe(plan_.probing);
    carry_out();
    continue_stopped();
    settle();
    probe(true);
    rest();
    probe(false);
    return std::move(history_);
  }

 private:
  Time now() const { return std::chrono::duration_cast<Time>(Clock::now() - began_); }

  void probe(bool on) {
    if (on && !prober_) {
      prober_.emplace(port_, kProbePause, [this] { return now(); });
    } else if (!on && prober_) {
      const auto seen = prober_->stop();
      history_.attempts.insert(history_.attempts.end(), seen.begin(), seen.end());
      prober_.reset();
    }
  }

  Process start(Action action) const {
    if (action == Action::status) return Process(node_.command({"genapp", "status", kTag}));
    return node_.start_action(action_name(action), kTag, kId.text());
  }

  void note_end(Call& call, Process& process) const {
    const Result result = process.wait();
    call.end = now();
    call.exit_code = result.exit_code;
    call.over_limit = result.over_limit;
    call.err = result.err;
  }

  Call run_alone(Action action) {
    Call call{action, now()};
    Process process = start(action);
    note_end(call, process);
    return call;
  }

  void begin_in_service() {
    history_.first_restore.push_back(run_alone(Action::restore));
    history_.first_state = state();
    history_.first_check.push_back(run_alone(Action::quick_check));
  }

  std::string state() const { return first_word(read_file(node_.run_file(kId.text() + ".state"))); }

  void look() {
    Look look;
    look.begin = now();
    look.state = state();
    look.alive = common::is_alive(run_dir_, kId);
    look.end = now();
    history_.looks.push_back(look);
  }

  void carry_out() {
    const Time begin = now();
    std::size_t next = 0;
    look();
    while (next < plan_.steps.size() || running() || !continues_.empty()) {
      for (; next < plan_.steps.size() && plan_.steps[next].at <= now() - begin; ++next) {
        take(plan_.steps[next]);
      }
      continue_due();
      look();
      std::this_thread::sleep_for(kLookPause);
    }
  }

  void take(const Step& step) {
    switch (step.what) {
      case Step::What::call: {
        history_.calls.push_back(Call{step.action, now()});
        processes_.push_back(start(step.action));
        ended_.push_back(false);
        return;
      }
      case Step::What::signal: {
        if (step.target >= processes_.size() || ended_[step.target]) return;
        history_.calls[step.target].signalled = true;
        processes_[step.target].signal(step.number);
        return;
      }
      case Step::What::fault_daemon:
        if (auto daemon = living()) fault(step, std::move(daemon->pidfd));
        return;
      case Step::What::fault_starting:
        if (step.target < processes_.size() && !ended_[step.target]) {
          fault_child(step, processes_[step.target].pid());
        }
        return;
    }
  }

  std::optional<common::LivingProcess> living() const {
    try {
      return common::find_living(run_dir_, kId);
    } catch (const common::Error&) {
      return std::nullopt;  // stopped between its lock and its record
    }
  }

  void fault_child(const Step& step, pid_t parent) {
    for (const pid_t child : children_of(parent)) {
      auto pidfd = common::open_pidfd(child);
      const auto still = children_of(parent);
      if (pidfd && std::find(still.begin(), still.end(), child) != still.end()) {
        fault(step, std::move(*pidfd));
      }
    }
  }

  void fault(const Step& step, common::Fd pidfd) {
    const bool stop = step.number == SIGSTOP;
    history_.faults.push_back({stop ? Fault::Kind::stopped : Fault::Kind::killed, now()});
    common::send_signal(pidfd, step.number);
    if (!stop) return;
    if (step.continue_after == Time::zero()) {
      stopped_.push_back(std::move(pidfd));
    } else {
      continues_.push_back({now() + step.continue_after, std::move(pidfd)});
    }
  }

  void continue_due() {
    std::erase_if(continues_, [this](const Continue& due) {
      if (due.at > now()) return false;
      resume(due.pidfd);
      return true;
    });
  }
  void continue_stopped() {
    for (const common::Fd& pidfd : stopped_) resume(pidfd);
    stopped_.clear();
  }
  void resume(const common::Fd& pidfd) {
    history_.faults.push_back({Fault::Kind::continued, now()});
    common::send_signal(pidfd, SIGCONT);
  }

  bool running() {
    bool any = false;
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      if (ended_[i]) continue;
      const bool over = now() - history_.calls[i].begin > 60s;
      if (!over && processes_[i].running()) {
        any = true;
        continue;
      }
      if (over) processes_[i].signal(SIGKILL);
      note_end(history_.calls[i], processes_[i]);
      history_.calls[i].over_limit = over;
      ended_[i] = true;
    }
    return any;
  }

  // A daemon whose starter was killed undoes itself; one that serves stays.
  void settle() {
    history_.rest.settled = wait_until([this] {
      const int daemons = processes_of(node_.run_dir());
      if (daemons == 0) return true;
      const auto status = lbhc::parse_status(node_.status(kId.text()));
      return daemons == 1 && status && status->phase == lbhc::Phase::serving;
    });
  }

  void rest() {
    Rest& rest = history_.rest;
    rest.daemons = processes_of(node_.run_dir());
    rest.state = state();
    rest.files = node_.run_files();
    rest.port_open = accepts(port_);
    // Clears a flag that was rightly up.
    wait_until([&] { return !rest.port_open || !node_.has(kId.text() + "-hc-ng"); }, 5s);
    rest.quick_check = run_alone(Action::quick_check);
    rest.remove = run_alone(Action::remove);
    rest.files_after_remove = node_.run_files();
    rest.daemons_after_remove = processes_of(node_.run_dir());
    rest.port_open_after_remove = accepts(port_);
  }

  struct Continue {
    Time at;
    common::Fd pidfd;
  };

  const Plan& plan_;
  const Node& node_;
  std::uint16_t port_;
  common::Directory run_dir_;
  Clock::time_point began_ = Clock::now();
  History history_;
  std::optional<Prober> prober_;
  std::vector<Process> processes_;  // one for each call
  std::vector<bool> ended_;
  std::vector<Continue> continues_;
  std::vector<common::Fd> stopped_;
};

}  // namespace

History RaceLane::run(const Plan& plan) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(plan.hc_timeout);
  node_.lbhc(kTag, kId.text(), port_.text() + " OK",
             "hc_timeout = " + std::to_string(static_cast<double>(millis.count()) / 1000) +
                 (plan.already_running_ok ? "\nalready_running = \"ok\"" : ""));
  return Run(plan, node_, port_.number()).go();
}

}  // namespace genapp::tests
