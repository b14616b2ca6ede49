#include "tests/sweep/sweep.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "tests/support/full_length.hpp"
#include "tests/support/wait.hpp"
#include "tests/sweep/aftermath.hpp"
#include "tests/sweep/look.hpp"

namespace genapp::tests {
namespace {

// Most of a point's time is waiting.
constexpr int kAtOnce = 6;

// One at a time: Port's choice is not made for threads.
std::unique_ptr<LbhcNode> new_node(const Subject& subject) {
  static std::mutex one;
  const std::lock_guard lock(one);
  return std::make_unique<LbhcNode>(subject.keys);
}

Command under(const LbhcNode& node, std::vector<std::string> tracer, const Subject& subject) {
  for (const std::string& word : {program(subject.program), std::string("-t"), std::string("lb"),
                                  std::string("-i"), std::string("app1")}) {
    tracer.push_back(word);
  }
  return const_cast<LbhcNode&>(node).node().command(std::move(tracer));
}

// strace's file of one of the two processes; empty while there is none.
std::string traced_text(const TempDir& folder, Who who) {
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const std::string text = read_file(entry.path().string());
    const bool command = text.find("] execve(") < text.find('\n');
    if (command == (who == Who::command)) return text;
  }
  return "";
}

Trace trace_of(const Subject& subject, Who who) {
  const auto node = new_node(subject);
  subject.prepare(*node);
  const TempDir folder;
  Process strace(under(
      *node, {"/usr/bin/strace", "-I", "2", "-ff", "-n", "-yy", "-s", "64", "-o", folder / "trace"},
      subject));
  Run run{*node, [&] { return has_ended(traced_text(folder, Who::command)); }};
  subject.drive(run);
  for (const std::string& violation : run.violations) ADD_FAILURE() << "traced: " << violation;
  const std::string text = traced_text(folder, who);
  strace.stop();
  return parse_trace(text);
}

struct Outcome {
  Violations violations;
  bool reached = false;
};

Outcome strike_at(const Subject& subject, const Point& point) {
  const auto node = new_node(subject);
  subject.prepare(*node);
  const TempDir folder;
  const std::string report = folder / "reached";
  Process process(
      under(*node,
            {GENAPP_INJECT, report, std::to_string(static_cast<int>(point.who)),
             std::to_string(point.number), std::to_string(point.nth), std::to_string(point.error)},
            subject));
  Run run{*node, [&] { return !process.running(); }};
  subject.drive(run);
  if (process.running()) process.signal(SIGKILL);
  const Result result = process.wait();
  subject.judge(run, point, result);
  look_after(run);
  if (!run.violations.empty()) {
    run.violations.push_back("its standard error: " + result.err);
    run.violations.push_back("the daemon's log: " + node->node().log());
  }
  return {std::move(run.violations), std::filesystem::exists(report)};
}

std::vector<Point> points_of(const Subject& subject, Who who, Strike strike) {
  const Trace trace = trace_of(subject, who);
  const Choice choice = full_length() ? Choice::every : Choice::spread;
  std::vector<Point> points =
      strike == Strike::kill ? kill_points(trace, who, choice) : errno_points(trace, who, choice);
  if (const char* wanted = std::getenv("GENAPP_SWEEP_POINT")) {
    std::erase_if(points, [&](const Point& point) {
      return (subject.name + " " + point.text()).find(wanted) == std::string::npos;
    });
  } else {
    EXPECT_FALSE(points.empty());
  }
  return points;
}

class Sweep {
 public:
  Sweep(const Subject& subject, std::vector<Point> points)
      : subject_(subject), points_(std::move(points)) {}

  void run() {
    std::vector<std::thread> workers;
    for (int i = 0; i < kAtOnce; ++i) workers.emplace_back([this] { work(); });
    for (std::thread& worker : workers) worker.join();
  }

  std::size_t failures() const { return failures_; }
  std::size_t not_reached() const { return not_reached_; }

 private:
  void work() {
    for (std::size_t i = next_++; i < points_.size(); i = next_++) one(points_[i]);
  }

  void one(const Point& point) {
    Outcome outcome;
    try {
      outcome = strike_at(subject_, point);
    } catch (const std::exception& problem) {
      outcome.violations.push_back(problem.what());
    }
    not_reached_ += !outcome.reached;
    if (outcome.violations.empty()) return;
    ++failures_;
    std::string text = subject_.name + " " + point.text() + " (" + point.traced + ")";
    for (const std::string& violation : outcome.violations) text += "\n  " + violation;
    ADD_FAILURE() << text;
  }

  const Subject& subject_;
  const std::vector<Point> points_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> failures_ = 0;
  std::atomic<std::size_t> not_reached_ = 0;
};

}  // namespace

void sweep(const Subject& subject, Who who, Strike strike) {
  const std::vector<Point> points = points_of(subject, who, strike);
  Sweep sweep(subject, points);
  sweep.run();
  std::cout << "sweep of " << subject.name << (who == Who::daemon ? "'s daemon" : "") << ", "
            << (strike == Strike::kill ? "SIGKILL" : "errnos") << ": " << points.size()
            << " points, " << sweep.failures() << " failures (" << sweep.not_reached()
            << " not reached)" << std::endl;
  // How often a loop turns differs from run to run; that nothing is struck any more must not.
  EXPECT_LE(sweep.not_reached(), points.size() / 5);
}

}  // namespace genapp::tests
