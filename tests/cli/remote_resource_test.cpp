// Resources of type remote through the four executables and genapp, with a stand-in of appmgr: a
// guest in a folder. What the real one does is in tests/unit/remote and tests/cli of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json.hpp>
#include <filesystem>
#include <sstream>

#include "tests/support/node.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Lines = std::vector<std::string>;

// The guest is $here/session: "running", or "ended" and how. What a test puts into $here/VERB comes
// before what appmgr does.
constexpr char kAppmgr[] = R"(
exit_unreachable() {
  echo 'appmgr: error: guest1: connection refused' >&2
  exit 250
}
verb=
line=
for argument in "$@"; do
  line="$line|$argument"
  case $argument in
    --detach | --stop | --status | --acknowledge) [ -n "$verb" ] || verb=${argument#--} ;;
  esac
done
echo "$verb $line" >> "$here/calls"
[ ! -e "$here/$verb" ] || . "$here/$verb"
read -r state how 2>/dev/null < "$here/session"
case $verb:$state in
  status:running) echo '{"session":"web1","state":"running","pid":4711,"command":[]}' ;;
  status:ended)
    echo '{"session":"web1","state":"ended","pid":4711,"end":{'$how'}}'
    exit 1
    ;;
  status:*)
    echo '{"session":"web1","state":"unknown"}'
    exit 1
    ;;
  detach:running) ;;
  detach:ended)
    echo "appmgr: error: guest1: the command has ended: nothing was started" >&2
    exit 1
    ;;
  detach:*) echo running > "$here/session" ;;
  acknowledge:running) exit 1 ;;
  acknowledge:ended) rm "$here/session" ;;
  acknowledge:*) exit 254 ;;
  stop:*) rm -f "$here/session" ;;
esac
)";

constexpr char kUnreachable[] = "echo 'appmgr: error: guest1: connection refused' >&2\nexit 250\n";
// For ever, in the process that was started.
constexpr char kHangs[] = "echo $$ > \"$here/pid\"\nexec sleep 600\n";

class RemoteResource : public testing::Test {
 protected:
  RemoteResource() {
    std::filesystem::create_directory(folder_ / "guest");
    program("appmgr", kAppmgr);
    resource("");
  }

  // Lines under [remote], besides those that are needed.
  void resource(const std::string& keys) {
    const bool own = keys.find("timeout = ") == 0;
    resource_with("appmgr = \"" + (folder_ / "appmgr") + "\"\nstarted_after = 0.05\n" +
                  (own ? "" : "timeout = 1\n") + keys);
  }
  void resource_with(const std::string& keys) {
    node_.resource_file("web",
                        "type = \"remote\"\nid = \"web1\"\n[remote]\nnode = \"guest1\"\n"
                        "command = [\"/usr/sbin/httpd\", \"-f\", \"/etc/my conf\"]\n" +
                            keys);
  }
  void program(const std::string& name, const std::string& body) const {
    write_file(folder_ / name, "#!/bin/sh\nhere='" + folder_.path() + "/guest'\n" + body);
    std::filesystem::permissions(folder_ / name, std::filesystem::perms(0755));
  }
  std::string guest(const std::string& name) const { return folder_ / "guest/" + name; }
  // Before appmgr does what `verb` asks it for.
  void first(const std::string& verb, const std::string& body) const {
    write_file(guest(verb), body);
  }
  void session(const std::string& state) const { write_file(guest("session"), state + "\n"); }
  std::string session() const { return read_file(guest("session")); }
  void state(const std::string& word) const {
    write_file(node_.run_file("web1.state"), word + "\n");
  }
  std::string state() const {
    const std::string text = read_file(node_.run_file("web1.state"));
    return text.substr(0, text.find('\n'));
  }
  // "status", "detach", ... in their order, since the last time.
  Lines verbs() {
    Lines found;
    for (const std::string& call : calls()) found.push_back(call.substr(0, call.find(' ')));
    return found;
  }
  Lines calls() {
    Lines found;
    std::istringstream text(read_file(guest("calls")));
    for (std::string line; std::getline(text, line);) found.push_back(line);
    std::filesystem::remove(guest("calls"));
    return found;
  }
  Result run(const std::string& action) const { return node_.action(action, "web", "web1"); }

  TempDir folder_;
  Node node_;
};

TEST_F(RemoteResource, RestoreStartsItAndRemoveStopsIt) {
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(state(), "ISP");
  EXPECT_EQ(session(), "running\n");
  const Lines up = calls();
  ASSERT_THAT(up, testing::SizeIs(4));
  EXPECT_EQ(up[0], "status |--node|guest1|--session|web1|--timeout|1|--status|--json");
  EXPECT_EQ(up[1], "acknowledge |--node|guest1|--session|web1|--timeout|1|--acknowledge");
  EXPECT_EQ(up[2],
            "detach |--node|guest1|--session|web1|--timeout|1|--detach|--|/usr/sbin/httpd|-f|"
            "/etc/my conf");
  EXPECT_THAT(up[3], StartsWith("status "));

  const Result removed = run("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_EQ(session(), "");
  EXPECT_THAT(calls(), ElementsAre("stop |--node|guest1|--session|web1|--timeout|1|--stop|--forget|"
                                   "--kill-after|10"));
  EXPECT_THAT(node_.run_files(), IsEmpty());
}

TEST_F(RemoteResource, AppmgrIsGivenWhatTheResourceSays) {
  node_.resource_file("web",
                      "type = \"remote\"\nid = \"web1\"\n[remote]\nnode = \"2001:db8::1\"\n"
                      "port = 5316\nsession = \"site-7\"\ncommand = [\"/bin/a\"]\ntimeout = 3\n"
                      "environment = [\"A=b c\", \"B=\"]\nkill_after = 4\nstarted_after = 0\n"
                      "appmgr = \"" +
                          (folder_ / "appmgr") + "\"\n");
  ASSERT_EQ(run("restore").exit_code, 0);
  const Lines up = calls();
  ASSERT_THAT(up, testing::SizeIs(3));
  EXPECT_EQ(up[2],
            "detach |--node|[2001:db8::1]:5316|--session|site-7|--timeout|3|--detach|--env|A=b c|"
            "--env|B=|--|/bin/a");
  ASSERT_EQ(run("remove").exit_code, 0);
  EXPECT_THAT(calls(), ElementsAre(HasSubstr("|--kill-after|4")));
}

// The connection is no part of it: another host, or this one before its reboot, may have started
// it.
TEST_F(RemoteResource, RestoreTakesOverWhatRuns) {
  session("running");
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_THAT(restored.err, HasSubstr("ran already on guest1"));
  EXPECT_EQ(state(), "ISP");
  // The start is made all the same: appmgr refuses another command.
  EXPECT_THAT(verbs(), ElementsAre("status", "detach"));
}

TEST_F(RemoteResource, WhatRunsIsLeftAloneWhenItIsAnotherCommand) {
  session("running");
  first("detach", "echo 'appmgr: error: guest1: it runs another command' >&2\nexit 251\n");
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err,
              HasSubstr("the appserver of guest1 has refused (appmgr: guest1: it runs "
                        "another command)"));
  EXPECT_EQ(state(), "OSF");
  EXPECT_EQ(session(), "running\n");
}

TEST_F(RemoteResource, RestoreRefusesWhatRunsWhereItIsToldTo) {
  resource("already_running = \"fail\"\n");
  session("running");
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, HasSubstr("its command runs already on guest1"));
  EXPECT_EQ(session(), "running\n");
  EXPECT_THAT(verbs(), ElementsAre("status"));
}

TEST_F(RemoteResource, RestoreStartsAnewWhatHasEnded) {
  session("ended \"code\":3");
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(session(), "running\n");
  EXPECT_THAT(verbs(), ElementsAre("status", "acknowledge", "detach", "status"));
}

TEST_F(RemoteResource, AStartThatDoesNotLastHasFailed) {
  first("detach", "echo 'ended \"code\":3' > \"$here/session\"\nexit 0\n");
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err,
              AllOf(HasSubstr("its command has ended on guest1, with exit code 3, within 0.05 s"),
                    HasSubstr("appmgr --node guest1 --attach web1")));
  EXPECT_EQ(state(), "OSF");
  // It stays to be looked at.
  EXPECT_THAT(session(), StartsWith("ended"));
  EXPECT_EQ(run("remove").exit_code, 0);
  EXPECT_EQ(session(), "");
}

TEST_F(RemoteResource, WithoutStartedAfterAStartIsEnough) {
  resource_with("appmgr = \"" + (folder_ / "appmgr") + "\"\nstarted_after = 0\n");
  first("detach", "echo 'ended \"code\":3' > \"$here/session\"\nexit 0\n");
  EXPECT_EQ(run("restore").exit_code, 0);
  EXPECT_THAT(verbs(), ElementsAre("status", "acknowledge", "detach"));
}

TEST_F(RemoteResource, RestoreSaysThatTheGuestCantBeReached) {
  first("status", kUnreachable);
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, HasSubstr("\"web\": the guest guest1 can't be reached (appmgr: guest1: "
                                      "connection refused)"));
  EXPECT_EQ(state(), "OSF");
  EXPECT_THAT(verbs(), testing::Each("status"));
}

// Its appserver may just be started anew: no reason for a cluster to move anything.
TEST_F(RemoteResource, AGuestThatIsGoneForAMomentIsTriedAgain) {
  resource("timeout = 60\n");
  const char* const second_time =
      "if [ ! -e \"$here/tried\" ]; then : > \"$here/tried\"; exit_unreachable; fi\n";
  first("status", second_time);
  EXPECT_EQ(run("restore").exit_code, 0);
  std::filesystem::remove(guest("tried"));
  verbs();
  EXPECT_EQ(run("quickCheck").exit_code, 0);
  EXPECT_THAT(verbs(), ElementsAre("status", "status"));
}

TEST_F(RemoteResource, ARefusedStartHasNothingToBeStopped) {
  for (const char* code : {"250", "251", "252"}) {
    first("detach", "exit " + std::string(code) + "\n");
    EXPECT_EQ(run("restore").exit_code, 1);
    EXPECT_THAT(verbs(), ElementsAre("status", "acknowledge", "detach")) << code;
    EXPECT_EQ(state(), "OSF");
  }
}

TEST_F(RemoteResource, AStartThatMayHaveHappenedIsUndone) {
  first("detach", "echo running > \"$here/session\"\nexit 253\n");
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, HasSubstr("the connection to guest1 was lost; whatever was started is "
                                      "stopped"));
  EXPECT_EQ(session(), "");
  EXPECT_EQ(state(), "OSF");
}

TEST_F(RemoteResource, AStartThatCantBeUndoneIsTold) {
  // Not even where an unreachable guest counts as stopped for remove.
  resource("remove_unreachable = \"ok\"\n");
  first("detach", "exit 253\n");
  first("stop", kUnreachable);
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err,
              HasSubstr("it may run on guest1 all the same, and could not be stopped: "
                        "the guest guest1 can't be reached"));
}

TEST_F(RemoteResource, AGuestThatGoesAwayAfterTheStartFailsTheRestore) {
  first("status", "[ ! -e \"$here/session\" ] || exit_unreachable\n");
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err,
              HasSubstr("it was started, and then the guest guest1 can't be reached"));
  EXPECT_EQ(session(), "");
}

// One in service keeps its state, or quickCheck would look away from it.
TEST_F(RemoteResource, ARestoreThatFailsLeavesTheStateOfOneInService) {
  state("ISP");
  first("status", kUnreachable);
  EXPECT_EQ(run("restore").exit_code, 1);
  EXPECT_EQ(state(), "ISP");
}

TEST_F(RemoteResource, AnAppmgrThatHangsIsEnded) {
  resource("start_timeout = 1\n");
  first("detach", kHangs);
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, AllOf(HasSubstr("appmgr did not end within "),
                                  HasSubstr("nothing is known of guest1; whatever was started is "
                                            "stopped")));
  EXPECT_FALSE(process_exists(std::stoi(read_file(guest("pid")))));
}

TEST_F(RemoteResource, ARemoveThatHangsFailsEvenWhereAGuestMayBeGone) {
  resource("remove_unreachable = \"ok\"\nkill_after = 0\nstop_timeout = 2\n");
  state("ISP");
  first("stop", kHangs);
  const Result removed = run("remove");
  EXPECT_EQ(removed.exit_code, 1);
  EXPECT_THAT(removed.err, AllOf(HasSubstr("appmgr did not end within 2 s"),
                                 HasSubstr("its command may still run there")));
  EXPECT_EQ(state(), "ISP");
  EXPECT_FALSE(process_exists(std::stoi(read_file(guest("pid")))));
}

TEST_F(RemoteResource, AQuickCheckEndsThoughAppmgrHangs) {
  state("ISP");
  first("status", kHangs);
  resource("timeout = 10\n");
  const Result checked = run("quickCheck");
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.err, HasSubstr("appmgr did not end within 4."));
  // appmgr itself is told to give up before.
  EXPECT_THAT(calls(), ElementsAre(HasSubstr("|--timeout|4|")));
  EXPECT_FALSE(process_exists(std::stoi(read_file(guest("pid")))));
}

TEST_F(RemoteResource, NothingIsSaidToBeWellWithoutAnAppmgr) {
  const std::string nowhere = folder_ / "no/appmgr";
  resource_with("appmgr = \"" + nowhere +
                "\"\nremove_unreachable = \"ok\"\non_unreachable = \"warn\"\n");
  for (const char* action : {"restore", "quickCheck", "recover", "remove"}) {
    state("ISP");
    const Result result = run(action);
    EXPECT_EQ(result.exit_code, 1) << action;
    EXPECT_THAT(result.err, HasSubstr("there is no appmgr that can be executed at " + nowhere));
  }
  EXPECT_THAT(run("remove").err, HasSubstr("its command may still run on guest1"));
}

// It has the exit code of a guest that is gone, and knows nothing of it.
TEST_F(RemoteResource, AnAppmgrWithoutKeysMakesNothingWell) {
  resource("remove_unreachable = \"ok\"\non_unreachable = \"warn\"\n");
  program("appmgr", "echo 'appmgr: error: /etc/genapp/tls/appmgr.crt: not there' >&2\nexit 250\n");
  for (const char* action : {"restore", "quickCheck", "recover", "remove"}) {
    state("ISP");
    const Result result = run(action);
    EXPECT_EQ(result.exit_code, 1) << action;
    EXPECT_THAT(result.err, HasSubstr("appmgr could not even try to reach guest1 (appmgr: "
                                      "/etc/genapp/tls/appmgr.crt: not there)"));
  }
}

TEST_F(RemoteResource, AnAppmgrThatCantBeExecutedIsTold) {
  write_file(folder_ / "appmgr", "no program");
  std::filesystem::permissions(folder_ / "appmgr", std::filesystem::perms(0755));
  state("ISP");
  const Result checked = run("quickCheck");
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.err, HasSubstr("can't be started: "));
}

TEST_F(RemoteResource, WhatIsNoAppmgrMakesNothingHealthy) {
  state("ISP");
  for (const std::string body :
       {"exit 0\n", "echo '{}'\n", "echo '{\"state\":1}'\n", "echo '{\"state\":\"fine\"}'\n",
        "echo running\n", "head -c 3000000 /dev/urandom\nexit 1\n", "exit 77\n", "exit 1\n",
        "kill -9 $$\n"}) {
    program("appmgr", body);
    const Result checked = run("quickCheck");
    EXPECT_EQ(checked.exit_code, 1) << body;
    EXPECT_LT(checked.err.size(), 2000u) << body;
    EXPECT_EQ(run("restore").exit_code, 1) << body;
    EXPECT_EQ(state(), "ISP") << body;
  }
}

TEST_F(RemoteResource, WhatAppmgrSaysIsMadeFitForOneLine) {
  state("ISP");
  program("appmgr", "printf 'one\\nappmgr: error: \\033[31mtwo\\a %2000s\\n\\n' x >&2\nexit 251\n");
  const Result checked = run("quickCheck");
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.err, AllOf(HasSubstr("(appmgr: \\x1b[31mtwo\\x07"), Not(HasSubstr("one")),
                                 Not(HasSubstr("\033"))));
  EXPECT_LT(checked.err.size(), 2000u);
}

TEST_F(RemoteResource, QuickCheckLooksAtOneInServiceAlone) {
  first("status", "exit 250\n");
  for (const char* word : {"ISU", "OSF"}) {
    state(word);
    EXPECT_EQ(run("quickCheck").exit_code, 0) << word;
  }
  std::filesystem::remove(node_.run_file("web1.state"));
  EXPECT_EQ(run("quickCheck").exit_code, 0);
  EXPECT_THAT(verbs(), IsEmpty());
}

TEST_F(RemoteResource, QuickCheckTellsItsState) {
  state("ISP");
  struct Case {
    std::string session;
    int exit_code;
    std::string says;
  };
  for (const Case& item : std::vector<Case>{
           {"running", 0, "its command runs on guest1"},
           {"ended \"code\":3", 1, "its command has ended on guest1, with exit code 3"},
           {"ended \"signal\":9", 1, "its command has ended on guest1, with signal 9 (KILL)"},
           {"ended \"unknown\":true", 1, "its command has ended on guest1, and nobody saw how"},
           {"", 1, "its command does not run on guest1: the appserver there knows no session"}}) {
    session(item.session);
    const Result checked = run("quickCheck");
    EXPECT_EQ(checked.exit_code, item.exit_code) << item.session;
    EXPECT_THAT(checked.err, HasSubstr(item.says));
  }
}

TEST_F(RemoteResource, AGuestThatCantBeReachedIsNotHealthyUnlessToldSo) {
  state("ISP");
  first("status", kUnreachable);
  EXPECT_EQ(run("quickCheck").exit_code, 1);
  resource("on_unreachable = \"warn\"\n");
  const Result checked = run("quickCheck");
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_THAT(checked.err, HasSubstr("warning: \"web\": the guest guest1 can't be reached"));
  // Of an appserver that is there, or a command that has ended, something is known.
  for (const char* body : {"exit 251\n", "exit 254\n"}) {
    first("status", body);
    EXPECT_EQ(run("quickCheck").exit_code, 1) << body;
  }
  std::filesystem::remove(guest("status"));
  EXPECT_EQ(run("quickCheck").exit_code, 1);
}

TEST_F(RemoteResource, RemoveOfWhatIsGoneSucceeds) {
  state("OSF");
  EXPECT_EQ(run("remove").exit_code, 0);
  EXPECT_EQ(run("remove").exit_code, 0);
  EXPECT_THAT(node_.run_files(), IsEmpty());
  first("stop", "exit 254\n");
  EXPECT_EQ(run("remove").exit_code, 0);
}

TEST_F(RemoteResource, RemoveNeverSaysQuietlyThatItIsDone) {
  ASSERT_EQ(run("restore").exit_code, 0);
  first("stop", kUnreachable);
  const Result removed = run("remove");
  EXPECT_EQ(removed.exit_code, 1);
  EXPECT_THAT(removed.err, HasSubstr("error: \"web\": the guest guest1 can't be reached (appmgr: "
                                     "guest1: connection refused); its command may still run "
                                     "there"));
  EXPECT_EQ(state(), "ISP");
  for (const char* body : {"exit 251\n", "exit 253\n", "exit 1\n", "exit 64\n"}) {
    first("stop", body);
    EXPECT_EQ(run("remove").exit_code, 1) << body;
  }
}

TEST_F(RemoteResource, AGuestThatStopsWithItsNodeCountsAsStopped) {
  resource("remove_unreachable = \"ok\"\n");
  ASSERT_EQ(run("restore").exit_code, 0);
  // It was up: nobody knows whether the stop was heard.
  first("stop", "exit 253\n");
  EXPECT_EQ(run("remove").exit_code, 1);
  EXPECT_EQ(state(), "ISP");
  first("stop", kUnreachable);
  const Result removed = run("remove");
  EXPECT_EQ(removed.exit_code, 0);
  EXPECT_THAT(removed.err, HasSubstr("warning: \"web\": the guest guest1 can't be reached"));
  EXPECT_THAT(node_.run_files(), IsEmpty());
}

TEST_F(RemoteResource, RecoverStopsItAndStartsItAnew) {
  for (const char* before : {"running", "ended \"code\":3", ""}) {
    state("ISP");
    session(before);
    const Result recovered = run("recover");
    EXPECT_EQ(recovered.exit_code, 0) << recovered.err;
    EXPECT_EQ(session(), "running\n");
    EXPECT_EQ(state(), "ISP");
    EXPECT_THAT(verbs(), ElementsAre("stop", "detach", "status")) << before;
  }
}

TEST_F(RemoteResource, RecoverStartsNothingBesideWhatItCouldNotStop) {
  resource("remove_unreachable = \"ok\"\n");
  state("ISP");
  first("stop", kUnreachable);
  EXPECT_EQ(run("recover").exit_code, 1);
  EXPECT_THAT(verbs(), ElementsAre("stop"));
}

TEST_F(RemoteResource, RecoverLeavesItToTheCluster) {
  EXPECT_THAT(run("recover").err, HasSubstr("only a resource in service can be recovered"));
  resource("recover = \"none\"\n");
  state("ISP");
  const Result recovered = run("recover");
  EXPECT_EQ(recovered.exit_code, 1);
  EXPECT_THAT(recovered.err, HasSubstr("leaving it to the cluster to fail over"));
  EXPECT_THAT(verbs(), IsEmpty());
}

TEST_F(RemoteResource, ARemoveEndsARestoreThatIsAtWork) {
  first("detach", "echo running > \"$here/session\"\n" + std::string(kHangs));
  Process restore = node_.start_action("restore", "web", "web1");
  ASSERT_TRUE(wait_until([&] { return read_file(guest("pid")).ends_with("\n"); }));
  const Result removed = run("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_THAT(removed.err, HasSubstr("ending the restore that is at work"));
  EXPECT_EQ(restore.wait().signal, SIGTERM);
  EXPECT_EQ(session(), "");
  EXPECT_FALSE(process_exists(std::stoi(read_file(guest("pid")))));
  EXPECT_THAT(node_.run_files(), IsEmpty());
}

TEST_F(RemoteResource, AQuickCheckLooksAwayWhileARemoveIsAtWork) {
  state("ISP");
  first("stop", "echo $$ > \"$here/pid\"\nwhile [ ! -e \"$here/go\" ]; do sleep 0.01; done\n");
  Process remove = node_.start_action("remove", "web", "web1");
  ASSERT_TRUE(wait_until([&] { return read_file(guest("pid")).ends_with("\n"); }));
  const Result checked = run("quickCheck");
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_THAT(checked.err, HasSubstr("a remove is at work"));
  write_file(guest("go"), "");
  EXPECT_EQ(remove.wait().exit_code, 0);
}

// What stops it is in the description alone.
TEST_F(RemoteResource, ABrokenDescriptionFailsTheRemove) {
  ASSERT_EQ(run("restore").exit_code, 0);
  for (const char* keys : {"timeout = \"soon\"\n", "nod = \"x\"\n", "kill_after = 59\n"}) {
    resource(keys);
    const Result removed = run("remove");
    EXPECT_EQ(removed.exit_code, 1);
    EXPECT_THAT(removed.err, HasSubstr("web.toml:"));
    EXPECT_EQ(state(), "ISP");
  }
  // With nothing but a state of it.
  std::filesystem::remove(node_.run_file("web1.turn"));
  EXPECT_EQ(run("remove").exit_code, 1);
  EXPECT_EQ(state(), "ISP");
  EXPECT_EQ(session(), "running\n");
}

TEST_F(RemoteResource, AppmgrIsLookedForBesideTheProgram) {
  resource_with("started_after = 0\n");
  std::filesystem::create_directories(folder_ / "libexec/genapp");
  std::filesystem::create_directories(folder_ / "bin");
  const auto restore = [&](const std::string& where) {
    std::filesystem::copy_file(tests::program("restore"), folder_ / where,
                               std::filesystem::copy_options::skip_existing);
    return node_.run({folder_ / where, "-t", "web", "-i", "web1"});
  };
  program("bin/appmgr", kAppmgr);
  EXPECT_EQ(restore("libexec/genapp/restore").exit_code, 0);
  EXPECT_THAT(verbs(), testing::Contains("detach"));
  std::filesystem::remove(folder_ / "bin/appmgr");
  program("libexec/genapp/appmgr", kAppmgr);
  EXPECT_EQ(restore("libexec/genapp/restore").exit_code, 0);
  EXPECT_THAT(verbs(), testing::Contains("detach"));
}

TEST_F(RemoteResource, DeleteWantsARemoveFirst) {
  const auto deleted = [&] { return node_.run({"genapp", "delete", "-t", "web"}); };
  first("status", kUnreachable);
  ASSERT_EQ(run("restore").exit_code, 1);
  const Result refused = deleted();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("no remove has followed: run remove first"));
  ASSERT_EQ(run("remove").exit_code, 0);
  EXPECT_EQ(deleted().exit_code, 0);
  EXPECT_THAT(node_.run_files(), IsEmpty());
}

boost::json::object status_of(const Node& node) {
  const Result result = node.run({"genapp", "status", "web", "--json"});
  return boost::json::parse(result.out).at("resources").at(0).as_object();
}

TEST_F(RemoteResource, StatusTellsWhatRunsInTheGuest) {
  ASSERT_EQ(run("restore").exit_code, 0);
  const Result table = node_.run({"genapp", "status"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, testing::ContainsRegex("web  web1  remote  ISP    4711 on guest1  -"));
  const auto running = status_of(node_);
  EXPECT_TRUE(running.at("alive").as_bool());
  EXPECT_EQ(running.at("node").as_string(), "guest1");
  EXPECT_EQ(running.at("guest_pid").as_int64(), 4711);
  EXPECT_TRUE(running.at("pid").is_null());
  session("ended \"code\":3");
  EXPECT_FALSE(status_of(node_).at("alive").as_bool());
}

TEST_F(RemoteResource, StatusTellsOfAGuestThatCantBeReached) {
  ASSERT_EQ(run("restore").exit_code, 0);
  calls();
  first("status", kUnreachable);
  const Result table = node_.run({"genapp", "status"});
  EXPECT_EQ(table.exit_code, 1);
  EXPECT_THAT(table.err, HasSubstr("the guest guest1 can't be reached"));
  // One that nothing was done with is not asked for: its guest may well be down.
  std::filesystem::remove(guest("stop"));
  ASSERT_EQ(run("remove").exit_code, 0);
  calls();
  EXPECT_EQ(node_.run({"genapp", "status"}).exit_code, 0);
  EXPECT_THAT(verbs(), IsEmpty());
}

TEST_F(RemoteResource, StatusDoesNotWaitForAnAppmgrThatHangs) {
  state("ISP");
  first("status", kHangs);
  const Result table = node_.run({"genapp", "status"});
  EXPECT_EQ(table.exit_code, 1);
  EXPECT_THAT(table.err, HasSubstr("appmgr did not end within 2 s"));
}

TEST_F(RemoteResource, ADrillRefusesIt) {
  state("ISP");
  const Result drilled = node_.run({"genapp", "drill", "-t", "web", "--all", "--yes"});
  EXPECT_EQ(drilled.exit_code, 1);
  EXPECT_THAT(drilled.err, HasSubstr("\"web\" is of type remote: a drill makes"));
}

TEST(RemoteResourceCreate, MakesOneThatRuns) {
  Node node;
  const Result made = node.run({"genapp",  "create",
                                "-t",      "web",
                                "-i",      "web1",
                                "--type",  "remote",
                                "--node",  "guest1",
                                "--set",   "environment=[\"A=b\"]",
                                "--set",   "kill_after=5",
                                "--agent", "critical=true",
                                "--",      "/usr/sbin/httpd",
                                "-f",      "--set",
                                "a \"b\"", "--"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(read_file(node.config_dir() + "/resources.d/web.toml"),
            "type = \"remote\"\nid = \"web1\"\ninfo = \"\"\n[remote]\nnode = \"guest1\"\n"
            "command = [\"/usr/sbin/httpd\", \"-f\", \"--set\", \"a \\\"b\\\"\", \"--\"]\n"
            "environment = [\"A=b\"]\nkill_after = 5\n[agent]\ncritical = true\n");
  EXPECT_THAT(node.run({"genapp", "list"}).out, HasSubstr("web  web1  remote"));
}

TEST(RemoteResourceCreate, RefusesWhatWouldNotRun) {
  const Node node;
  const auto refusal = [&](const Lines& more) {
    Lines argv{"genapp", "create", "-t", "web", "-i", "web1"};
    argv.insert(argv.end(), more.begin(), more.end());
    const Result result = node.run(argv);
    EXPECT_TRUE(result.exit_code == 64) << result.err;
    EXPECT_FALSE(std::filesystem::exists(node.config_dir() + "/resources.d/web.toml"));
    return result.err;
  };
  EXPECT_THAT(refusal({"--type", "remote", "--node", "g", "--", "httpd"}),
              HasSubstr("the command after --: remote.command is \"httpd\", must begin with /"));
  EXPECT_THAT(refusal({"--type", "remote", "--node", "g:1", "--", "/a"}),
              HasSubstr("--node: remote.node is \"g:1\""));
  EXPECT_THAT(refusal({"--type", "remote", "--node", "", "--", "/a"}),
              HasSubstr("--node is empty"));
  EXPECT_THAT(refusal({"--type", "remote", "--node", "g", "--"}),
              HasSubstr("there is no command after --"));
  EXPECT_THAT(refusal({"--type", "remote", "--node", "g"}), HasSubstr("[remote] has no command"));
  EXPECT_THAT(refusal({"--type", "remote", "--", "/a"}), HasSubstr("[remote] has no node"));
  EXPECT_THAT(refusal({"--type", "remote", "--node", "g", "--set", "drain=1", "--", "/a"}),
              HasSubstr("--set \"drain=1\": unknown key"));
  EXPECT_THAT(refusal({"--type", "script", "--set", "folder=/a", "--", "/a"}),
              HasSubstr("are for --type remote"));
  EXPECT_THAT(refusal({"--info", "1", "--node", "g"}), HasSubstr("are for --type remote"));
}

}  // namespace
}  // namespace genapp::tests
