#include "remote/resource/manager_call.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace genapp::remote {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

RemoteConfig config() {
  RemoteConfig made;
  made.node = "guest1";
  made.session = "web1";
  made.command = {"/bin/up", "--", "a b"};
  return made;
}

CallEnd exited(int code, std::string out = "", std::string words = "") {
  return {false, {false, code}, std::move(out), std::move(words), 10s};
}
CallEnd signalled() { return {false, {true, SIGKILL}, "", "", 10s}; }
CallEnd timed_out() { return {true, {}, "", "", 10s}; }

TEST(ManagerCall, SaysWhatToDoAndForHowLong) {
  RemoteConfig about = config();
  about.environment = {"A=b c"};
  about.kill_after = 7s;
  EXPECT_THAT(start_call(about, 4s),
              ElementsAre("--node", "guest1", "--session", "web1", "--timeout", "4", "--detach",
                          "--env", "A=b c", "--", "/bin/up", "--", "a b"));
  EXPECT_THAT(stop_call(about, 4s),
              ElementsAre("--node", "guest1", "--session", "web1", "--timeout", "4", "--stop",
                          "--forget", "--kill-after", "7"));
  EXPECT_THAT(status_call(about, 4s), ElementsAre("--node", "guest1", "--session", "web1",
                                                  "--timeout", "4", "--status", "--json"));
  EXPECT_THAT(acknowledge_call(about, 4s), ElementsAre("--node", "guest1", "--session", "web1",
                                                       "--timeout", "4", "--acknowledge"));
}

TEST(ManagerCall, NamesTheNodeAsAppmgrTakesIt) {
  RemoteConfig about = config();
  EXPECT_EQ(node_text(about), "guest1");
  about.port = 5316;
  EXPECT_EQ(node_text(about), "guest1:5316");
  about.node = "2001:db8::1";
  EXPECT_EQ(node_text(about), "[2001:db8::1]:5316");
  about.port.reset();
  EXPECT_EQ(node_text(about), "2001:db8::1");
}

TEST(ManagerCall, AppmgrGivesUpBeforeItIsEnded) {
  RemoteConfig about = config();
  about.timeout = 10s;
  EXPECT_EQ(silence_within(about, 60s), 10s);
  EXPECT_EQ(silence_within(about, 10s), 9s);
  EXPECT_EQ(silence_within(about, 4500ms), 4s);
  EXPECT_EQ(silence_within(about, 4300ms), 3s);
  // appmgr knows none less.
  EXPECT_EQ(silence_within(about, 500ms), 1s);
  EXPECT_EQ(silence_within(about, -5s), 1s);
}

TEST(ManagerCall, EveryCodeOfAppmgrsHasAMeaning) {
  EXPECT_EQ(meaning_of(config(), exited(0)), Meaning::done);
  EXPECT_EQ(meaning_of(config(), exited(250, "", "appmgr: error: guest1: no route")),
            Meaning::unreachable);
  EXPECT_EQ(meaning_of(config(), exited(253)), Meaning::unreachable);
  EXPECT_EQ(meaning_of(config(), timed_out()), Meaning::unreachable);
  EXPECT_EQ(meaning_of(config(), exited(254)), Meaning::unknown);
  EXPECT_EQ(meaning_of(config(), exited(251)), Meaning::refused);
  EXPECT_EQ(meaning_of(config(), exited(252)), Meaning::refused);
  for (const int code : {1, 2, 64, 77, 126, 127, 137, 249, 255}) {
    EXPECT_EQ(meaning_of(config(), exited(code)), Meaning::failed) << code;
  }
  EXPECT_EQ(meaning_of(config(), signalled()), Meaning::failed);
}

TEST(ManagerCall, AStatusIsWhatItSaysAndNotItsCodeAlone) {
  const auto seen = [](int code, const std::string& out) {
    return meaning_of_status(config(), exited(code, out));
  };
  EXPECT_EQ(seen(0, R"({"state":"running","pid":1})"), Meaning::done);
  EXPECT_EQ(seen(0, R"({"state":"starting"})"), Meaning::done);
  EXPECT_EQ(seen(1, R"({"state":"ended","end":{"code":0}})"), Meaning::not_running);
  EXPECT_EQ(seen(1, R"({"state":"unknown"})"), Meaning::not_running);
  for (const char* out : {"", "{}", "[]", "running", R"({"state":7})", R"({"state":"fine"})",
                          R"({"state":"running")", "\xff"}) {
    EXPECT_EQ(seen(0, out), Meaning::failed) << out;
    EXPECT_EQ(seen(1, out), Meaning::failed) << out;
  }
  EXPECT_EQ(seen(253, R"({"state":"running"})"), Meaning::unreachable);
  EXPECT_EQ(seen(254, ""), Meaning::unknown);
  EXPECT_EQ(meaning_of_status(config(), timed_out()), Meaning::unreachable);
}

TEST(ManagerCall, ReadsWhatAStatusTells) {
  const auto running =
      parse_session_seen(R"({"session":"web1","state":"running","pid":4711,"later":[{}]})"
                         "\n");
  ASSERT_TRUE(running);
  EXPECT_EQ(running->state, "running");
  EXPECT_EQ(running->pid, 4711);
  const auto end = [](const std::string& text) {
    return parse_session_seen(R"({"state":"ended","end":)" + text + "}")->end;
  };
  EXPECT_EQ(end(R"({"code":3})"), "exit code 3");
  EXPECT_EQ(end(R"({"signal":9})"), "signal 9 (KILL)");
  EXPECT_EQ(end(R"({"unknown":true})"), "");
  EXPECT_EQ(end(R"({"code":"3"})"), "");
  EXPECT_EQ(end("7"), "");
  EXPECT_EQ(end(R"({"code":-3})"), "");
  EXPECT_EQ(end(R"({"signal":4294967305})"), "");
  for (const char* pid : {"\"x\"", "-5", "0", "4294967301", "1.5", "1e300"}) {
    const std::string text = R"({"state":"running","pid":)" + std::string(pid) + "}";
    EXPECT_EQ(parse_session_seen(text)->pid, 0) << pid;
  }
}

TEST(ManagerCall, OnlyWhatWasNeverReachedCountsAsGone) {
  const std::string words = "appmgr: error: guest1: no route\n";
  EXPECT_TRUE(was_never_reached(config(), exited(250, "", words)));
  for (const CallEnd& end : {exited(253, "", words), exited(254, "", words), exited(1, "", words),
                             signalled(), timed_out()}) {
    EXPECT_FALSE(was_never_reached(config(), end));
  }
}

// It has the same code, and knows nothing of the guest.
TEST(ManagerCall, AnAppmgrWithoutKeysIsNoGuestThatIsGone) {
  for (const char* words :
       {"", "appmgr: error: /etc/genapp/tls/appmgr.crt: No such file or directory",
        "appmgr: error: guest10: no route", "appmgr: error: guest1: no route\nguest1"}) {
    const CallEnd end = exited(250, "", words);
    EXPECT_EQ(meaning_of(config(), end), Meaning::failed) << words;
    EXPECT_EQ(meaning_of_status(config(), end), Meaning::failed) << words;
    EXPECT_FALSE(was_never_reached(config(), end)) << words;
    EXPECT_THAT(call_text(config(), end), testing::StartsWith("appmgr could not even try"))
        << words;
  }
}

TEST(ManagerCall, AStartThatNobodySawTheEndOfMayHaveHappened) {
  for (const int code : {1, 64, 250, 251, 252})
    EXPECT_FALSE(may_have_started(exited(code))) << code;
  for (const int code : {77, 137, 249, 253, 254}) {
    EXPECT_TRUE(may_have_started(exited(code))) << code;
  }
  EXPECT_TRUE(may_have_started(signalled()));
  EXPECT_TRUE(may_have_started(timed_out()));
}

TEST(ManagerCall, TellsPeopleWhatIsWrongAndWhere) {
  RemoteConfig about = config();
  about.port = 5316;
  EXPECT_EQ(call_text(about, exited(250, "", "appmgr: error: guest1:5316: no route\n")),
            "the guest guest1:5316 can't be reached (appmgr: guest1:5316: no route)");
  EXPECT_EQ(call_text(about, exited(254)),
            "the appserver of guest1:5316 knows no session \"web1\"");
  EXPECT_EQ(call_text(about, signalled()), "appmgr was ended by signal 9 (KILL)");
  EXPECT_EQ(call_text(about, timed_out()),
            "appmgr did not end within 10 s and was ended, so nothing is known of guest1:5316");
  EXPECT_EQ(call_text(about, exited(77)), "appmgr exited with 77");
  EXPECT_THAT(call_text(about, exited(64, "", "x")), HasSubstr("of another version? (appmgr: x)"));
  for (int code = 0; code < 256; ++code) EXPECT_NE(call_text(about, exited(code)), "") << code;
}

TEST(ManagerCall, TellsPeopleHowTheCommandEnded) {
  const auto text = [](const std::string& out) {
    return not_running_text(config(), exited(1, out));
  };
  EXPECT_EQ(text(R"({"state":"ended","end":{"code":3}})"),
            "its command has ended on guest1, with exit code 3");
  EXPECT_EQ(text(R"({"state":"ended","end":{"unknown":true}})"),
            "its command has ended on guest1, and nobody saw how");
  EXPECT_EQ(text(R"({"state":"unknown"})"),
            "its command does not run on guest1: the appserver there knows no session \"web1\"");
}

TEST(ManagerCall, KeepsTheLastLineOfWhatAppmgrSays) {
  EXPECT_EQ(last_words_of(""), "");
  EXPECT_EQ(last_words_of(" \r\n\n"), "");
  EXPECT_EQ(last_words_of("one"), "one");
  EXPECT_EQ(last_words_of("appmgr: warning: one\nappmgr: error: two\r\n\n"), "two");
  EXPECT_EQ(last_words_of("appmgr: one"), "one");
  const std::string bounded = last_words_of(std::string(100000, 'x'));
  EXPECT_LT(bounded.size(), 1000u);
  EXPECT_THAT(last_words_of("a\033[31mb\a"), Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace genapp::remote
