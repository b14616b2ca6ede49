#include "common/pid_file.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "common/lock_holder.hpp"
#include "common/paths.hpp"
#include "common/process.hpp"

namespace genapp::common {
namespace {

constexpr std::size_t kMostBytes = 64;
constexpr auto kLongestWait = std::chrono::seconds(1);
constexpr int kPauseMilliseconds = 1;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Fd open_for_reading(const Directory& run_dir, const std::string& name) {
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

// Zero, or the errno. A short write sets none; on a full file system it is the usual sign.
int write_record(const Fd& file, const std::string& text) {
  int truncated = 0;
  do {
    truncated = ::ftruncate(file.get(), 0);
  } while (truncated != 0 && errno == EINTR);
  if (truncated != 0) return errno;
  ssize_t written = 0;
  do {
    written = ::pwrite(file.get(), text.data(), text.size(), 0);
  } while (written < 0 && errno == EINTR);
  if (written < 0) return errno;
  return written == static_cast<ssize_t>(text.size()) ? 0 : ENOSPC;
}

// Before the file is written: it may be anything that a writer of the run directory has put there.
// Throws Error.
void make_own(const Fd& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw system_error("pid file " + path, errno);
  if (!S_ISREG(info.st_mode)) throw Error("pid file " + path + " is no regular file: remove it");
  if (info.st_nlink > 1)
    throw Error("pid file " + path + " has another name (a hard link): remove it");
  // One that a dead daemon of another user left: its owner is part of the proof (lock_holder.hpp).
  if (info.st_uid != ::geteuid() &&
      ::fchown(file.get(), ::geteuid(), static_cast<gid_t>(-1)) != 0) {
    throw system_error("pid file " + path + " belongs to user " + std::to_string(info.st_uid),
                       errno);
  }
}

}  // namespace

std::optional<PidRecord> parse_pid_record(std::string_view text) {
  PidRecord record;
  const char* const end = text.data() + text.size();
  const auto pid = std::from_chars(text.data(), end, record.pid);
  if (pid.ec != std::errc() || pid.ptr == end || *pid.ptr != ' ') return std::nullopt;
  const auto ticks = std::from_chars(pid.ptr + 1, end, record.start_ticks);
  if (ticks.ec != std::errc() || ticks.ptr == end || record.pid <= 0) return std::nullopt;
  std::string_view rest(ticks.ptr, static_cast<std::size_t>(end - ticks.ptr));
  // Without its end it may be half of one.
  if (!rest.ends_with('\n')) return std::nullopt;
  rest.remove_suffix(1);
  if (rest.empty()) return record;
  if (rest.front() != ' ' || rest.size() == 1 ||
      !std::all_of(rest.begin() + 1, rest.end(), is_letter)) {
    return std::nullopt;
  }
  record.word = rest.substr(1);
  return record;
}

std::string format_pid_record(const PidRecord& record) {
  return std::to_string(record.pid) + " " + std::to_string(record.start_ticks) +
         (record.word.empty() ? "" : " " + record.word) + "\n";
}

std::optional<PidFile> PidFile::take(const LockFile&, const Directory& run_dir,
                                     const std::string& name, const std::string& word,
                                     Record record) {
  Fd file(::openat(run_dir.fd(), name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file && errno == ELOOP) throw Error(run_dir.full(name) + " is a symbolic link: remove it");
  if (!file) throw system_error("pid file " + run_dir.full(name), errno);
  if (!try_lock(file, run_dir.full(name))) return std::nullopt;
  make_own(file, run_dir.full(name));
  const auto ticks = start_ticks(::getpid());
  if (!ticks) throw Error("can't read /proc/self/stat: is /proc mounted?");
  const int error = write_record(file, format_pid_record({::getpid(), *ticks, word}));
  if (error != 0 && record == Record::needed) {
    ::unlinkat(run_dir.fd(), name.c_str(), 0);
    throw system_error("writing pid file " + run_dir.full(name), error);
  }
  return PidFile(std::move(file));
}

bool PidFile::in_place(const Directory& run_dir, const std::string& name) const {
  struct stat opened {};
  struct stat named {};
  if (::fstatat(run_dir.fd(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno != ENOENT;  // any other trouble proves nothing
  }
  return ::fstat(file_.get(), &opened) != 0 ||
         (opened.st_ino == named.st_ino && opened.st_dev == named.st_dev);
}

bool PidFile::give_to(uid_t user) const {
  return ::fchown(file_.get(), user, static_cast<gid_t>(-1)) == 0;
}

void PidFile::release() && {
  while (::ftruncate(file_.get(), 0) != 0) {
    if (errno != EINTR) throw system_error("emptying a pid file", errno);
  }
  file_.close();
}

bool is_alive(const Directory& run_dir, const std::string& name) {
  const Fd file = open_for_reading(run_dir, name);
  return file && is_locked(file, run_dir.full(name));
}

std::optional<PidRecord> read_pid_record(const Directory& run_dir, const std::string& name) {
  const Fd file = open_for_reading(run_dir, name);
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return std::nullopt;
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) return std::nullopt;
  return read_record(file);
}

std::optional<LivingProcess> find_living(const Directory& run_dir, const std::string& name) {
  const auto deadline = Clock::now() + kLongestWait;
  for (;;) {
    const Fd file = open_for_reading(run_dir, name);
    if (!file || !is_locked(file, run_dir.full(name))) return std::nullopt;
    const auto record = read_record(file);
    if (record) {
      auto pidfd = open_pidfd(record->pid);
      // The pid is the holder's own if it has the start time that the holder wrote, and if the lock
      // is still held after the pidfd was taken: a process that died before can't hold it. That the
      // writer was the holder is for the kernel to say.
      if (pidfd && start_ticks(record->pid) == record->start_ticks &&
          holds_lock(record->pid, file) && is_locked(file, run_dir.full(name))) {
        return LivingProcess{record->pid, std::move(*pidfd), record->word};
      }
    }
    if (Clock::now() >= deadline) {
      throw Error("the lock on " + run_dir.full(name) +
                  " is held, but not by the process the file names: is it in another pid or "
                  "time namespace, or was the file overwritten? See 'fuser " +
                  run_dir.full(name) + "'");
    }
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
}

}  // namespace genapp::common
