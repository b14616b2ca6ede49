#include "tests/sweep/subject.hpp"

#include <errno.h>
#include <signal.h>

#include <stdexcept>

#include "tests/support/wait.hpp"
#include "tests/sweep/look.hpp"

namespace genapp::tests {
namespace {

bool says_healthy(LbhcNode& node) { return node.run("quickCheck").exit_code == 0; }

void nothing(LbhcNode&) {}

void start_daemon(LbhcNode& node) {
  const Result result = node.probed("restore");
  if (result.exit_code != 0) throw std::runtime_error("the restore before failed: " + result.err);
}

void start_and_kill_daemon(LbhcNode& node) {
  start_daemon(node);
  ::kill(daemon_of(node), SIGKILL);
  if (!wait_until([&] { return processes_of(node).empty(); })) {
    throw std::runtime_error("the daemon before did not end");
  }
}

void start_and_wait_for_flag(LbhcNode& node) {
  start_daemon(node);
  if (!wait_until([&] { return node.node().has("app1-hc-ng"); })) {
    throw std::runtime_error("no flag before");
  }
}

void expect(Run& run, bool well, const std::string& what) {
  if (!well) run.violations.push_back(what);
}

void wait_for_end(Run& run) { expect(run, wait_until(run.ended, kHang), "it hangs"); }

void probe_to_the_end(Run& run) {
  expect(run, probe_until(run.node, run.ended, kHang), "it hangs");
}

// A life of lbhcd: first probe, no probe until the flag is up, probes again, TERM, drain, end.
void live(Run& run) {
  LbhcNode& node = run.node;
  const auto or_ended = [&](auto condition) {
    return [&run, condition] { return run.ended() || condition(); };
  };
  expect(run, probe_until(node, or_ended([&] { return node.state() == "ISP"; }), kHang),
         "it neither came in service nor ended");
  if (run.ended()) return;
  if (const pid_t pid = daemon_of(node)) ::kill(pid, SIGHUP);  // opens its log again
  wait_until(or_ended([&] { return node.node().has("app1-hc-ng"); }), std::chrono::seconds(1));
  expect(run, wait_until(or_ended([&] { return !says_healthy(node); }), kHang),
         "no probe came, and quickCheck still says healthy");
  expect(run, run.ended() || !says_healthy(node), "the flag was lost again without a probe");
  expect(run, probe_until(node, or_ended([&] { return says_healthy(node); }), kHang),
         "probes are back, and quickCheck does not say so");
  if (const pid_t pid = daemon_of(node)) ::kill(pid, SIGTERM);
  wait_for_end(run);
}

// An end that is the struck program's own, and tells why.
void judge_end(Run& run, const Point& point, const Result& result) {
  const bool killed = point.error == 0 && point.who == Who::command;
  if (killed && result.signal == SIGKILL) return;
  // How libc gives up is its own affair, as long as it is no 0.
  if (point.before_main && result.exit_code != 0) return;
  expect(run, result.signal == 0, "it ended by signal " + std::to_string(result.signal));
  expect(run, result.signal != 0 || result.exit_code == 0 || result.exit_code == 1,
         "it ended with " + std::to_string(result.exit_code));
  if (result.exit_code != 1) return;
  // A line that could not be written can't be read.
  if (point.traced.starts_with("write(2<")) return;
  const Node& node = run.node.node();
  bool named = false;
  for (const std::string& object :
       {node.run_dir(), node.config_dir(), node.log_file(), std::to_string(run.node.port()),
        std::string("\"lb\""), std::string("\"app1\""), std::string("/proc/")}) {
    named = named || result.err.find(object) != std::string::npos;
  }
  expect(run, result.err.find("error: ") != std::string::npos && named,
         "it failed and did not say of what: " + result.err);
}

// A signal's handler has run, nothing more: no reason to fail.
void survives_eintr(Run& run, const Point& point, const Result& result) {
  expect(run, point.error != EINTR || result.exit_code == 0, "EINTR made it fail: " + result.err);
}

void judge_start(Run& run, const Point& point, const Result& result) {
  judge_end(run, point, result);
  survives_eintr(run, point, result);
  LbhcNode& node = run.node;
  if (result.exit_code == 0) {
    // A daemon that dies after its start was noted is quickCheck's to find.
    const bool killed_later = point.error == 0 && point.who == Who::daemon && !says_healthy(node);
    expect(run, killed_later || (node.state() == "ISP" && serves(node)),
           "it said 0, the state is \"" + node.state() + "\", and the port " +
               (serves(node) ? "answers" : "does not answer"));
  } else if (result.exit_code == 1) {
    expect(run, wait_until([&] { return processes_of(node).empty(); }),
           "it failed and left a daemon");
  }
}

void judge_remove(Run& run, const Point& point, const Result& result) {
  judge_end(run, point, result);
  survives_eintr(run, point, result);
  if (result.exit_code != 0) return;
  expect(run, processes_of(run.node).empty(), "it said 0 and a process is left");
  expect(run, !accepts(run.node.port()), "it said 0 and the port is open");
  expect(run, run.node.state().empty(), "it said 0 and the state is " + run.node.state());
}

void judge_check_of_a_healthy_node(Run& run, const Point& point, const Result& result) {
  judge_end(run, point, result);
  survives_eintr(run, point, result);
}

void judge_check_of_a_sick_node(Run& run, const Point& point, const Result& result) {
  judge_end(run, point, result);
  expect(run, result.exit_code != 0, "it said healthy");
}

void judge_lbhcd(Run& run, const Point& point, const Result& result) {
  judge_end(run, point, result);
  survives_eintr(run, point, result);
  if (result.exit_code < 0) return;
  expect(run, run.node.state() != "ISP" || result.exit_code != 0,
         "it said 0 and the state is still ISP");
}

const std::string kNoWait = "wait_first_probe = false\n";

}  // namespace

const Subject kRestore{"restore", "restore",        "hc_timeout = 1",
                       nothing,   probe_to_the_end, judge_start};
const Subject kRecover{"recover",        "recover",  "hc_timeout = 1", start_and_kill_daemon,
                       probe_to_the_end, judge_start};
const Subject kRemove{"remove",     "remove",     kNoWait + "hc_timeout = 30\ndrain = 0.05",
                      start_daemon, wait_for_end, judge_remove};
const Subject kQuickCheckHealthy{"quickCheck-healthy", "quickCheck", kNoWait + "hc_timeout = 60",
                                 start_daemon,         wait_for_end, judge_check_of_a_healthy_node};
const Subject kQuickCheckFlagUp{"quickCheck-flag",       "quickCheck", kNoWait + "hc_timeout = 0.1",
                                start_and_wait_for_flag, wait_for_end, judge_check_of_a_sick_node};
const Subject kQuickCheckDead{"quickCheck-dead",     "quickCheck", kNoWait + "hc_timeout = 60",
                              start_and_kill_daemon, wait_for_end, judge_check_of_a_sick_node};
const Subject kLbhcd{"lbhcd", "lbhcd", "hc_timeout = 0.6\ndrain = 0.1", nothing, live, judge_lbhcd};

}  // namespace genapp::tests
