#include "remote/appmgr/output_writer.hpp"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "common/error.hpp"

namespace genapp::remote {
namespace {

// A slow reader's progress is seen so often.
constexpr std::size_t kMostWriteBytes = 16 * 1024;
constexpr std::size_t kPipeBytes = 4096;  // that a pipe takes whole if it takes any (PIPE_BUF)

void wait_for_room(int fd) {
  pollfd room{fd, POLLOUT, 0};
  ::poll(&room, 1, -1);
}

// 0, or the errno. Blocks for as long as the reader does.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Somebody else made it so.
      wait_for_room(fd);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

struct OutputWriter::Shared {
  struct Piece {
    std::uint64_t offset = 0;
    std::string bytes{};
  };

  mutable std::mutex mutex;
  std::condition_variable more;
  std::deque<Piece> pieces;
  State state;
  std::function<void()> progress;
  bool begun = false;
  bool over = false;

  // The thread.
  void run(int fd) {
    for (;;) {
      Piece piece;
      {
        std::unique_lock lock(mutex);
        more.wait(lock, [this] { return over || !pieces.empty(); });
        if (over) return;
        piece = std::move(pieces.front());
        pieces.pop_front();
      }
      if (!write(fd, piece)) return;
    }
  }

  bool write(int fd, const Piece& piece) {
    std::string_view rest = piece.bytes;
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, kMostWriteBytes);
      const int error = write_all(fd, part);
      rest.remove_prefix(part.size());
      const std::lock_guard lock(mutex);
      if (over) return false;
      state.written = piece.offset + (piece.bytes.size() - rest.size());
      state.waiting -= part.size();
      if (error != 0) {
        state.error = error;
        state.discarded += part.size();
      }
      progress();
    }
    return true;
  }
};

OutputWriter::OutputWriter(int fd, std::function<void()> progress)
    : shared_(std::make_shared<Shared>()), fd_(fd) {
  shared_->progress = std::move(progress);
}

OutputWriter::~OutputWriter() {
  const std::lock_guard lock(shared_->mutex);
  shared_->over = true;
  shared_->progress = nullptr;
  shared_->more.notify_all();
}

void OutputWriter::put(std::uint64_t offset, std::string bytes) {
  const std::lock_guard lock(shared_->mutex);
  shared_->state.waiting += bytes.size();
  shared_->pieces.push_back({offset, std::move(bytes)});
  if (std::exchange(shared_->begun, true)) return shared_->more.notify_one();
  // Signals are for the thread of the event loop.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([shared = shared_, fd = fd_] { shared->run(fd); }).detach();
  } catch (const std::system_error& problem) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw common::system_error("a thread for the command's output", problem.code().value());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

OutputWriter::State OutputWriter::state() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->state;
}

void put_last_line(int fd, const std::string& line, int limit_ms) {
  for (std::string_view rest = line; !rest.empty();) {
    pollfd room{fd, POLLOUT, 0};
    if (::poll(&room, 1, limit_ms) <= 0) return;
    const ssize_t written = ::write(fd, rest.data(), std::min(rest.size(), kPipeBytes));
    if (written < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace genapp::remote
