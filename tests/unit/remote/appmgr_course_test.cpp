#include "remote/appmgr/course.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "common/exit_code.hpp"

namespace genapp::remote {
namespace {

using common::Ending;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// tests/cli/appmgr_test.cpp has the whole lives; here is what is hard to come by there.
class AppmgrCourse : public testing::Test {
 protected:
  std::unique_ptr<Course> course(Verb verb) const {
    CommandLine line;
    line.verb = verb;
    line.node = "guest1";
    line.session = common::Id("s1");
    if (verb == Verb::run || verb == Verb::detach) line.command = {"/bin/app"};
    Settings settings;
    settings.node = "guest1";
    return make_course(line, settings, "m1");
  }
  static Reply reply_to(const Step& step, bool started = true) {
    Reply reply;
    reply.ref = step.send.at(0).ref;
    reply.started = started;
    reply.session.emplace();
    return reply;
  }
  static Reply refusal_of(const Step& step, Refusal why) {
    Reply reply;
    reply.ref = step.send.at(0).ref;
    reply.refusal = why;
    return reply;
  }
  template <typename Kind>
  static bool asks(const Step& step) {
    return step.send.size() == 1 && std::holds_alternative<Kind>(step.send[0].request);
  }

  const Trouble lost_{Trouble::Kind::passing, "it ended the connection"};
};

TEST_F(AppmgrCourse, WhatIsOfAnotherSessionOrWasNotAskedIsPassedOver) {
  const auto run = course(Verb::run);
  const Step start = run->connected();
  Reply other = reply_to(start);
  other.ref += 1;
  EXPECT_FALSE(run->take(other).useful);
  other.ref = 0;
  EXPECT_FALSE(run->take(other).useful);
  EXPECT_TRUE(run->take(reply_to(start)).useful);
  EXPECT_FALSE(run->take(Ended{"s2", Ending{false, 1}}).news);
  EXPECT_FALSE(run->end_known());
  EXPECT_TRUE(run->take(Ended{"s1", Ending{false, 1}}).news);
  EXPECT_TRUE(run->end_known());
}

// A reply on a connection that is gone must not be taken for one to what is asked on the next.
TEST_F(AppmgrCourse, NumbersAreNeverUsedTwice) {
  const auto run = course(Verb::run);
  const Step first = run->connected();
  run->lost(lost_);
  const Step second = run->connected();
  EXPECT_NE(first.send.at(0).ref, second.send.at(0).ref);
  EXPECT_FALSE(run->take(reply_to(first)).useful);
}

// The server could not even read the number.
TEST_F(AppmgrCourse, ARefusalWithoutANumberIsOfWhatWasAsked) {
  for (const Verb verb : {Verb::run, Verb::status}) {
    const auto one = course(verb);
    Reply reply = refusal_of(one->connected(), Refusal::bad_request);
    reply.ref = 0;
    const auto how = one->take(reply).verdict;
    ASSERT_TRUE(how);
    EXPECT_EQ(how->code, static_cast<int>(common::ExitCode::refused));
  }
  // Of what was attached it is not: that was answered.
  const auto run = course(Verb::run);
  const Step start = run->connected();
  run->take(reply_to(start));
  Reply reply = refusal_of(start, Refusal::bad_request);
  reply.ref = 0;
  EXPECT_FALSE(run->take(reply).verdict);
}

TEST_F(AppmgrCourse, TheFirstEndHolds) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  run->take(Ended{"s1", Ending{false, 1}});
  run->take(Ended{"s1", Ending{false, 2}});
  const Step acknowledge = run->output_over(true);
  ASSERT_TRUE(asks<Acknowledge>(acknowledge));
  EXPECT_EQ(run->take(reply_to(acknowledge)).verdict->code, 1);
}

TEST_F(AppmgrCourse, OutputThatIsOverWhileApartIsAcknowledgedWithTheNextConnection) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  run->take(Ended{"s1", Ending{false, 1}});
  run->lost(lost_);
  EXPECT_THAT(run->output_over(false).send, IsEmpty());
  EXPECT_TRUE(asks<Acknowledge>(run->connected()));
}

TEST_F(AppmgrCourse, AnAcknowledgementThatFailsIsToldWithTheCode) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  run->take(Ended{"s1", Ending{false, 3}});
  const auto how = run->take(refusal_of(run->output_over(true), Refusal::failed)).verdict;
  ASSERT_TRUE(how);
  EXPECT_EQ(how->code, 3);
  EXPECT_THAT(how->line, HasSubstr("can't be forgotten there"));
}

TEST_F(AppmgrCourse, AnEndThatSomebodyElseHasAcknowledgedIsStillKnown) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  run->take(Ended{"s1", Ending{false, 3}});
  run->lost(lost_);
  const auto how = run->take(refusal_of(run->connected(), Refusal::unknown_session)).verdict;
  ASSERT_TRUE(how);
  EXPECT_EQ(how->code, 3);
}

TEST_F(AppmgrCourse, TheReplyToAStopTellsTheEndToo) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  const Step stop = run->interrupted(SIGTERM, true);
  ASSERT_TRUE(asks<Stop>(stop));
  Reply reply = reply_to(stop);
  reply.session->state = SessionState::ended;
  reply.session->end = Ending{true, SIGTERM};
  run->take(reply);
  EXPECT_TRUE(run->end_known());
}

TEST_F(AppmgrCourse, AStopBeforeTheReplyToTheStartFollowsIt) {
  const auto run = course(Verb::run);
  const Step start = run->connected();
  EXPECT_THAT(run->interrupted(SIGINT, true).send, IsEmpty());
  EXPECT_TRUE(asks<Stop>(run->take(reply_to(start))));
}

TEST_F(AppmgrCourse, AStopIsAskedAgainOnTheNextConnection) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  run->interrupted(SIGTERM, true);
  run->lost(lost_);
  const Step attach = run->connected();
  ASSERT_TRUE(asks<Attach>(attach));
  EXPECT_TRUE(asks<Stop>(run->take(reply_to(attach, false))));
}

TEST_F(AppmgrCourse, ARefusedStopIsToldAndDoesNotEndUs) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  const Step step = run->take(refusal_of(run->interrupted(SIGTERM, true), Refusal::failed));
  EXPECT_FALSE(step.verdict);
  EXPECT_TRUE(step.warn);
}

TEST_F(AppmgrCourse, ASecondSignalAfterTheEndHasTheCode) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  run->take(Ended{"s1", Ending{false, 3}});
  EXPECT_FALSE(run->interrupted(SIGTERM, true).verdict);
  const auto how = run->interrupted(SIGTERM, true).verdict;
  ASSERT_TRUE(how);
  EXPECT_EQ(how->code, 3);
  EXPECT_THAT(how->line, HasSubstr("is not acknowledged"));
}

// During a rotation of keys, or while another process has the port.
TEST_F(AppmgrCourse, HavingStartedItGoesOnThoughTheServerIsAStrangerForNow) {
  for (const auto kind : {Trouble::Kind::stranger, Trouble::Kind::refused}) {
    const auto run = course(Verb::run);
    EXPECT_TRUE(run->lost({kind, "why"}).verdict);
    const auto started = course(Verb::run);
    started->take(reply_to(started->connected()));
    EXPECT_FALSE(started->lost({kind, "why"}).verdict);
  }
}

TEST_F(AppmgrCourse, BusyAfterALostConnectionSaysThatItMayRun) {
  const auto run = course(Verb::run);
  run->take(reply_to(run->connected()));
  run->lost(lost_);
  const auto how = run->take(refusal_of(run->connected(), Refusal::busy)).verdict;
  ASSERT_TRUE(how);
  EXPECT_EQ(how->code, static_cast<int>(common::ExitCode::refused));
  EXPECT_THAT(how->line, HasSubstr("may still run there"));
}

TEST_F(AppmgrCourse, AStopIsAskedUntilItIsHeardAndASignalOnce) {
  const auto stop = course(Verb::stop);
  stop->connected();
  EXPECT_FALSE(stop->lost(lost_).verdict);
  EXPECT_TRUE(asks<Stop>(stop->connected()));
  const auto signal = course(Verb::signal);
  EXPECT_TRUE(signal->lost(lost_).verdict);
}

TEST_F(AppmgrCourse, AnAcknowledgementThatWasLostMayHaveBeenHeard) {
  const auto acknowledge = course(Verb::acknowledge);
  acknowledge->connected();
  acknowledge->lost(lost_);
  const Step again = acknowledge->connected();
  EXPECT_EQ(acknowledge->take(refusal_of(again, Refusal::unknown_session)).verdict->code, 0);
}

TEST_F(AppmgrCourse, AStopMayTakeAsLongAsTheKill) {
  EXPECT_EQ(course(Verb::stop)->deadline(), std::chrono::seconds(40));
  EXPECT_EQ(course(Verb::status)->deadline(), std::chrono::seconds(30));
  EXPECT_EQ(course(Verb::run)->deadline(), std::nullopt);
}

TEST_F(AppmgrCourse, AReplyWithoutItsSessionIsNoCrash) {
  const auto status = course(Verb::status);
  Reply reply = reply_to(status->connected());
  reply.session.reset();
  EXPECT_NE(status->take(reply).verdict->code, 0);
  const auto run = course(Verb::run);
  reply = reply_to(run->connected());
  reply.session.reset();
  EXPECT_TRUE(run->take(reply).useful);
}

TEST(AppmgrEnd, HasItsCodeAndItsWords) {
  EXPECT_EQ(exit_code_of(Ending{false, 0}), 0);
  EXPECT_EQ(exit_code_of(Ending{false, 255}), 255);
  EXPECT_EQ(exit_code_of(Ending{true, SIGKILL}), 137);
  EXPECT_EQ(exit_code_of(std::nullopt), 249);
  EXPECT_EQ(words_of(Ending{false, 7}), "ended with exit code 7");
  EXPECT_EQ(words_of(Ending{true, SIGTERM}), "was ended by signal 15 (Terminated)");
  EXPECT_EQ(words_of(Ending{true, 200}), "was ended by signal 200");
}

}  // namespace
}  // namespace genapp::remote
