#include "common/start_channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using namespace std::chrono_literals;
using tests::error_of;

TEST(StartChannel, CarriesAWordAndItsText) {
  const StartChannel channel = StartChannel::make();
  send_start_message(channel.theirs.get(), {StartWord::failed, "no port"}, "gone");
  send_start_message(channel.ours.get(), {StartWord::counts, ""}, "gone");
  const auto failed = receive_start_message(channel.ours, Clock::now() + 20s);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->word, StartWord::failed);
  EXPECT_EQ(failed->text, "no port");
  const auto counts = receive_start_message(channel.theirs, Clock::now() + 20s);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->word, StartWord::counts);
  EXPECT_EQ(counts->text, "");
}

TEST(StartChannel, CutsATextThatIsTooLong) {
  const StartChannel channel = StartChannel::make();
  send_start_message(channel.theirs.get(), {StartWord::failed, std::string(5000, 'x')}, "gone");
  EXPECT_EQ(receive_start_message(channel.ours, Clock::now() + 20s)->text, std::string(2047, 'x'));
}

TEST(StartChannel, SaysNothingAtTheDeadlineAndAtTheEnd) {
  StartChannel channel = StartChannel::make();
  EXPECT_FALSE(receive_start_message(channel.ours, Clock::now() + 10ms));
  channel.theirs.close();
  EXPECT_FALSE(receive_start_message(channel.ours, Clock::now() + 20s));
}

TEST(StartChannel, WhoTalksToNobodyIsTold) {
  StartChannel channel = StartChannel::make();
  channel.ours.close();
  EXPECT_EQ(error_of([&] {
              send_start_message(channel.theirs.get(), {StartWord::ready, ""}, "nobody is there");
            }),
            "nobody is there");
}

TEST(StartChannel, IsNotInheritedByAProgram) {
  const StartChannel channel = StartChannel::make();
  for (const Fd* end : {&channel.ours, &channel.theirs}) {
    EXPECT_NE(::fcntl(end->get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

}  // namespace
}  // namespace genapp::common
