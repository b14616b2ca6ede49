#include "remote/keeper/stream.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "common/error.hpp"

namespace genapp::remote::keeper {
namespace {

std::size_t readable(const common::Fd& pipe) {
  int count = 0;
  return ::ioctl(pipe.get(), FIONREAD, &count) == 0 ? static_cast<std::size_t>(count) : 0;
}

// Nobody has the other end any more, and everything is read. Reads nothing itself.
bool is_at_end(const common::Fd& pipe) {
  pollfd item{pipe.get(), POLLIN, 0};
  return ::poll(&item, 1, 0) > 0 && (item.revents & POLLIN) == 0;
}

}  // namespace

common::Fd Stream::open() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw common::system_error("pipe", errno);
  pipe_ = common::Fd(ends[0]);
  // Only ours: a command expects its own end to block.
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  return common::Fd(ends[1]);
}

void Stream::read(Flow flow) {
  if (over() || flow == Flow::wait) return;
  std::size_t most = left_.value_or(std::numeric_limits<std::size_t>::max());
  if (flow == Flow::drop) {
    most = std::min({most, readable(pipe_), ring_.size() + ring_.room()});
    // Nothing is dropped for what does not come.
    if (most == 0) return is_at_end(pipe_) ? pipe_.close() : void();
    make_room(most);
  }
  read_into_ring(most);
}

void Stream::read_into_ring(std::size_t most) {
  const auto space = ring_.space(most);
  ssize_t n = 0;
  do {
    n = ::readv(pipe_.get(), space.data(), space[1].iov_len == 0 ? 1 : 2);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return pipe_.close();
  ring_.put(static_cast<std::size_t>(n));
  if (left_) *left_ -= static_cast<std::size_t>(n);
}

void Stream::make_room(std::size_t count) {
  if (count <= ring_.room()) return;
  const std::uint64_t to = ring_.kept() + (count - ring_.room());
  if (to > sent_) dropped_ += to - std::max(sent_, ring_.kept());
  ring_.forget_to(to);
}

void Stream::limit_to_what_is_there() {
  if (pipe_) left_ = readable(pipe_);
}

void Stream::discard() {
  if (!pipe_) return;
  std::array<char, 4096> buffer;
  const ssize_t n = ::read(pipe_.get(), buffer.data(), buffer.size());
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) pipe_.close();
}

Stream::Piece Stream::next(std::size_t most, std::size_t window) const {
  const std::uint64_t offset = std::max(sent_, ring_.kept());
  // What was dropped is nobody's to confirm: with nothing under way the window begins anew.
  const std::uint64_t end = (taken_ >= sent_ ? std::max(taken_, offset) : taken_) + window;
  if (offset >= end) return {};
  return {offset, ring_.from(offset, std::min<std::uint64_t>(most, end - offset))};
}

void Stream::send_from(std::uint64_t offset) {
  ring_.forget_to(offset);
  nothing_sent();
}

void Stream::nothing_sent() {
  sent_ = ring_.kept();
  taken_ = sent_;
}

bool Stream::taken_to(std::uint64_t offset) {
  taken_ = std::max(taken_, std::min(offset, ring_.end()));
  const std::uint64_t before = ring_.kept();
  ring_.forget_to(offset);
  return ring_.kept() != before;
}

}  // namespace genapp::remote::keeper
