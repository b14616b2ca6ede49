// SIGKILL of the runner of a script at each of its system calls, and of the supervisor of a command
// at each of its: whatever they leave running, the next remove stops, and then a restore works.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <iostream>

#include "tests/support/full_length.hpp"
#include "tests/support/script_node.hpp"
#include "tests/support/wait.hpp"
#include "tests/sweep/points.hpp"

namespace genapp::tests {
namespace {

using testing::IsEmpty;

// The application is a process that only its pid file tells of, and that the script may be killed
// before writing; each script also leaves a helper in a session of its own for a moment.
constexpr char kHelper[] = "setsid sleep 0.05 >/dev/null 2>&1 &\n";

struct Subject {
  const char* name;
  const char* action;
  Who who = Who::command;  // Who::daemon: the supervisor that the action starts
  bool async = false;

  const char* keys() const {
    return async ? "start = \"async\"\nstarted_after = 0.05\nkill_after = 1\nrestart = true\n" : "";
  }
};

void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name; }

void write_scripts(const ScriptNode& node, bool async) {
  if (async) {
    node.script("restore", kHelper + std::string("exec sleep 60"));
    node.script("quickCheck", kHelper);
    std::filesystem::remove(node.script_path("remove"));
    return;
  }
  node.script("restore",
              kHelper + std::string("sleep 60 >/dev/null 2>&1 & echo $! > \"$here/pid\""));
  node.script("quickCheck", kHelper + std::string("kill -0 \"$(cat \"$here/pid\")\""));
  node.script("recover", kHelper + std::string("kill -0 \"$(cat \"$here/pid\")\""));
  node.script("remove",
              kHelper + std::string("[ -s \"$here/pid\" ] && kill \"$(cat \"$here/pid\")\"\n"
                                    "rm -f \"$here/pid\""));
}

void prepare(const ScriptNode& node, const Subject& subject) {
  write_scripts(node, subject.async);
  if (subject.action == std::string("restore")) return;
  const Result restored = node.run("restore");
  if (restored.exit_code != 0) throw std::runtime_error(restored.err);
}

Command under(ScriptNode& node, std::vector<std::string> tracer, const std::string& action) {
  for (const std::string& word : {program(action), std::string("-t"), std::string("web"),
                                  std::string("-i"), std::string("web1")}) {
    tracer.push_back(word);
  }
  return node.node().command(std::move(tracer));
}

// strace's file of one of the processes; empty while there is none. A supervisor names itself, and
// has heard that its start counts once it has read "C".
std::string traced_text(const TempDir& folder, Who who) {
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const std::string text = read_file(entry.path().string());
    const bool supervisor = text.find("\"genapp-super\"") != std::string::npos;
    const bool command = text.find("] execve(") < text.find('\n');
    if (who == Who::command ? command : supervisor && text.find("\"C\"") != std::string::npos) {
      return text;
    }
  }
  return "";
}

Trace trace_of(const Subject& subject) {
  ScriptNode node(subject.keys());
  prepare(node, subject);
  const TempDir folder;
  Process strace(under(
      node, {"/usr/bin/strace", "-I", "2", "-ff", "-n", "-yy", "-s", "64", "-o", folder / "trace"},
      subject.action));
  EXPECT_TRUE(wait_until([&] {
    return has_ended(traced_text(folder, Who::command)) &&
           !traced_text(folder, subject.who).empty();
  }));
  const std::string text = traced_text(folder, subject.who);
  strace.stop();
  node.run("remove");
  return parse_trace(text);
}

// False when the run ended before the point.
bool strike(const Subject& subject, const Point& point) {
  ScriptNode node(subject.keys());
  prepare(node, subject);
  const TempDir folder;
  const std::string report = folder / "reached";
  run(under(node,
            {GENAPP_INJECT, report, std::to_string(static_cast<int>(point.who)),
             std::to_string(point.number), std::to_string(point.nth), "0"},
            subject.action));
  const Result removed = node.run("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_TRUE(wait_until([&] { return node.processes().empty(); }, std::chrono::seconds(5)))
      << "what was left still runs after a remove";
  EXPECT_THAT(node.node().run_files(), IsEmpty());
  const Result restored = node.run("restore");
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  return std::filesystem::exists(report);
}

// A run costs five programs: the subset takes every fourth of the spread points.
std::vector<Point> points_of(const Subject& subject) {
  const Trace trace = trace_of(subject);
  if (full_length()) return kill_points(trace, subject.who, Choice::every);
  std::vector<Point> some;
  const auto spread = kill_points(trace, subject.who, Choice::spread);
  for (std::size_t i = 0; i < spread.size(); i += 4) some.push_back(spread[i]);
  return some;
}

class ScriptSweep : public testing::TestWithParam<Subject> {};

TEST_P(ScriptSweep, NoOrphanOutlivesTheNextRemove) {
  const std::vector<Point> points = points_of(GetParam());
  ASSERT_FALSE(points.empty());
  std::size_t reached = 0;
  for (const Point& point : points) {
    SCOPED_TRACE(std::string(GetParam().name) + " " + point.text() + " (" + point.traced + ")");
    reached += strike(GetParam(), point) ? 1 : 0;
  }
  std::cout << "sweep of a script's " << GetParam().name << ", SIGKILL: " << points.size()
            << " points, " << points.size() - reached << " not reached" << std::endl;
  EXPECT_GE(reached, points.size() * 4 / 5);
}

INSTANTIATE_TEST_SUITE_P(Actions, ScriptSweep,
                         testing::Values(Subject{"restore", "restore"}, Subject{"remove", "remove"},
                                         Subject{"quickCheck", "quickCheck"},
                                         Subject{"recover", "recover"},
                                         Subject{"async_restore", "restore", Who::command, true},
                                         Subject{"async_supervisor", "restore", Who::daemon, true},
                                         Subject{"async_remove", "remove", Who::command, true},
                                         Subject{"async_recover", "recover", Who::command, true}),
                         [](const auto& subject) { return std::string(subject.param.name); });

}  // namespace
}  // namespace genapp::tests
