// The real appserver and its keepers, as a client of the protocol sees them.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <fstream>

#include "common/fd.hpp"
#include "tests/support/net.hpp"
#include "tests/support/process.hpp"
#include "tests/support/remote_client.hpp"
#include "tests/support/remote_guest.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using common::Ending;
using common::Id;
using remote::Refusal;
using remote::SessionState;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

class Appserver : public testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_ / name; }
  // A command that appends a line to a file when it starts, and runs until it is ended.
  remote::Start counting(const std::string& session, const std::string& manager = "m1") const {
    return shell(session, "echo started >> " + file(session) + "; exec sleep 1000", manager);
  }
  // Once it has started at all.
  std::size_t starts(const std::string& session) const {
    const auto count = [&] { return count_of(read_file(file(session)), "started"); };
    wait_until([&] { return count() > 0; });
    return count();
  }
  bool runs(pid_t pid) const { return process_exists(pid); }
  remote::SessionView view(const std::string& session) {
    RemoteClient client(guest.port(), guest.host1());
    return client.ask(remote::AskSession{Id(session)}).session.value();
  }
  std::optional<Refusal> refusal_of(const remote::Request& request) {
    RemoteClient client(guest.port(), guest.host1());
    return client.ask(request).refusal;
  }

  RemoteGuest guest;

 private:
  TempDir folder_;
};

TEST_F(Appserver, RunsACommandAndTellsItsOutputAndItsEnd) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  EXPECT_EQ(client.hello().version, 1);
  EXPECT_EQ(client.hello().certificate, "host1");
  const auto reply = client.ask(shell("a", "echo out; echo err >&2; exit 3"));
  EXPECT_TRUE(reply.started);
  ASSERT_TRUE(reply.session);
  EXPECT_TRUE(reply.session->attached);
  EXPECT_GT(reply.session->pid, 0);
  EXPECT_EQ(client.ended(), Ending({false, 3}));
  EXPECT_EQ(client.output_end(), (remote::Offsets{4, 4}));
  EXPECT_EQ(client.out(), "out\n");
  EXPECT_EQ(client.err(), "err\n");
  const auto ended = client.ask(remote::AskSession{Id("a")});
  EXPECT_EQ(ended.session->state, SessionState::ended);
  EXPECT_EQ(ended.session->end, Ending({false, 3}));
  EXPECT_FALSE(client.ask(remote::Acknowledge{Id("a")}).refusal);
  EXPECT_EQ(client.ask(remote::AskSession{Id("a")}).refusal, Refusal::unknown_session);
  EXPECT_THAT(guest.sessions(), IsEmpty());
  EXPECT_TRUE(guest.logs("host1 at 127.0.0.1:"));
  EXPECT_TRUE(guest.logs("allowed by [allow.shell]"));
}

TEST_F(Appserver, TellsASignal) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.ask(shell("a", "kill -9 $$"));
  EXPECT_EQ(client.ended(), Ending({true, SIGKILL}));
}

TEST_F(Appserver, DeniesWhatNoRuleAllows) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  remote::Start start = shell("a", "true");
  for (const std::vector<std::string>& command : {std::vector<std::string>{"/bin/bash"},
                                                  {"/bin/sh"},
                                                  {"sh", "-c", "true"},
                                                  {"/bin/sh", "-c", "true", "more"},
                                                  {"/bin/../bin/sh", "-c", "true"},
                                                  {"/bin/sleep", "../x"}}) {
    start.command = command;
    const auto reply = client.ask(start);
    EXPECT_EQ(reply.refusal, Refusal::denied) << command.back();
    EXPECT_EQ(reply.text, "no rule allows it");
  }
  start = shell("a", "true");
  start.environment = {{"LD_PRELOAD", "/x"}};
  EXPECT_EQ(client.ask(start).refusal, Refusal::denied);
  EXPECT_THAT(guest.sessions(), IsEmpty());
  EXPECT_TRUE(guest.logs("start \"a\": \"/bin/bash\": refused, denied: no rule allows it"));
}

TEST_F(Appserver, ScrubsTheEnvironment) {
  guest.node().env["SECRET"] = "of the server";
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  remote::Start start = shell("a", "env; pwd; umask");
  start.environment = {{"COLOUR", "blue"}};
  client.ask(start);
  client.output_end();
  EXPECT_THAT(client.out(), HasSubstr("COLOUR=blue\n"));
  EXPECT_THAT(client.out(), HasSubstr("GENAPP_SESSION=a\n"));
  EXPECT_THAT(client.out(), HasSubstr("PATH=/usr/local/sbin:"));
  EXPECT_THAT(client.out(), HasSubstr("\n/\n0022\n"));
  EXPECT_THAT(client.out(), testing::Not(HasSubstr("SECRET")));
  EXPECT_THAT(client.out(), testing::Not(HasSubstr("GENAPP_CONFIG_DIR")));
}

TEST_F(Appserver, SaysWhyACommandCouldNotStart) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  remote::Start start = shell("a", "");
  start.command = {"/nowhere/at/all"};
  const auto reply = client.ask(start);
  EXPECT_EQ(reply.refusal, Refusal::could_not_start);
  EXPECT_THAT(reply.text, HasSubstr("No such file or directory"));
  EXPECT_THAT(guest.sessions(), IsEmpty());
  EXPECT_EQ(client.ask(remote::AskSession{Id("a")}).refusal, Refusal::unknown_session);
}

TEST_F(Appserver, StopsAndSignals) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.ask(shell("a",
                   "trap 'echo hup' HUP; trap 'echo term; exit 5' TERM; echo ready; "
                   "while :; do sleep 0.01; done"));
  client.read_out(6);
  EXPECT_FALSE(client.ask(remote::Signal{Id("a"), "HUP"}).refusal);
  client.read_out(10);
  EXPECT_EQ(client.ask(remote::Signal{Id("a"), "KILL"}).refusal, Refusal::denied);
  EXPECT_EQ(client.ask(remote::Signal{Id("a"), "NOPE"}).refusal, Refusal::bad_request);
  EXPECT_EQ(client.ask(remote::Acknowledge{Id("a")}).refusal, Refusal::not_ended);
  const auto reply = client.ask(remote::Stop{Id("a")});
  EXPECT_EQ(reply.session->end, Ending({false, 5}));
  client.output_end();
  EXPECT_EQ(client.out(), "ready\nhup\nterm\n");
  EXPECT_EQ(client.ask(remote::Signal{Id("a"), "HUP"}).refusal, Refusal::not_running);
  // Of what has ended already, and then of nothing.
  EXPECT_FALSE(client.ask(remote::Stop{Id("a"), 1, true}).refusal);
  EXPECT_EQ(client.ask(remote::Stop{Id("a")}).refusal, Refusal::unknown_session);
}

TEST_F(Appserver, KillsWhatDoesNotEndItselfAndAllThatItHasStarted) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.ask(shell("a",
                   "trap '' TERM; (setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 1000') & "
                   "echo me $$; while :; do sleep 1; done"));
  ASSERT_TRUE(wait_until([&] {
    client.ask(remote::AskSession{Id("a")});
    return count_of(client.out(), "\n") == 2;
  }));
  const auto reply = client.ask(remote::Stop{Id("a"), 0});
  EXPECT_EQ(reply.session->end, Ending({true, SIGKILL}));
  client.output_end();  // both have closed it
}

TEST_F(Appserver, ALostConnectionStopsNothingAndNothingIsStartedTwice) {
  guest.start();
  auto client = std::make_unique<RemoteClient>(guest.port(), guest.host1());
  const auto first = client->ask(counting("a"));
  client->drop();
  for (int i = 0; i < 3; ++i) {
    // A start whose reply was lost, as far as its manager knows.
    RemoteClient again(guest.port(), guest.host1());
    const auto reply = again.ask(counting("a"));
    ASSERT_FALSE(reply.refusal) << reply.text;
    EXPECT_FALSE(reply.started);
    EXPECT_EQ(reply.session->pid, first.session->pid);
  }
  EXPECT_EQ(starts("a"), 1u);
  EXPECT_TRUE(runs(first.session->pid));
}

TEST_F(Appserver, TheEndIsKeptForWhoComesLater) {
  guest.start();
  {
    RemoteClient client(guest.port(), guest.host1());
    client.ask(shell("a", "echo last words; exit 7"));
    client.confirm(false);
    client.ended();
  }
  RemoteClient other(guest.port(), guest.host2());
  const auto reply = other.ask(remote::Attach{Id("a"), "m2"});
  EXPECT_EQ(reply.session->state, SessionState::ended);
  EXPECT_EQ(other.ended(), Ending({false, 7}));
  other.output_end();
  EXPECT_EQ(other.out(), "last words\n");
}

TEST_F(Appserver, ASecondManagerIsRefusedAndTheSameOneTakesOver) {
  guest.start();
  RemoteClient first(guest.port(), guest.host1());
  first.ask(counting("a", "m1"));
  RemoteClient second(guest.port(), guest.host2());
  EXPECT_EQ(second.ask(counting("a", "m2")).refusal, Refusal::busy);
  EXPECT_EQ(second.ask(remote::Attach{Id("a"), "m2"}).refusal, Refusal::busy);
  RemoteClient again(guest.port(), guest.host1());
  EXPECT_FALSE(again.ask(remote::Attach{Id("a"), "m1"}).refusal);
  EXPECT_EQ(first.close_code(), remote::kCloseReplaced);
  EXPECT_EQ(second.ask(remote::Attach{Id("a"), "m2"}).refusal, Refusal::busy);
  again.drop();
  EXPECT_TRUE(wait_until([&] { return !second.ask(remote::Attach{Id("a"), "m2"}).refusal; }));
  EXPECT_EQ(starts("a"), 1u);
}

TEST_F(Appserver, AnotherCommandOfTheSameSessionIsRefused) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.ask(counting("a"));
  EXPECT_EQ(client.ask(shell("a", "true")).refusal, Refusal::other_command);
  // One connection, one session.
  EXPECT_EQ(client.ask(shell("b", "true")).refusal, std::nullopt);
}

TEST_F(Appserver, KilledItIsFollowedByOneThatHasItsSessions) {
  guest.start();
  RemoteClient before(guest.port(), guest.host1());
  const auto running = before.ask(counting("running"));
  remote::Start talks = shell("ended", "sleep 0.3; echo words; exit 9");
  talks.attach = false;
  before.ask(talks);
  guest.kill();
  EXPECT_TRUE(runs(running.session->pid));
  guest.start();
  RemoteClient after(guest.port(), guest.host1());
  const auto sessions = after.ask(remote::AskSessions{}).sessions;
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].session, "ended");
  EXPECT_EQ(sessions[1].session, "running");
  EXPECT_EQ(sessions[1].state, SessionState::running);
  EXPECT_EQ(sessions[1].pid, running.session->pid);
  EXPECT_EQ(sessions[1].command, counting("running").command);
  EXPECT_EQ(sessions[1].certificate, "host1");
  EXPECT_FALSE(after.ask(counting("running")).refusal);
  EXPECT_EQ(starts("running"), 1u);
  RemoteClient other(guest.port(), guest.host1());
  other.ask(remote::Attach{Id("ended"), "m1"});
  EXPECT_EQ(other.ended(), Ending({false, 9}));
  other.output_end();
  EXPECT_EQ(other.out(), "words\n");
}

TEST_F(Appserver, AnEndWhileNoneRunsIsKept) {
  guest.start();
  pid_t pid = 0;
  {
    RemoteClient client(guest.port(), guest.host1());
    pid = client
              .ask(shell("a", "echo $$; while [ ! -e " + file("go") +
                                  " ]; do sleep 0.01; done; "
                                  "exit 4"))
              .session->pid;
  }
  guest.kill();
  write_file(file("go"), "");
  ASSERT_TRUE(wait_until([&] { return !runs(pid); }));
  guest.start();
  EXPECT_EQ(view("a").end, Ending({false, 4}));
}

TEST_F(Appserver, TermEndsItAndNoCommand) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  const pid_t pid = client.ask(counting("a")).session->pid;
  EXPECT_EQ(guest.stop().exit_code, 0);
  EXPECT_TRUE(runs(pid));
  guest.start();
  EXPECT_EQ(view("a").pid, pid);
}

TEST_F(Appserver, TermIsToldToManagers) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.ask(counting("a"));
  guest.server().signal(SIGTERM);
  EXPECT_EQ(client.close_code(), 1001);
  EXPECT_EQ(guest.server().wait().exit_code, 0);
}

// It has raised its own.
TEST_F(Appserver, CommandsHaveTheLimitOfOpenFilesThatItWasStartedWith) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.ask(shell("a", "ulimit -Sn"));
  client.output_end();
  EXPECT_EQ(client.out(), std::to_string(limit.rlim_cur) + "\n");
}

TEST_F(Appserver, AKilledKeeperTakesTheCommandWithItAndTheEndIsUnknown) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  const pid_t pid = client.ask(counting("a")).session->pid;
  ASSERT_NE(guest.keeper("a"), 0);
  ::kill(guest.keeper("a"), SIGKILL);
  EXPECT_EQ(client.ended(), std::nullopt);
  client.output_end();
  EXPECT_TRUE(wait_until([&] { return !runs(pid); }));
  // It stays so for the next appserver.
  guest.kill();
  guest.start();
  const auto ended = view("a");
  EXPECT_EQ(ended.state, SessionState::ended);
  EXPECT_EQ(ended.end, std::nullopt);
  EXPECT_FALSE(refusal_of(remote::Acknowledge{Id("a")}));
  EXPECT_THAT(guest.sessions(), IsEmpty());
}

// Its keeper gives the link up when another comes, as it would for what it does not understand.
TEST_F(Appserver, ALinkThatItsKeeperGivesUpIsMadeAnew) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.ask(shell("a", "while [ ! -e " + file("go") + " ]; do sleep 0.01; done; echo on; exit 6"));
  Client intruder = Client::to_socket(guest.session_dir("a") + "/sock");
  intruder.send("\xff\xff\xff\xff");
  intruder.receive();
  write_file(file("go"), "");
  EXPECT_EQ(client.ended(), Ending({false, 6}));
  client.output_end();
  EXPECT_EQ(client.out(), "on\n");
}

TEST_F(Appserver, WhatACommandLeavesBehindMayStay) {
  guest.settings("",
                 "[allow.leaves]\ncertificate = [\"host1\"]\ncommand = [\"/bin/bash\", \"-c\", "
                 "\"**\"]\nleftovers = \"leave\"\nuser = \"" +
                     std::to_string(::geteuid()) + "\"\n");
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  remote::Start start = shell("a", "");
  start.command = {"/bin/bash", "-c",
                   "(while [ ! -e " + file("end") + " ]; do echo on; sleep 0.01; done; echo > " +
                       file("ended") + ") & echo begun"};
  client.ask(start);
  EXPECT_EQ(client.ended(), Ending({false, 0}));
  EXPECT_FALSE(client.ask(remote::Acknowledge{Id("a")}).refusal);
  // It goes on writing, and the appserver goes on serving.
  EXPECT_EQ(client.ask(remote::AskSession{Id("a")}).refusal, Refusal::unknown_session);
  write_file(file("end"), "");
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(file("ended")); }));
}

TEST_F(Appserver, AKeeperThatWasKilledWhileNoneRanIsNoticed) {
  guest.start();
  pid_t pid = 0;
  {
    RemoteClient client(guest.port(), guest.host1());
    pid = client.ask(counting("a")).session->pid;
  }
  const pid_t keeper = guest.keeper("a");
  guest.kill();
  ::kill(keeper, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return !runs(pid); }));
  guest.start();
  EXPECT_TRUE(wait_until([&] { return view("a").state == SessionState::ended; }));
  EXPECT_EQ(view("a").end, std::nullopt);
}

// Beyond what the keeper holds: nothing is lost to a manager that goes on reading.
TEST_F(Appserver, MuchOutputArrivesWholeAndInOrder) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.ask(shell("a", "seq 1 300000; seq 1 1000 >&2"));
  client.output_end();
  std::string expected;
  for (int i = 1; i <= 300000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(client.out() == expected) << client.out().size() << " of " << expected.size();
  EXPECT_EQ(client.gaps(), 0u);
}

TEST_F(Appserver, AConnectionLostInTheMiddleOfOutputLosesNoneOfIt) {
  guest.start();
  RemoteClient first(guest.port(), guest.host1());
  // More than sockets hold, within the buffer's 128 KiB: nobody drops anything.
  first.ask(
      shell("a", "seq 1 15000; echo end; while [ ! -e " + file("go") + " ]; do sleep 0.01; done"));
  first.confirm(false);
  first.read_out(1000);
  std::string heard = first.out();
  first.taken();
  first.ask(remote::AskSession{Id("a")});  // so it has arrived
  const std::size_t confirmed = heard.size();
  first.drop();
  RemoteClient second(guest.port(), guest.host1());
  ASSERT_TRUE(wait_until([&] { return !second.ask(remote::Attach{Id("a"), "m1"}).refusal; }));
  write_file(file("go"), "");
  const auto end = second.output_end();
  // The first piece begins where the last confirmation was, which its offset says.
  EXPECT_LE(second.gaps(), confirmed);
  const std::string all = heard.substr(0, second.gaps()) + second.out();
  EXPECT_EQ(all.size(), end.out);
  std::string expected;
  for (int i = 1; i <= 15000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(all == expected + "end\n");
}

// To a manager that comes when all is over, too.
TEST_F(Appserver, TheOutputsEndComesAfterTheOutput) {
  guest.start();
  {
    RemoteClient client(guest.port(), guest.host1());
    client.confirm(false);
    client.ask(shell("a", "seq 1 15000; exit 1"));
    client.output_end();
  }
  RemoteClient later(guest.port(), guest.host2());
  later.ask(remote::Attach{Id("a"), "m2"});
  later.await_output_end();
  EXPECT_TRUE(later.out().ends_with("\n15000\n"));
  EXPECT_EQ(later.out().substr(0, 4), "1\n2\n");
}

TEST_F(Appserver, WithoutAManagerTheCommandDoesNotWaitAndWhatIsDroppedIsCounted) {
  guest.settings("buffer_kib = 4");
  guest.start();
  {
    RemoteClient client(guest.port(), guest.host1());
    remote::Start start = shell("a", "seq 1 100000; exit 2");
    start.attach = false;
    client.ask(start);
  }
  ASSERT_TRUE(wait_until([&] { return view("a").state == SessionState::ended; }));
  RemoteClient client(guest.port(), guest.host1());
  const auto reply = client.ask(remote::Attach{Id("a"), "m2"});
  const auto end = client.output_end();
  EXPECT_EQ(reply.session->dropped + client.out().size(), end.out);
  EXPECT_EQ(client.gaps(), reply.session->dropped);
  EXPECT_TRUE(client.out().ends_with("\n99999\n100000\n"));
  EXPECT_EQ(client.ended(), Ending({false, 2}));
}

TEST_F(Appserver, AManagerThatConfirmsNothingStallsTheCommandOnlySoLong) {
  guest.settings("buffer_kib = 4\nstall = 1");
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.confirm(false);
  client.ask(shell("a", "seq 1 100000; exit 2"));
  EXPECT_EQ(client.ended(), Ending({false, 2}));
  EXPECT_GT(client.ask(remote::AskSession{Id("a")}).session->dropped, 0u);
}

TEST_F(Appserver, HasLimits) {
  guest.settings("max_sessions = 2");
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  remote::Start start = counting("a");
  start.attach = false;
  EXPECT_FALSE(client.ask(start).refusal);
  start = counting("b");
  start.attach = false;
  EXPECT_FALSE(client.ask(start).refusal);
  EXPECT_EQ(client.ask(counting("c")).refusal, Refusal::limit);
  client.ask(remote::Stop{Id("a"), 1, true});
  EXPECT_FALSE(client.ask(counting("c")).refusal);
}

TEST_F(Appserver, ReadsItsPolicyAnewOnHup) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  remote::Start start = shell("a", "");
  start.command = {"/bin/echo", "new"};
  EXPECT_EQ(client.ask(start).refusal, Refusal::denied);
  guest.settings("",
                 "[allow.echo]\ncertificate = [\"host1\"]\ncommand = [\"/bin/echo\", \"*\"]\n"
                 "user = \"0\"\nprobably = 1\n");
  guest.hang_up();
  EXPECT_TRUE(guest.logs("nothing was changed: "));
  EXPECT_EQ(client.ask(start).refusal, Refusal::denied);
  guest.settings("",
                 "[allow.echo]\ncertificate = [\"host1\"]\ncommand = [\"/bin/echo\", \"*\"]\n"
                 "user = \"" +
                     std::to_string(::geteuid()) + "\"\n");
  guest.hang_up();
  EXPECT_TRUE(guest.logs("the policy was read anew: 4 rules"));
  EXPECT_EQ(client.ask(start).refusal, std::nullopt);
}

// What it does not allow any more can't be touched any more either.
TEST_F(Appserver, ASessionIsOnlyForWhomThePolicyLetsStartIt) {
  guest.settings("",
                 "[allow.mine]\ncertificate = [\"host2\"]\ncommand = [\"/bin/cat\"]\nuser = \"" +
                     std::to_string(::geteuid()) + "\"\n");
  guest.start();
  RemoteClient host2(guest.port(), guest.host2());
  remote::Start start = shell("a", "");
  start.command = {"/bin/cat"};
  EXPECT_EQ(host2.ask(start).refusal, std::nullopt);
  RemoteClient host1(guest.port(), guest.host1());
  for (const remote::Request& request : std::initializer_list<remote::Request>{
           remote::AskSession{Id("a")}, remote::Stop{Id("a")}, remote::Attach{Id("a"), "m"},
           remote::Acknowledge{Id("a")}}) {
    // Not unknown: that would pass for ended.
    EXPECT_EQ(host1.ask(request).refusal, Refusal::denied);
  }
  EXPECT_THAT(host1.ask(remote::AskSessions{}).sessions, IsEmpty());
  EXPECT_EQ(host2.ask(remote::AskSessions{}).sessions.size(), 1u);
}

TEST_F(Appserver, WhatIsNoRequestIsRefused) {
  guest.start();
  RemoteClient client(guest.port(), guest.host1());
  client.say("dance");
  EXPECT_EQ(client.reply_to_none().refusal, Refusal::bad_request);
  client.say(R"({"do":"start","ref":7,"session":"../x","manager":"m","command":["/bin/true"]})");
  EXPECT_EQ(client.reply(7).refusal, Refusal::bad_request);
  client.say(R"({"do":"taken","stdout":9999,"stderr":9999})");  // attached to nothing
  EXPECT_FALSE(client.ask(remote::AskSessions{}).refusal);
  client.say_binary("x");
  EXPECT_EQ(client.close_code(), 1003);
  RemoteClient long_one(guest.port(), guest.host1());
  long_one.say(std::string(remote::kMostMessageBytes + 1, ' '));
  EXPECT_THAT(long_one.close_code(), AnyOf(1009, 1006));
}

std::string problem_of(const RemoteGuest& guest, const remote::TlsFiles& files) {
  try {
    RemoteClient client(guest.port(), files);
  } catch (const std::exception& problem) {
    return problem.what();
  }
  return "";
}

TEST_F(Appserver, CertificatesThatDoNotHoldAreRefused) {
  guest.start();
  RemoteAuthority other;
  const auto mixed = [&](remote::TlsFiles files) {
    files.authorities = guest.host1().authorities;
    return files;
  };
  EXPECT_EQ(problem_of(guest, guest.host1()), "");
  EXPECT_NE(problem_of(guest, mixed(other.issue({.name = "host1"}))), "");
  EXPECT_NE(problem_of(guest, mixed(other.self_signed({.name = "host1"}))), "");
  EXPECT_NE(problem_of(guest, other.issue({.name = "host1"})), "");
  EXPECT_TRUE(guest.logs("TLS: "));
  // It is told so by TLS, and not merely cut off.
  EXPECT_THAT(problem_of(guest, mixed(other.issue({.name = "host1"}))),
              HasSubstr("did not accept our certificate"));
  // A good one of a name that the policy does not know.
  RemoteClient stranger(guest.port(), guest.authority().issue({.name = "host3"}));
  EXPECT_EQ(stranger.ask(shell("a", "true")).refusal, Refusal::denied);
}

TEST_F(Appserver, WhatDoesNotSpeakItsLanguageIsSentAway) {
  guest.settings("handshake_timeout = 1");
  guest.start();
  // In the clear.
  Client plain("127.0.0.1", guest.port());
  plain.send("GET /genapp HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto answer = plain.receive();
  EXPECT_TRUE(answer.ended || answer.reset);
  // A byte, and then nothing.
  Client slow("127.0.0.1", guest.port());
  slow.send("\x16");
  const auto nothing = slow.receive();
  EXPECT_TRUE(nothing.ended || nothing.reset);
  Client silent("127.0.0.1", guest.port());
  EXPECT_THAT(silent.receive().bytes, IsEmpty());
  EXPECT_TRUE(guest.logs("has not finished its handshake in 1 seconds"));
  EXPECT_EQ(problem_of(guest, guest.host1()), "");
}

// As many as there may be, and a manager is served all the same.
TEST_F(Appserver, SilentStrangersKeepNobodyOut) {
  guest.settings("max_strangers = 20\nhandshake_timeout = 3600");
  guest.start();
  std::vector<std::unique_ptr<Client>> strangers;
  for (int i = 0; i < 60; ++i) {
    strangers.push_back(std::make_unique<Client>("127.0.0.1", guest.port()));
  }
  EXPECT_EQ(problem_of(guest, guest.host1()), "");
  const auto gone = strangers.front()->receive();  // the oldest had to go
  EXPECT_TRUE(gone.ended || gone.reset);
}

TEST_F(Appserver, NoMoreManagersThanThereMayBe) {
  guest.settings("max_connections = 2");
  guest.start();
  RemoteClient one(guest.port(), guest.host1());
  RemoteClient two(guest.port(), guest.host1());
  EXPECT_THAT(problem_of(guest, guest.host1()), HasSubstr("WebSocket's handshake"));
  two.drop();
  EXPECT_TRUE(wait_until([&] { return problem_of(guest, guest.host1()).empty(); }));
}

TEST_F(Appserver, ASilentManagerIsLeft) {
  guest.start();
  auto client = std::make_unique<RemoteClient>(guest.port(), guest.host1());
  remote::Start start = counting("a");
  start.timeout_s = 1;
  client->ask(start);
  // It does not read, so it answers no ping.
  EXPECT_TRUE(guest.logs("has been silent for too long"));
  RemoteClient other(guest.port(), guest.host1());
  EXPECT_FALSE(other.ask(remote::Attach{Id("a"), "m2"}).refusal);
  EXPECT_EQ(starts("a"), 1u);
}

// By its answers to pings alone, for longer than it may be silent. A machine that stands still for
// more than half of that time would let it pass for silent: so it is no second.
TEST_F(Appserver, AManagerThatSaysNothingAndAnswersPingsStays) {
  guest.start();
  RemoteClient quiet(guest.port(), guest.host1());
  remote::Start start = shell("a", "sleep 4; exit 8");
  start.timeout_s = 3;
  quiet.ask(start);
  try {
    EXPECT_EQ(quiet.ended(), Ending({false, 8}));
  } catch (const std::exception& problem) {
    FAIL() << problem.what() << "\n" << guest.log();
  }
  EXPECT_EQ(count_of(guest.log(), "silent"), 0u) << guest.log();
}

TEST_F(Appserver, ASecondOneIsRefused) {
  guest.start();
  const Result second = guest.node().run({"appserver"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("an appserver runs already"));
}

// As after a SIGKILL between a fork and its exec: a child still has the dead one's lock.
TEST_F(Appserver, ALockThatADeadOnesChildHoldsForAMomentIsWaitedFor) {
  guest.start();
  guest.kill();
  const std::string pid = guest.session_dir("..") + "/pid";
  common::Fd file(::open(pid.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(file);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  ASSERT_EQ(::fcntl(file.get(), F_OFD_SETLK, &whole), 0);
  Process next(guest.node().command({"appserver"}));
  // It has met the lock once it has its own mutex.
  ASSERT_TRUE(wait_until([&] {
    const common::Fd mutex(
        ::open((guest.session_dir("..") + "/.lock").c_str(), O_RDWR | O_CLOEXEC));
    struct flock look {};
    look.l_type = F_WRLCK;
    look.l_whence = SEEK_SET;
    return mutex && ::fcntl(mutex.get(), F_OFD_GETLK, &look) == 0 && look.l_type != F_UNLCK;
  }));
  file.close();
  EXPECT_TRUE(wait_until([&] { return accepts(guest.port()); })) << next.err();
  EXPECT_EQ(next.stop().exit_code, 0);
}

TEST_F(Appserver, WhatItCanNotBeginWithIsTold) {
  write_file(guest.node().config_dir() + "/appserver.toml", "prot = 1\n");
  EXPECT_THAT(guest.node().run({"appserver"}).err, HasSubstr("appserver.toml:1: "));
  std::filesystem::remove(guest.node().config_dir() + "/appserver.toml");
  const Result result = guest.node().run({"appserver"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("appserver.toml: no such file"));
  EXPECT_EQ(guest.node().run({"appserver", "x"}).exit_code, 64);
  EXPECT_EQ(guest.node().run({"appserver", "--fast"}).exit_code, 64);
  EXPECT_EQ(guest.node().run({"appserver", "--version"}).exit_code, 0);
}

TEST_F(Appserver, NewKeysAreTakenWithoutAStop) {
  guest.start();
  RemoteClient old(guest.port(), guest.host1());
  old.ask(counting("a"));
  // A second authority is trusted as well, as during a rotation.
  RemoteAuthority next;
  const std::string both = read_file(guest.host1().authorities) + read_file(next.file());
  const std::string settings = read_file(guest.node().config_dir() + "/appserver.toml");
  const std::string key = "authorities = \"";
  const auto begin = settings.find(key) + key.size();
  replace_file(settings.substr(begin, settings.find('"', begin) - begin), both);
  remote::TlsFiles files = next.issue({.name = "host1"});
  files.authorities = guest.host1().authorities;
  EXPECT_EQ(problem_of(guest, files), "");
  EXPECT_EQ(problem_of(guest, guest.host1()), "");
  EXPECT_FALSE(old.ask(remote::AskSession{Id("a")}).refusal);
}

}  // namespace
}  // namespace genapp::tests
