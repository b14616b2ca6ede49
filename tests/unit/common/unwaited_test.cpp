#include "common/unwaited.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace genapp::common {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A pipe that nobody reads until drained().
class Pipe {
 public:
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_ = Fd(ends[0]);
    write_ = Fd(ends[1]);
    ::fcntl(write_.get(), F_SETPIPE_SZ, 4 * 4096);
    ::fcntl(read_.get(), F_SETFL, O_NONBLOCK);
  }
  int end() const { return write_.get(); }
  std::string drained() const {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(read_.get(), buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
  }
  void close_reader() { read_.close(); }

 private:
  Fd read_;
  Fd write_;
};

// A write that waits would let this test hang.
TEST(UnwaitedLines, WhatAFullPipeDoesNotTakeIsCountedAndTold) {
  const Pipe pipe;
  UnwaitedLines lines(pipe.end());
  const std::string line = std::string(4095, 'x') + "\n";
  for (int i = 0; i < 4 + 2; ++i) lines.put(line);
  EXPECT_EQ(pipe.drained(), line + line + line + line);
  lines.put("after\n");
  EXPECT_EQ(pipe.drained(), "2 lines before this one were not taken in time and are lost\nafter\n");
  lines.put("and on\n");
  EXPECT_EQ(pipe.drained(), "and on\n");
}

// In a stream of JSON it must be an object, too.
TEST(UnwaitedLines, WhatIsToldOfLostLinesMayHaveAFormOfItsOwn) {
  const Pipe pipe;
  UnwaitedLines lines(pipe.end(),
                      [](std::size_t lost) { return std::to_string(lost) + " lost\n"; });
  const std::string line(4096, 'x');
  for (int i = 0; i < 4 + 3; ++i) lines.put(line);
  pipe.drained();
  lines.put("after\n");
  EXPECT_EQ(pipe.drained(), "3 lost\nafter\n");
}

TEST(UnwaitedLines, ALineLongerThanAPipeTakesWholeIsCut) {
  const Pipe pipe;
  UnwaitedLines lines(pipe.end());
  lines.put(std::string(5000, 'x'));
  EXPECT_EQ(pipe.drained(), std::string(4096, 'x'));
}

TEST(UnwaitedLines, AReaderThatIsGoneIsNoTrouble) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  UnwaitedLines lines(pipe.end());
  pipe.close_reader();
  lines.put("one\n");
  UnwaitedLines closed(-1);
  closed.put("two\n");
}

}  // namespace
}  // namespace genapp::common
