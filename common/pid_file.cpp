#include "common/pid_file.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <charconv>

#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "common/paths.hpp"
#include "common/process.hpp"

namespace genapp::common {
namespace {

constexpr std::size_t kMostBytes = 64;
constexpr auto kLongestWait = std::chrono::seconds(1);
constexpr int kPauseMilliseconds = 1;

Fd open_for_reading(const Directory& run_dir, const Id& id) {
  const std::string name = paths::pid_name(id);
  Fd file(::openat(run_dir.fd(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ELOOP) throw Error(run_dir.full(name) + " is a symbolic link: remove it");
  if (!file && errno != ENOENT) throw system_error("pid file " + run_dir.full(name), errno);
  return file;
}

std::optional<PidRecord> read_record(const Fd& file) {
  char text[kMostBytes];
  const ssize_t n = ::pread(file.get(), text, sizeof text, 0);
  if (n <= 0) return std::nullopt;
  return parse_pid_record(std::string_view(text, static_cast<std::size_t>(n)));
}

}  // namespace

std::optional<PidRecord> parse_pid_record(std::string_view text) {
  PidRecord record;
  const char* const end = text.data() + text.size();
  const auto pid = std::from_chars(text.data(), end, record.pid);
  if (pid.ec != std::errc() || pid.ptr == end || *pid.ptr != ' ') return std::nullopt;
  const auto ticks = std::from_chars(pid.ptr + 1, end, record.start_ticks);
  if (ticks.ec != std::errc() || ticks.ptr + 1 != end || *ticks.ptr != '\n') return std::nullopt;
  if (record.pid <= 0) return std::nullopt;
  return record;
}

std::string format_pid_record(const PidRecord& record) {
  return std::to_string(record.pid) + " " + std::to_string(record.start_ticks) + "\n";
}

std::optional<PidFile> PidFile::take(const LockFile&, const Directory& run_dir, const Id& id) {
  const std::string name = paths::pid_name(id);
  Fd file(::openat(run_dir.fd(), name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file && errno == ELOOP) throw Error(run_dir.full(name) + " is a symbolic link: remove it");
  if (!file) throw system_error("pid file " + run_dir.full(name), errno);
  if (!try_lock(file, run_dir.full(name))) return std::nullopt;
  const auto ticks = start_ticks(::getpid());
  if (!ticks) throw Error("can't read /proc/self/stat: is /proc mounted?");
  const std::string text = format_pid_record({::getpid(), *ticks});
  errno = 0;
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    // A short write sets no errno; on a full file system it is the usual sign.
    const int error = errno ? errno : ENOSPC;
    ::unlinkat(run_dir.fd(), name.c_str(), 0);
    throw system_error("writing pid file " + run_dir.full(name), error);
  }
  return PidFile(std::move(file));
}

bool PidFile::in_place(const Directory& run_dir, const Id& id) const {
  struct stat opened {};
  struct stat named {};
  if (::fstatat(run_dir.fd(), paths::pid_name(id).c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno != ENOENT;  // any other trouble proves nothing
  }
  return ::fstat(file_.get(), &opened) != 0 ||
         (opened.st_ino == named.st_ino && opened.st_dev == named.st_dev);
}

bool is_alive(const Directory& run_dir, const Id& id) {
  const Fd file = open_for_reading(run_dir, id);
  return file && is_locked(file, run_dir.full(paths::pid_name(id)));
}

std::optional<LivingProcess> find_living(const Directory& run_dir, const Id& id) {
  const auto deadline = Clock::now() + kLongestWait;
  for (;;) {
    const Fd file = open_for_reading(run_dir, id);
    if (!file || !is_locked(file, run_dir.full(paths::pid_name(id)))) return std::nullopt;
    const auto record = read_record(file);
    if (record) {
      auto pidfd = open_pidfd(record->pid);
      // The pid is the holder's own if it has the start time that the holder wrote, and if the lock
      // is still held after the pidfd was taken: a process that died before can't hold it.
      if (pidfd && start_ticks(record->pid) == record->start_ticks &&
          is_locked(file, run_dir.full(paths::pid_name(id)))) {
        return LivingProcess{record->pid, std::move(*pidfd)};
      }
    }
    if (Clock::now() >= deadline) {
      throw Error("the lock on " + run_dir.full(paths::pid_name(id)) +
                  " is held, but not by the process the file names: is the daemon in another pid "
                  "namespace, or was the file overwritten? See 'fuser " +
                  run_dir.full(paths::pid_name(id)) + "'");
    }
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
}

}  // namespace genapp::common
