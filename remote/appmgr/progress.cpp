#include "remote/appmgr/progress.hpp"

#include <algorithm>

namespace genapp::remote {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// The keeper waits with reading until it knows what is written: small against its buffer of
// 128 KiB.
constexpr std::uint64_t kConfirmBytes = 32 * 1024;
// What is less is confirmed together.
constexpr auto kConfirmTime = 100ms;
// A server sends what it has in one go.
constexpr auto kSettleTime = 1s;

}  // namespace

void Progress::from_the_beginning() {
  for (Stream* const stream : {&out_, &err_}) {
    if (!stream->next) stream->next = 0;
  }
}

void Progress::connected() {
  for (Stream* const stream : {&out_, &err_}) stream->here = stream->confirmed = 0;
  lengths_.reset();
}

OutputChunk Progress::take(const OutputChunk& chunk, Time now) {
  moved_ = now;
  Stream& stream = of(chunk.stream);
  const std::uint64_t end = chunk.offset + chunk.bytes.size();
  stream.here = std::max(stream.here, end);
  if (!stream.next) stream.next = stream.written = chunk.offset;
  OutputChunk fresh = chunk;
  if (end <= *stream.next) {
    fresh.offset = *stream.next;
    fresh.bytes = {};
    return fresh;
  }
  if (chunk.offset < *stream.next) {
    fresh.bytes.remove_prefix(static_cast<std::size_t>(*stream.next - chunk.offset));
    fresh.offset = *stream.next;
  }
  stream.gaps += fresh.offset - *stream.next;
  stream.next = end;
  return fresh;
}

void Progress::wrote(Output stream, std::uint64_t offset) {
  Stream& one = of(stream);
  one.written = std::max(one.written, offset);
}

void Progress::ended(const Offsets& lengths, Time now) {
  lengths_ = lengths;
  moved_ = now;
}

// The other side takes no confirmation of what it has not sent on this connection.
std::uint64_t Progress::confirmable(const Stream& stream) {
  return std::min(stream.written, stream.here);
}

std::optional<Offsets> Progress::confirm(Time now) {
  const Offsets may{confirmable(out_), confirmable(err_)};
  const std::uint64_t bytes =
      (may.out - std::min(may.out, out_.confirmed)) + (may.err - std::min(may.err, err_.confirmed));
  if (bytes == 0) return std::nullopt;
  if (bytes < kConfirmBytes && now < confirmed_ + kConfirmTime) return std::nullopt;
  confirmed_ = now;
  out_.confirmed = may.out;
  err_.confirmed = may.err;
  return may;
}

std::optional<Progress::Time> Progress::confirm_at() const {
  if (confirmable(out_) <= out_.confirmed && confirmable(err_) <= err_.confirmed) {
    return std::nullopt;
  }
  return confirmed_ + kConfirmTime;
}

bool Progress::all_came() const {
  return out_.next.value_or(0) >= lengths_->out && err_.next.value_or(0) >= lengths_->err;
}

bool Progress::all_written() const {
  return out_.written >= out_.next.value_or(0) && err_.written >= err_.next.value_or(0);
}

bool Progress::over(Time now) const {
  if (!lengths_ || !all_written()) return false;
  return all_came() || now >= moved_ + kSettleTime;
}

std::optional<Progress::Time> Progress::over_at() const {
  if (!lengths_ || !all_written()) return std::nullopt;
  return moved_ + kSettleTime;
}

std::uint64_t Progress::missing() const {
  std::uint64_t bytes = 0;
  for (const Output which : {Output::out, Output::err}) {
    const Stream& stream = of(which);
    bytes += stream.gaps;
    if (lengths_ && stream.next && lengths_->of(which) > *stream.next) {
      bytes += lengths_->of(which) - *stream.next;
    }
  }
  return bytes;
}

std::uint64_t Progress::unwritten(Output stream) const {
  const Stream& one = of(stream);
  return one.next ? *one.next - std::min(*one.next, one.written) : 0;
}

}  // namespace genapp::remote
