// SIGKILL of the agent at each of its system calls of a start, a stop and a restart: the agent
// after it ends what was begun. What was accepted is done, nothing is started twice, nothing
// faulted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <stdexcept>

#include "tests/support/agent_node.hpp"
#include "tests/support/full_length.hpp"
#include "tests/support/wait.hpp"
#include "tests/sweep/points.hpp"

namespace genapp::tests {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// Of each subject in the usual run: a point costs three agents, one of them traced.
constexpr std::size_t kMostPoints = 8;
constexpr auto kTraced = std::chrono::seconds(60);  // a traced agent is slow

enum class What { start, stop, restart };

struct Subject {
  const char* name;
  What what;
  const char* settled;  // what its log says when the command, or the death, may come
  const char* begins;   // in the trace, in the first call of interest
  const char* done;     // what its log says at the end

  // No monitor runs beside: the calls of one run are those of the other.
  // Whether its monitor or the first look notices a death.
  std::string keys() const {
    const std::string quiet =
        "offline_monitor_interval = 0\nmonitor_interval = 3600\nrestart_limit = 5\n";
    if (what != What::restart) return quiet;
    return quiet + "[monitor.proc]\nkind = \"process\"\nprocesses = [\"" +
           AgentNode::app_name("web") + "\"]\nstabilization_interval = 0.1\nrestart_count = 5\n";
  }
};

void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name; }

// One agent under a tracer, from its start to what is of interest, and killed.
class TracedRun {
 public:
  TracedRun(const Subject& subject, AgentNode& node) : subject_(subject), node_(node) {
    node_.app("web", subject.keys());
    if (subject.what == What::start) return;
    node_.start();
    const Result online = node_.genapp({"online", "web"});
    if (online.exit_code != 0) throw std::runtime_error(online.err);
    node_.kill();
  }

  // Whether a command was accepted; a death always is.
  bool run(std::vector<std::string> tracer) {
    const std::size_t old = node_.node().log().size();
    tracer.push_back(program("genapp-agent"));
    Process agent(node_.node().command(std::move(tracer)));
    const auto says = [&](const char* text) {
      return node_.node().log().find(text, old) != std::string::npos;
    };
    const auto comes_to = [&](const char* text) {
      EXPECT_TRUE(wait_until([&] { return !agent.running() || says(text); }, kTraced))
          << node_.node().log().substr(old);
    };
    comes_to(subject_.settled);
    const bool accepted = act();
    comes_to(subject_.done);
    kill_agent(agent);
    return accepted;
  }

 private:
  bool act() {
    if (subject_.what == What::restart) {
      for (const pid_t pid : node_.processes("web")) ::kill(pid, SIGKILL);
      return true;
    }
    const char* order = subject_.what == What::start ? "online" : "offline";
    return node_.genapp({order, "web", "--wait", "0"}).exit_code == 0;
  }

  // The tracer ends with it, and lets go what it has begun.
  void kill_agent(Process& tracer) {
    if (tracer.running()) {
      const std::string pid = read_file(node_.node().run_file("agent/pid"));
      if (!pid.empty()) ::kill(std::stoi(pid), SIGKILL);
    }
    tracer.wait();
  }

  const Subject& subject_;
  AgentNode& node_;
};

Trace trace_of(const Subject& subject) {
  AgentNode node;
  const TempDir folder;
  const std::string file = folder / "trace";
  TracedRun(subject, node)
      .run({"/usr/bin/strace", "-I", "2", "-n", "-yy", "-s", "256", "-o", file});
  return parse_trace(read_file(file));
}

bool began_by(const Trace& trace, std::size_t call, const Subject& subject) {
  return trace[call].text.find(subject.begins) != std::string::npos;
}

std::vector<Point> points_of(const Subject& subject) {
  const Trace trace = trace_of(subject);
  std::size_t first = 0;
  while (first < trace.size() && !began_by(trace, first, subject)) ++first;
  std::vector<Point> points = kill_points(trace, Who::command, Choice::every);
  points.erase(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(first));
  if (full_length() || points.size() <= kMostPoints) return points;
  std::vector<Point> some;
  for (std::size_t i = 0; i < kMostPoints; ++i)
    some.push_back(points[i * points.size() / kMostPoints]);
  return some;
}

void expect_online(const AgentNode& node, std::size_t most_restores) {
  EXPECT_THAT(node.processes("web"), SizeIs(1));
  EXPECT_GE(node.count("web", "restore"), 1u);
  EXPECT_LE(node.count("web", "restore"), most_restores);
}

void expect_end(const AgentNode& node, const Subject& subject, bool accepted) {
  const auto state = [&] { return node.view("web", "state"); };
  EXPECT_EQ(node.view("web", "faulted"), "false");
  switch (subject.what) {
    case What::start:
      EXPECT_EQ(node.count("web", "remove"), 0u);
      EXPECT_TRUE(!accepted || state() == "Online");
      if (state() == "Online") return expect_online(node, 1);
      EXPECT_EQ(node.count("web", "restore"), 0u);
      EXPECT_THAT(node.processes("web"), IsEmpty());
      return;
    case What::stop:
      EXPECT_EQ(node.count("web", "restore"), 1u);
      EXPECT_TRUE(!accepted || state() == "Offline");
      if (state() == "Online") return expect_online(node, 1);
      EXPECT_THAT(node.processes("web"), IsEmpty());
      return;
    case What::restart:
      EXPECT_EQ(state(), "Online");
      return expect_online(node, 2);
  }
}

// Where it may end, by what the command's answer was.
bool at_rest(const AgentNode& node, const Subject& subject, bool accepted) {
  const std::string state = node.view("web", "state");
  const bool online = state == "Online" && node.processes("web").size() == 1;
  const bool offline = state == "Offline" && node.processes("web").empty();
  if (subject.what == What::restart) return online;
  if (accepted) return subject.what == What::start ? online : offline;
  return online || offline;
}

// False when the run ended before the point.
bool strike(const Subject& subject, const Point& point) {
  AgentNode node;
  const TempDir folder;
  const std::string report = folder / "reached";
  const bool accepted = TracedRun(subject, node)
                            .run({GENAPP_INJECT, report, "0", std::to_string(point.number),
                                  std::to_string(point.nth), "0"});
  for (int agent = 0; agent < 2; ++agent) {
    node.start();
    EXPECT_TRUE(wait_until([&] { return at_rest(node, subject, accepted); }))
        << "agent " << agent << ": " << node.view("web", "state") << "\n"
        << node.node().log();
    expect_end(node, subject, accepted);
    node.kill();
  }
  return std::filesystem::exists(report);
}

class AgentSweep : public testing::TestWithParam<Subject> {};

TEST_P(AgentSweep, TheNextAgentEndsWhatWasBegun) {
  const std::vector<Point> points = points_of(GetParam());
  ASSERT_FALSE(points.empty());
  std::size_t reached = 0;
  for (const Point& point : points) {
    SCOPED_TRACE(std::string(GetParam().name) + " " + point.text() + " (" + point.traced + ")");
    reached += strike(GetParam(), point) ? 1 : 0;
  }
  std::cout << "sweep of the agent's " << GetParam().name << ", SIGKILL: " << points.size()
            << " points, " << points.size() - reached << " not reached" << std::endl;
  EXPECT_GE(reached, points.size() / 2);
}

INSTANTIATE_TEST_SUITE_P(
    Tasks, AgentSweep,
    testing::Values(Subject{"start", What::start, "-> Offline", "\"online web", "-> Online"},
                    Subject{"stop", What::stop, "it was Online", "\"offline web", "-> Offline"},
                    Subject{"restart", What::restart, "it was Online", "restart 1 of",
                            "GoingOnlineWait -> Online"}),
    [](const auto& subject) { return std::string(subject.param.name); });

}  // namespace
}  // namespace genapp::tests
