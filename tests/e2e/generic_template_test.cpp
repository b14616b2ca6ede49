// templates/generic and examples/nginx: the four actions for a daemon that the user names.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <functional>

#include "tests/e2e/apps.hpp"
#include "tests/e2e/nginx.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class GenericTemplate : public testing::Test {
 protected:
  GenericTemplate() {
    apps.add("generic", "app");
    command("exec sleep 600");
  }
  void command(const std::string& text) { apps.set("app", "APP_COMMAND", text); }
  Result act(const std::string& action) { return apps.action(action, "app"); }
  // The script itself.
  Result run(const std::string& action) { return apps.run("app", action); }
  void restore() {
    const Result result = act("restore");
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  void expect_remove() {
    const Result result = act("remove");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(apps.left_nothing("app"));
  }
  pid_t pid() { return apps.process("app"); }
  pid_t pid_in(const std::string& file) {
    EXPECT_TRUE(wait_until([&] { return !read_file(apps.path(file)).empty(); }));
    return static_cast<pid_t>(std::atol(read_file(apps.path(file)).c_str()));
  }

  Apps apps;
};

TEST_F(GenericTemplate, LifeOfAnApplication) {
  EXPECT_EQ(run("quickCheck").exit_code, 1);
  restore();
  const pid_t first = pid();
  EXPECT_TRUE(process_exists(first));
  EXPECT_EQ(act("quickCheck").exit_code, 0);

  restore();  // again: nothing changes
  EXPECT_EQ(pid(), first);

  EXPECT_EQ(act("recover").exit_code, 0);
  const pid_t second = pid();
  EXPECT_NE(second, first);
  EXPECT_FALSE(process_exists(first));
  EXPECT_EQ(act("quickCheck").exit_code, 0);

  expect_remove();
  EXPECT_FALSE(process_exists(second));
  EXPECT_EQ(run("quickCheck").exit_code, 1);
  EXPECT_EQ(act("quickCheck").exit_code, 0);  // out of service
  EXPECT_EQ(act("recover").exit_code, 1);
  expect_remove();  // again
}

TEST_F(GenericTemplate, DeathIsSeenAndRecovered) {
  restore();
  const pid_t first = pid();
  apps.crash("app");
  const Result check = act("quickCheck");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("does not run"));
  EXPECT_EQ(act("recover").exit_code, 0);
  EXPECT_EQ(act("quickCheck").exit_code, 0);
  EXPECT_NE(pid(), first);
}

TEST_F(GenericTemplate, TheInfoReachesCommandAndCheck) {
  const std::string folder = "folder = \"" + apps.folder() + "/app\"";
  apps.describe("app", folder, "two words");
  command("echo \"info: $GENAPP_INFO $GENAPP_TAG\"; exec sleep 600");
  apps.set("app", "APP_CHECK", "[ \"$GENAPP_INFO\" = \"two words\" ]");
  restore();
  EXPECT_THAT(apps.log("app"), HasSubstr("info: two words app"));
  EXPECT_EQ(act("quickCheck").exit_code, 0);
  apps.describe("app", folder, "other");
  EXPECT_EQ(act("quickCheck").exit_code, 1);
}

TEST_F(GenericTemplate, RestoreWaitsForTheCheck) {
  command("sleep 1; touch " + apps.path("usable") + "; exec sleep 600");
  apps.set("app", "APP_CHECK", "test -e " + apps.path("usable"));
  restore();
  EXPECT_TRUE(fs::exists(apps.path("usable")));
  EXPECT_EQ(act("quickCheck").exit_code, 0);
  fs::remove(apps.path("usable"));
  const Result check = act("quickCheck");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("the check fails"));
}

TEST_F(GenericTemplate, AHangingCheckFails) {
  restore();
  apps.set("app", "APP_CHECK", "trap \"\" TERM; sleep 600 & wait; sleep 600");
  apps.set("app", "APP_CHECK_TIMEOUT", "1");
  EXPECT_EQ(act("quickCheck").exit_code, 1);
}

TEST_F(GenericTemplate, AStoppedProcessIsNotHealthyAndIsRecovered) {
  apps.set("app", "APP_STOP_TIMEOUT", "1");
  restore();
  apps.signal("app", SIGSTOP);
  EXPECT_EQ(act("quickCheck").exit_code, 1);
  EXPECT_EQ(act("recover").exit_code, 0);
  EXPECT_EQ(act("quickCheck").exit_code, 0);
}

TEST_F(GenericTemplate, RemoveTakesEverythingAlong) {
  // A child, and one that has left session and parent.
  command("sleep 600 & echo $! >" + apps.path("child") + "; setsid -f sh -c \"echo \\$\\$ >" +
          apps.path("daemon") + "; exec sleep 600\"; wait");
  apps.set("app", "APP_STOP_TIMEOUT", "5");
  restore();
  const pid_t child = pid_in("child");
  const pid_t daemon = pid_in("daemon");
  EXPECT_TRUE(process_exists(child));
  EXPECT_TRUE(process_exists(daemon));
  expect_remove();
  EXPECT_FALSE(process_exists(child));
  EXPECT_FALSE(process_exists(daemon));
}

TEST_F(GenericTemplate, RemoveKillsWhatIgnoresTerm) {
  command("trap \"\" TERM; while :; do sleep 600; done");
  apps.set("app", "APP_STOP_TIMEOUT", "1");
  restore();
  const pid_t process = pid();
  const Result result = act("remove");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("KILL"));
  EXPECT_FALSE(process_exists(process));
}

TEST_F(GenericTemplate, UsesTheStopSignal) {
  command("trap \"echo got INT; exit 0\" INT; while :; do sleep 0.1; done");
  apps.set("app", "APP_STOP_SIGNAL", "INT");
  restore();
  expect_remove();
  EXPECT_THAT(apps.log("app"), HasSubstr("got INT"));
}

// A package upgrade replaces the executable; a wrapper becomes another one.
TEST_F(GenericTemplate, KnowsAProcessWhoseExecutableChanged) {
  fs::copy("/usr/bin/sleep", apps.path("daemon"));
  command("sleep 2; exec " + apps.path("daemon") + " 600");
  restore();
  const pid_t process = pid();
  const auto executable = [&] {
    return fs::read_symlink("/proc/" + std::to_string(process) + "/exe").string();
  };
  ASSERT_TRUE(wait_until([&] { return executable() == apps.path("daemon"); }));
  fs::remove(apps.path("daemon"));
  EXPECT_THAT(executable(), HasSubstr("(deleted)"));
  EXPECT_EQ(act("quickCheck").exit_code, 0);
  expect_remove();
  EXPECT_FALSE(process_exists(process));
}

TEST_F(GenericTemplate, TwoRestoresAtOnceStartOne) {
  command("echo begins; exec sleep 600");
  const std::string script = apps.folder() + "/app/restore";
  Process one(apps.command("app", script, {"-t", "app", "-i", "app"}));
  Process two(apps.command("app", script, {"-t", "app", "-i", "app"}));
  EXPECT_EQ(one.wait().exit_code, 0);
  EXPECT_EQ(two.wait().exit_code, 0);
  const std::string log = apps.log("app");
  EXPECT_EQ(log.find("begins"), log.rfind("begins")) << log;
  expect_remove();
}

TEST_F(GenericTemplate, TwoRestoresOfTheResourceStartOne) {
  command("echo begins; exec sleep 600");
  Process one(apps.action_command("restore", "app"));
  Process two(apps.action_command("restore", "app"));
  EXPECT_EQ(one.wait().exit_code, 0);
  EXPECT_EQ(two.wait().exit_code, 0);
  const std::string log = apps.log("app");
  EXPECT_EQ(log.find("begins"), log.rfind("begins")) << log;
  expect_remove();
}

// LifeKeeper copies a script elsewhere, under the tag's name, and may pass more arguments.
TEST_F(GenericTemplate, RunsAsARenamedCopy) {
  for (const char* action : {"restore", "quickCheck", "recover", "remove"}) {
    const std::string copy = apps.path(std::string("!") + action);
    fs::create_directory(copy);
    fs::copy(apps.folder() + "/app/" + action, copy + "/app");
    const Result result = tests::run(
        apps.command("app", copy + "/app", {"-t", "app", "-i", "app", "-R", "--", "more"}));
    EXPECT_EQ(result.exit_code, 0) << action << ": " << result.err;
  }
  EXPECT_TRUE(apps.left_nothing("app"));
}

TEST_F(GenericTemplate, SparesAStrangerWithTheNumber) {
  Process other(Command{{"sleep", "600"}});
  const std::string stale =
      std::to_string(other.pid()) + " 1 " + read_file("/proc/sys/kernel/random/boot_id");
  for (const char* action : {"remove", "recover", "restore"}) {
    write_file(apps.record("app"), stale);
    EXPECT_EQ(run(action).exit_code, 0) << action;
    EXPECT_TRUE(other.running()) << action;
    EXPECT_NE(pid(), other.pid()) << action;
    expect_remove();
  }
  write_file(apps.record("app"), stale);
  EXPECT_EQ(run("quickCheck").exit_code, 1);
}

TEST_F(GenericTemplate, AStartThatFailsSaysWhyAndIsUndone) {
  command("echo no licence found >&2; exit 3");
  for (const char* action : {"restore", "recover"}) {
    const Result result = run(action);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("no licence found"));
    EXPECT_TRUE(apps.left_nothing("app"));
  }
}

TEST_F(GenericTemplate, AFailedRestoreIsNotWatchedAndIsRemoved) {
  command("echo no licence found >&2; exit 3");
  const Result result = act("restore");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no licence found"));
  EXPECT_EQ(act("quickCheck").exit_code, 0);
  expect_remove();
}

TEST_F(GenericTemplate, AFailedRecoverSaysWhyAndIsSeen) {
  restore();
  command("echo no licence found >&2; exit 3");
  const Result result = act("recover");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no licence found"));
  EXPECT_EQ(act("quickCheck").exit_code, 1);
  expect_remove();
}

TEST_F(GenericTemplate, ACheckThatNeverPassesUndoesTheStart) {
  apps.set("app", "APP_CHECK", "false");
  apps.set("app", "APP_START_TIMEOUT", "1");
  const Result result = run("restore");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("not ready after 1 s"));
  EXPECT_TRUE(apps.left_nothing("app"));
}

TEST_F(GenericTemplate, WithoutACommandSaysSo) {
  command("");
  const Result result = run("restore");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("APP_COMMAND is not set"));
  EXPECT_EQ(run("remove").exit_code, 0);
}

TEST_F(GenericTemplate, BadArgumentsAreRefused) {
  using Arguments = std::vector<std::string>;
  for (const Arguments& arguments :
       {Arguments{}, Arguments{"-t", "app"}, Arguments{"-i", "app"}, Arguments{"-t"},
        Arguments{"-t", "../app", "-i", "app"}, Arguments{"-t", "app", "-i", "a/b"},
        Arguments{"-t", "app", "-i", ""}}) {
    Command command = apps.command("app", apps.folder() + "/app/restore", arguments,
                                   {{"GENAPP_TAG", ""}, {"GENAPP_ID", ""}});
    const Result result = tests::run(command);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("usage"));
  }
}

TEST_F(GenericTemplate, MissingFilesAreNamed) {
  fs::rename(apps.folder() + "/app/settings.sh", apps.path("settings.sh"));
  for (const char* action : {"restore", "remove", "quickCheck", "recover"}) {
    const Result result = run(action);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("app/settings.sh"));
  }
  fs::rename(apps.path("settings.sh"), apps.folder() + "/app/settings.sh");
}

// What a page tells its reader to do, done on a node with the paths of this test.
class Page : public testing::Test {
 protected:
  explicit Page(const std::string& page)
      : text_(read_file(std::string(GENAPP_SOURCE_DIR) + "/" + page)) {
    // By TMPDIR test.sh finds what a test left running.
    node.settings("[script]\npass_environment = [\"TMPDIR\"]\n");
    for (const char* name : {"run", "log"}) fs::create_directory(folder / name);
  }

  // The n-th block of this language.
  std::string block(const std::string& language, int n) const {
    const std::string begin = "```" + language + "\n";
    std::string text = text_;
    for (; n > 0; --n) text.erase(0, text.find(begin) + begin.size());
    return text.substr(0, text.find("```"));
  }
  static void replace(std::string& text, const std::string& what, const std::string& with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
      text.replace(at, what.size(), with);
    }
  }
  std::string here(std::string text) const {
    replace(text, "8080", port.text());
    // The test's own folders may themselves be in one of these.
    replace(text, "/run/", "@run@/");
    replace(text, "/var/log/", "@log@/");
    replace(text, "/etc/genapp", node.config_dir());
    replace(text, "@run@", folder / "run");
    replace(text, "@log@", folder / "log");
    return text;
  }
  void here_in(const std::string& place) const {
    edit(place, [this](std::string& text) { text = here(text); });
  }
  // Each file of this folder.
  void edit(const std::string& place, const std::function<void(std::string&)>& change) const {
    for (const auto& entry : fs::directory_iterator(node.config_dir() + "/" + place)) {
      std::string text = read_file(entry.path());
      change(text);
      write_file(entry.path(), text);
    }
  }
  // As in genapp's folder, with the executables installed.
  Result shell(const std::string& commands) const {
    Command command =
        node.command({"/bin/sh", "-euc",
                      std::string("cd '") + GENAPP_SOURCE_DIR + "'; PATH='" + GENAPP_BIN_DIR +
                          "':$PATH; editor() { :; }\n" + here(commands)});
    command.env["no_proxy"] = "*";  // curl's
    return run(command);
  }

  TempDir folder;
  Node node;
  Port port;

 private:
  std::string text_;
};

class TemplatesPage : public Page {
 protected:
  TemplatesPage() : Page("docs/templates.md") {}
  ~TemplatesPage() override { action("remove"); }

  // The n-th commands and the n-th description, and then what the user does in the editor.
  void follow(int n, const std::function<void(std::string&)>& change) {
    std::string commands = block("sh", 1);
    if (n == 2) {  // "after the first two lines above"
      commands.resize(commands.find('\n', commands.find('\n') + 1) + 1);
      commands += block("sh", 2);
    }
    std::string description = here(block("toml", n));
    for (std::string* text : {&commands, &description}) replace(*text, "TAG", "web");
    const Result copied = shell(commands);
    ASSERT_EQ(copied.exit_code, 0) << copied.err;
    for (const char* place : {"apps/web", "apps/lib"}) here_in(place);
    edit("apps/web", change);
    node.resource_file("web", description);
  }
  Result action(const std::string& name) const { return node.action(name, "web", "app1"); }
};

TEST_F(TemplatesPage, GenericRunsAsItSays) {
  follow(1, [](std::string& text) {
    replace(text, "\nAPP_COMMAND=${APP_COMMAND:-}\n", "\nAPP_COMMAND='exec sleep 600'\n");
  });
  const std::string record = folder / "run/genapp-app1.started";
  for (const std::string name : {"restore", "quickCheck", "recover", "quickCheck", "remove"}) {
    const Result result = action(name);
    EXPECT_EQ(result.exit_code, 0) << name << ": " << result.err;
    EXPECT_EQ(fs::exists(record), name != "remove");
  }
  EXPECT_THAT(node.run_files(), testing::IsEmpty());
}

TEST_F(TemplatesPage, TheOthersRunAsItSays) {
  const Nginx nginx;
  follow(2, [&](std::string& text) {
    replace(text, "/etc/nginx/nginx.conf", nginx.config());
    replace(text, folder / "run/nginx.pid", nginx.pid_file());
  });
  const Result restored = action("restore");
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_TRUE(nginx.serves());
  EXPECT_EQ(action("quickCheck").exit_code, 0);
  EXPECT_EQ(action("remove").exit_code, 0);
  EXPECT_FALSE(accepts(nginx.port()));
  EXPECT_THAT(node.run_files(), testing::IsEmpty());
}

// The commands of examples/nginx/README.md, with the paths and the port of this test.
class NginxExample : public Page {
 protected:
  NginxExample() : Page("examples/nginx/README.md") {
    const Result copied = shell(block("sh", 1));
    EXPECT_EQ(copied.exit_code, 0) << copied.err;
    for (const char* place : {"apps/web", "apps/lib", "resources.d"}) here_in(place);
    // Else nginx makes folders that only root may make.
    const std::string file = node.config_dir() + "/apps/web/nginx.conf";
    std::string config = read_file(file);
    replace(config, "http {\n", "http {\n" + nginx_folders(folder / "run"));
    write_file(file, config);
  }
  ~NginxExample() override { action("remove"); }

  Result action(const std::string& name) const { return node.action(name, "web", "web1"); }

  // Whether nothing but the log is left.
  bool left_nothing() const {
    return node.run_files().empty() && !fs::exists(folder / "run/genapp-web1.pid") &&
           !fs::exists(folder / "run/genapp-web1.started");
  }
};

TEST_F(NginxExample, RunsAsTheReadmeSays) {
  const Result result = shell(block("sh", 2));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("hello from "));
  EXPECT_FALSE(accepts(port.number()));
  EXPECT_TRUE(left_nothing());
}

TEST_F(NginxExample, ServesFromRestoreToRemove) {
  const Result restored = action("restore");
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_TRUE(serves_page(port.number()));
  EXPECT_EQ(action("quickCheck").exit_code, 0);
  EXPECT_EQ(action("recover").exit_code, 0);
  EXPECT_TRUE(serves_page(port.number()));
  EXPECT_EQ(action("remove").exit_code, 0);
  EXPECT_FALSE(accepts(port.number()));
  EXPECT_TRUE(left_nothing());
}

TEST_F(NginxExample, RecoversFromACrash) {
  ASSERT_EQ(action("restore").exit_code, 0);
  const auto pid =
      static_cast<pid_t>(std::atol(read_file(folder / "run/genapp-web1.started").c_str()));
  ASSERT_GT(pid, 1);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] { return !process_exists(pid); }));
  EXPECT_EQ(action("quickCheck").exit_code, 1);
  const Result recovered = action("recover");
  EXPECT_EQ(recovered.exit_code, 0) << recovered.err;
  EXPECT_EQ(action("quickCheck").exit_code, 0);
}

}  // namespace
}  // namespace genapp::tests
