#include "remote/appmgr/output_writer.hpp"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "common/fd.hpp"
#include "tests/support/wait.hpp"

namespace genapp::remote {
namespace {

using common::Fd;
using tests::wait_until;

class Writer : public testing::Test {
 protected:
  Writer() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reader_ = Fd(ends[0]);
    pipe_ = Fd(ends[1]);
    ::signal(SIGPIPE, SIG_IGN);
    writer_ = std::make_unique<OutputWriter>(pipe_.get(), [this] { ++progress_; });
  }
  std::string read_so_many(std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t at = 0; at < count;) {
      const ssize_t size = ::read(reader_.get(), text.data() + at, count - at);
      if (size <= 0) return text.substr(0, at);
      at += static_cast<std::size_t>(size);
    }
    return text;
  }

  Fd reader_;
  Fd pipe_;
  std::atomic<int> progress_{0};
  std::unique_ptr<OutputWriter> writer_;
};

TEST_F(Writer, WritesPiecesInOrderAndTellsTheirOffsets) {
  writer_->put(10, "abc");
  writer_->put(20, "de");
  EXPECT_EQ(read_so_many(5), "abcde");
  EXPECT_TRUE(wait_until([&] { return writer_->state().written == 22; }));
  EXPECT_EQ(writer_->state().waiting, 0u);
  EXPECT_EQ(writer_->state().error, 0);
  EXPECT_GE(progress_, 2);
}

TEST_F(Writer, AReaderThatDoesNotReadHoldsUpNobodyElse) {
  const std::string much(1024 * 1024, 'x');
  writer_->put(0, much);
  writer_->put(much.size(), "end");
  ASSERT_TRUE(wait_until([&] { return writer_->state().written > 0; }));
  EXPECT_GT(writer_->state().waiting, 0u);
  EXPECT_EQ(read_so_many(much.size() + 3), much + "end");
  EXPECT_TRUE(wait_until([&] { return writer_->state().waiting == 0; }));
}

// Gone while its thread stands in a write.
TEST_F(Writer, ItsEndWaitsForNobody) {
  writer_->put(0, std::string(1024 * 1024, 'x'));
  ASSERT_TRUE(wait_until([&] { return writer_->state().written > 0; }));
  writer_.reset();
  // Which ends then.
  reader_.close();
}

TEST_F(Writer, WhatCanNotBeWrittenIsThrownAway) {
  reader_.close();
  writer_->put(0, "abc");
  writer_->put(3, "de");
  EXPECT_TRUE(wait_until([&] { return writer_->state().written == 5; }));
  EXPECT_EQ(writer_->state().error, EPIPE);
  EXPECT_EQ(writer_->state().discarded, 5u);
}

// Made so by somebody else who has it, too.
TEST_F(Writer, ADescriptorThatDoesNotBlockIsWaitedFor) {
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  const std::string much(1024 * 1024, 'x');
  writer_->put(0, much);
  EXPECT_EQ(read_so_many(much.size()), much);
  EXPECT_TRUE(wait_until([&] { return writer_->state().written == much.size(); }));
  EXPECT_EQ(writer_->state().error, 0);
}

TEST_F(Writer, ALastLineIsNotWaitedForLong) {
  put_last_line(pipe_.get(), "a line\n", 1000);
  EXPECT_EQ(read_so_many(7), "a line\n");
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  const std::string much(65536, 'x');
  while (::write(pipe_.get(), much.data(), much.size()) > 0) {
  }
  ::fcntl(pipe_.get(), F_SETFL, 0);
  put_last_line(pipe_.get(), "a line\n", 1);  // returns
}

}  // namespace
}  // namespace genapp::remote
