#include "agent/run/actions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "agent/run/task_file.hpp"
#include "agent/view.hpp"
#include "cluster/registry.hpp"
#include "common/process.hpp"
#include "tests/support/node.hpp"
#include "tests/unit/agent/run/testing.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using common::State;
using testing::HasSubstr;

struct Told {
  std::string tag;
  Task task{};
  Ended how{};
  std::string reason;
};

class ActionsTest : public testing::Test, protected Bench {
 protected:
  ActionsTest() {
    std::filesystem::create_directory(folder / "run");
    std::filesystem::permissions(folder / "run", std::filesystem::perms(0755));
    run_dir.emplace(tests::open_dir(folder / "run"));
    files.emplace(*run_dir);
    actions.emplace(Actions::Setup{
        io, launcher, around, *run_dir,
        [this](const ResourceConfig&, StartupWhen when, StartupDone done) -> std::shared_ptr<void> {
          asked.push_back(when);
          startup = std::move(done);
          return std::make_shared<int>();
        },
        [this](const std::string& tag, Task task, Ended how, const std::string& reason) {
          told.push_back({tag, task, how, reason});
        },
        [this](const Notice& notice) { notices.push_back(notice.text); }});
  }

  static TaskRun task(Task what, Attributes::Duration limit = kLongTest) { return {what, limit}; }
  void state(State now) { cluster::StateFile(*run_dir, resource.id).write(now); }
  State state() const { return cluster::StateFile(*run_dir, resource.id).read(); }
  // What the next end is.
  Told end() {
    EXPECT_TRUE(run_until(io, [this] { return !told.empty(); }));
    if (told.empty()) return {};
    const Told first = told.front();
    told.erase(told.begin());
    return first;
  }

  const ResourceConfig resource = resource_of("db");
  std::optional<common::Directory> run_dir{};
  std::optional<TaskFiles> files{};
  std::vector<StartupWhen> asked{};
  StartupDone startup{};
  std::vector<Told> told{};
  std::vector<std::string> notices{};
  std::optional<Actions> actions{};
};

TEST_F(ActionsTest, AStartIsRestoreAndOnRecordWhileItRuns) {
  script("restore", "echo $* >$D/args; echo $$ >$D/pid; until test -e $D/go; do sleep 0.01; done");
  actions->run(resource, task(Task::start));
  ASSERT_TRUE(run_until(io, [&] { return has("pid"); }));
  const auto left = files->read(resource.tag);
  ASSERT_TRUE(left && left->process);
  EXPECT_EQ(left->task, Task::start);
  EXPECT_EQ(left->process->pid, pid_in("pid"));
  EXPECT_EQ(left->process->start_ticks, common::start_ticks(pid_in("pid")).value());
  EXPECT_TRUE(told.empty());
  tests::write_file(folder / "go", "x");
  const Told ended = end();
  EXPECT_EQ(ended.tag, "db");
  EXPECT_EQ(ended.task, Task::start);
  EXPECT_EQ(ended.how, Ended::done);
  EXPECT_EQ(read("args"), "-t db -i db-id\n");
  EXPECT_FALSE(files->read(resource.tag));
}

TEST_F(ActionsTest, AFailedStartTellsTheLastLine) {
  script("restore", "echo the port is taken >&2; exit 1");
  actions->run(resource, task(Task::start));
  const Told ended = end();
  EXPECT_EQ(ended.how, Ended::failed);
  EXPECT_EQ(ended.reason, "the port is taken");
  EXPECT_FALSE(files->read(resource.tag));
}

TEST_F(ActionsTest, StopAndCleanAreRemove) {
  script("remove", "exit 0");
  for (const Task what : {Task::stop, Task::clean}) {
    actions->run(resource, task(what));
    const Told ended = end();
    EXPECT_EQ(ended.task, what);
    EXPECT_EQ(ended.how, Ended::done);
  }
}

TEST_F(ActionsTest, WhatIsMissingFails) {
  actions->run(resource, task(Task::stop));
  const Told ended = end();
  EXPECT_EQ(ended.how, Ended::failed);
  EXPECT_THAT(ended.reason, HasSubstr("remove\" can't be started"));
}

TEST_F(ActionsTest, ByRecoverACleanIsNothingAndAStartIsRecover) {
  script("recover", "exit 0");
  TaskRun clean = task(Task::clean);
  clean.by_recover = true;
  actions->run(resource, clean);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(end().how, Ended::done);
  TaskRun start = task(Task::start);
  start.by_recover = true;
  actions->run(resource, start);
  EXPECT_EQ(end().how, Ended::done);
}

TEST_F(ActionsTest, AnUnwritableRecordKeepsNothingFromBeingStarted) {
  script("restore", "exit 0");
  std::filesystem::remove_all(folder / "run/agent/tasks");
  actions->run(resource, task(Task::start));
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_THAT(notices, testing::ElementsAre(HasSubstr("task file")));
}

TEST_F(ActionsTest, AMonitorOfWhatIsOutOfServiceStartsNothing) {
  script("quickCheck", "echo x >$D/ran");
  for (const State now : {State::out_unimpaired, State::out_failed}) {
    state(now);
    actions->run(resource, task(Task::monitor));
    EXPECT_TRUE(told.empty());
    const Told ended = end();
    EXPECT_EQ(ended.how, Ended::failed);
    EXPECT_EQ(ended.reason, "it is out of service");
  }
  EXPECT_FALSE(has("ran"));
}

TEST_F(ActionsTest, AMonitorsVerdictIsQuickChecks) {
  state(State::in_service_protected);
  const std::vector<std::pair<std::string, Ended>> cases{{"exit 0", Ended::done},
                                                         {"exit 1", Ended::failed},
                                                         {"exit 64", Ended::unknown},
                                                         {"kill -KILL $$", Ended::unknown}};
  for (const auto& [text, how] : cases) {
    script("quickCheck", text);
    actions->run(resource, task(Task::monitor));
    EXPECT_EQ(end().how, how) << text;
  }
  std::filesystem::remove(folder / "quickCheck");
  actions->run(resource, task(Task::monitor));
  EXPECT_EQ(end().how, Ended::unknown);
}

TEST_F(ActionsTest, AStateThatCantBeReadIsUnknown) {
  tests::write_file(folder / "run/db-id.state", "nonsense");
  actions->run(resource, task(Task::monitor));
  EXPECT_EQ(end().how, Ended::unknown);
}

TEST_F(ActionsTest, AMonitorThatHangsIsKilled) {
  state(State::in_service_protected);
  script("quickCheck", "trap '' TERM; echo $$ >$D/pid; while :; do sleep 0.05; done");
  actions->run(resource, task(Task::monitor, 400ms));
  EXPECT_EQ(end().how, Ended::timed_out);
  ASSERT_TRUE(has("pid"));
  EXPECT_NE(::kill(pid_in("pid"), 0), 0);
}

TEST_F(ActionsTest, ADroppedMonitorIsEndedAndToldToNobody) {
  state(State::in_service_protected);
  script("quickCheck", "echo $$ >$D/pid; exec sleep 1000");
  actions->run(resource, task(Task::monitor));
  ASSERT_TRUE(run_until(io, [&] { return has("pid"); }));
  actions->drop("db");
  EXPECT_TRUE(run_until(io, [&] { return ::kill(pid_in("pid"), 0) != 0; }));
  run_for(io, 30ms);
  EXPECT_TRUE(told.empty());
}

TEST_F(ActionsTest, ADropLeavesAStartAlone) {
  script("restore", "echo $$ >$D/pid; until test -e $D/go; do sleep 0.01; done");
  actions->run(resource, task(Task::start));
  ASSERT_TRUE(run_until(io, [&] { return has("pid"); }));
  actions->drop("db");
  tests::write_file(folder / "go", "x");
  EXPECT_EQ(end().how, Ended::done);
}

TEST_F(ActionsTest, OpenReadsTheResource) {
  const tests::ScopedEnv config("GENAPP_CONFIG_DIR", folder.path());
  actions->run(resource, task(Task::open));
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(end().how, Ended::failed);
  std::filesystem::create_directory(folder / "resources.d");
  tests::write_file(folder / "resources.d/db.toml",
                    "type = \"script\"\nid = \"db-id\"\ninfo = \"\"\n");
  actions->run(resource, task(Task::open));
  const Told ended = end();
  EXPECT_EQ(ended.how, Ended::done) << ended.reason;
}

TEST_F(ActionsTest, AMethodIsRunInPlaceAndTheStateIsRecordedAfterAStart) {
  TaskRun start = task(Task::start);
  start.method = {script("mine", "echo $GENAPP_TAG $GENAPP_ID $GENAPP_EVENT >$D/env"), "x"};
  actions->run(resource, start);
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_EQ(read("env"), "db db-id restart\n");
  EXPECT_EQ(state(), State::in_service_protected);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/db-id.lock"));
}

TEST_F(ActionsTest, AMethodThatFailsRecordsNothing) {
  TaskRun start = task(Task::start);
  start.method = {script("mine", "echo no >&2; exit 7")};
  actions->run(resource, start);
  const Told ended = end();
  EXPECT_EQ(ended.how, Ended::failed);
  EXPECT_EQ(ended.reason, "no");
  EXPECT_EQ(state(), State::out_unimpaired);
}

TEST_F(ActionsTest, AnUnprotectedOneStaysSo) {
  state(State::in_service_unprotected);
  TaskRun start = task(Task::start);
  start.method = {script("mine", "exit 0")};
  actions->run(resource, start);
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_EQ(state(), State::in_service_unprotected);
}

TEST_F(ActionsTest, WhatRunsAlreadyIsNotStarted) {
  script("restore", "echo x >$D/ran");
  TaskRun start = task(Task::start);
  start.with_startup_monitors = true;
  actions->run(resource, start);
  ASSERT_EQ(asked, std::vector{StartupWhen::before});
  startup(std::nullopt);
  const Told ended = end();
  EXPECT_EQ(ended.how, Ended::done);
  EXPECT_THAT(ended.reason, HasSubstr("runs already"));
  EXPECT_EQ(state(), State::in_service_protected);
  EXPECT_FALSE(has("ran"));
}

TEST_F(ActionsTest, WhatDoesNotRunIsStartedAndWaitedFor) {
  script("restore", "echo x >$D/ran");
  TaskRun start = task(Task::start);
  start.with_startup_monitors = true;
  for (const bool up : {true, false}) {
    asked.clear();
    actions->run(resource, start);
    startup("it does not run");
    ASSERT_TRUE(run_until(io, [&] { return asked.size() == 2; }));
    EXPECT_TRUE(has("ran"));
    EXPECT_EQ(asked.back(), StartupWhen::after);
    startup(up ? std::nullopt : std::optional<std::string>("not up in time"));
    const Told ended = end();
    EXPECT_EQ(ended.how, up ? Ended::done : Ended::failed);
    EXPECT_EQ(ended.reason, up ? "" : "not up in time");
  }
}

TEST_F(ActionsTest, ALivingOneOfAnEarlierAgentsIsWaitedFor) {
  script("restore", "echo x >$D/ran");
  tests::Child other([] {
    ::pause();
    return 5;
  });
  const common::Fd file = files->begin(resource.tag, Task::start);
  const std::string record =
      common::format_pid_record({other.pid(), common::start_ticks(other.pid()).value()});
  ASSERT_EQ(::write(file.get(), record.data(), record.size()), ssize_t(record.size()));
  actions->adopt(resource, task(Task::start));
  run_for(io, 50ms);
  EXPECT_TRUE(told.empty());
  other.signal(SIGKILL);
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_FALSE(has("ran"));
  EXPECT_FALSE(files->read(resource.tag));
}

TEST_F(ActionsTest, OneOfAnEarlierAgentsThatHasEndedIsDone) {
  script("restore", "echo x >$D/ran");
  const common::Fd file = files->begin(resource.tag, Task::start);
  ASSERT_EQ(::write(file.get(), "1 999\n", 6), 6);
  actions->adopt(resource, task(Task::start));
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_FALSE(has("ran"));
}

TEST_F(ActionsTest, OneThatNeverRanIsRunAgain) {
  script("restore", "echo x >>$D/ran");
  files->begin(resource.tag, Task::start);
  actions->adopt(resource, task(Task::start));
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_EQ(read("ran"), "x\n");
  actions->adopt(resource, task(Task::start));  // without a file
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_EQ(read("ran"), "x\nx\n");
}

TEST_F(ActionsTest, AStartOfWhatIsInServiceIsNotRunAgain) {
  script("restore", "echo x >$D/ran");
  state(State::in_service_protected);
  files->begin(resource.tag, Task::start);
  actions->adopt(resource, task(Task::start));
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_FALSE(has("ran"));
  EXPECT_FALSE(files->read(resource.tag));
}

// What it restarts is in service on record all along: that says nothing of the restart.
TEST_F(ActionsTest, ARestartThatNeverRanIsRunAgainThoughItIsInService) {
  script("recover", "echo recover >>$D/ran");
  TaskRun recover = task(Task::start);
  recover.by_recover = true;
  TaskRun method = task(Task::start);
  method.method = {script("mine", "echo mine >>$D/ran")};
  state(State::in_service_protected);
  std::string ran;
  for (const TaskRun& restart : {recover, method}) {
    for (const bool with_file : {false, true}) {
      if (with_file) files->begin(resource.tag, Task::start);
      actions->adopt(resource, restart);
      EXPECT_EQ(end().how, Ended::done);
      ran += restart.by_recover ? "recover\n" : "mine\n";
      EXPECT_EQ(read("ran"), ran);
    }
  }
}

// Restore follows it, and where the agent is killed before that, the next one must not take what is
// on record for a restore that was done.
TEST_F(ActionsTest, WhatACleanupMethodHasTakenOutForARestoreIsOutOfService) {
  TaskRun clean = task(Task::clean);
  clean.method = {script("mine", "exit 0")};
  clean.restore_follows = true;
  state(State::in_service_protected);
  actions->run(resource, clean);
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_EQ(state(), State::out_unimpaired);
}

TEST_F(ActionsTest, ACleanupMethodThatFailsOrComesBeforeARestartMethodRecordsNothing) {
  TaskRun clean = task(Task::clean);
  clean.method = {script("mine", "exit 7")};
  clean.restore_follows = true;
  state(State::in_service_protected);
  actions->run(resource, clean);
  EXPECT_EQ(end().how, Ended::failed);
  EXPECT_EQ(state(), State::in_service_protected);
  clean.method = {script("mine", "exit 0")};
  clean.restore_follows = false;
  state(State::in_service_unprotected);
  actions->run(resource, clean);
  EXPECT_EQ(end().how, Ended::done);
  EXPECT_EQ(state(), State::in_service_unprotected);
}

TEST_F(ActionsTest, AForgottenOneGoesOnAndIsToldToNobody) {
  script("restore", "echo $$ >$D/pid; until test -e $D/go; do sleep 0.01; done; echo x >$D/done");
  actions->run(resource, task(Task::start));
  ASSERT_TRUE(run_until(io, [&] { return has("pid"); }));
  actions->forget(resource.tag);
  EXPECT_FALSE(files->read(resource.tag));
  tests::write_file(folder / "go", "x");
  EXPECT_TRUE(run_until(io, [&] { return has("done"); }));
  EXPECT_TRUE(run_until(io, [&] { return ::kill(pid_in("pid"), 0) != 0; }));
  EXPECT_TRUE(told.empty());
}

TEST(TaskFilesTest, HalfOfAFileIsNone) {
  const tests::TempDir temp;
  std::filesystem::permissions(temp.path(), std::filesystem::perms(0755));
  const common::Directory dir = tests::open_dir(temp.path());
  const TaskFiles files(dir);
  const common::Tag tag("db");
  EXPECT_FALSE(files.read(tag));
  for (const std::string text : {"", "sta", "start", "monitor\n", "nonsense\n1 2\n"}) {
    tests::write_file(temp / "agent/tasks/db", text);
    EXPECT_FALSE(files.read(tag)) << text;
  }
  for (const std::string text : {"start\n", "start\n12", "start\n12 34", "start\nx y\n"}) {
    tests::write_file(temp / "agent/tasks/db", text);
    const auto left = files.read(tag);
    EXPECT_TRUE(left && !left->process) << text;
  }
}

TEST(EnvironmentForChildren, IsOursWithoutWhatIsSaidToUsAlone) {
  const char* const own[] = {"PATH=/bin",         "NOTIFY_SOCKET=/x",     "WATCHDOG_USEC=1",
                             "WATCHDOG_PID=1",    "LISTEN_FDS=1",         "GENAPP_RUN=1-2",
                             "GENAPP_RUN_DIR=/r", "GENAPP_CONFIG_DIR=/c", nullptr};
  EXPECT_THAT(environment_for_children(own),
              testing::ElementsAre("PATH=/bin", "GENAPP_RUN_DIR=/r", "GENAPP_CONFIG_DIR=/c"));
}

}  // namespace
}  // namespace genapp::agent
