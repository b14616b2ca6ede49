#include "common/capture.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace genapp::common {
namespace {

// For a killed process to go. One that the kernel holds (state D) is left to init.
constexpr auto kKillTime = std::chrono::seconds(1);
constexpr std::size_t kReadBytes = 16 * 1024;
// More than a full pipe holds (64 KiB, or 1 MiB where somebody asked for that).
constexpr int kMostLastReads = 128;

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("making a pipe", errno);
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  // Ours alone: the program must find an ordinary, blocking one.
  if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) throw system_error("a pipe", errno);
  return pipe;
}

// One stream of the program's: our end of the pipe, closed at its end, and what has come of it.
struct Stream {
  Fd fd;
  std::size_t most;
  Printed printed{};
};

// False when there is nothing more to be read now, or ever.
bool read_some(Stream& stream) {
  char bytes[kReadBytes];
  const ssize_t n = stream.fd ? ::read(stream.fd.get(), bytes, sizeof bytes) : -1;
  if (n < 0 && stream.fd && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {
    stream.fd.close();
    return false;
  }
  const auto size = static_cast<std::size_t>(n);
  const std::size_t kept = std::min(size, stream.most - stream.printed.text.size());
  stream.printed.text.append(bytes, kept);
  if (kept < size) stream.printed.truncated = true;
  return true;
}

// What stands in the pipe when the program has ended. Somebody else may still be writing to it.
void read_rest(Stream& stream) {
  for (int reads = 0; reads < kMostLastReads && read_some(stream); ++reads) {
  }
}

// Reads until the program has ended; false when it has not within `limit`.
bool read_until_end(const Child& child, Stream& out, Stream& err, Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    // A negative descriptor is passed over.
    std::array<pollfd, 3> items{pollfd{child.pidfd().get(), POLLIN, 0},
                                pollfd{out.fd.get(), POLLIN, 0}, pollfd{err.fd.get(), POLLIN, 0}};
    const int n = ::poll(items.data(), items.size(),
                         static_cast<int>(std::clamp<long long>(left, 0, 1'000'000'000)));
    if (n > 0 && items[0].revents != 0) return true;
    if (n > 0 && items[1].revents != 0) read_some(out);
    if (n > 0 && items[2].revents != 0) read_some(err);
    // An endless stream must not keep us beyond the deadline.
    if (Clock::now() >= deadline) return false;
  }
}

}  // namespace

Captured capture(Spawn what, Clock::duration limit, std::size_t most) {
  Pipe out_pipe = make_pipe();
  Pipe err_pipe = make_pipe();
  what.out = out_pipe.write.get();
  what.err = err_pipe.write.get();
  Child child = spawn(what);
  out_pipe.write.close();
  err_pipe.write.close();
  Stream out{std::move(out_pipe.read), most};
  Stream err{std::move(err_pipe.read), most};
  Captured captured;
  captured.timed_out = !read_until_end(child, out, err, limit);
  // Before it is reaped, so that the number of its group can't be anybody else's.
  ::kill(-child.pid(), SIGKILL);
  read_rest(out);
  read_rest(err);
  if (!captured.timed_out || child.wait(kKillTime)) captured.ending = child.reap();
  captured.out = std::move(out.printed);
  captured.err = std::move(err.printed);
  return captured;
}

}  // namespace genapp::common
