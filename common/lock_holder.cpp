#include "common/lock_holder.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>

#include "common/error.hpp"

namespace genapp::common {
namespace {

// Both files begin with what is looked for.
constexpr std::size_t kMostBegin = 4096;

// Empty when it can't be read.
std::string read_begin(int dir, const char* name) {
  const Fd file(::openat(dir, name, O_RDONLY | O_CLOEXEC));
  std::string text(kMostBegin, '\0');
  ssize_t n = 0;
  do {
    n = file ? ::read(file.get(), text.data(), text.size()) : 0;
  } while (n < 0 && errno == EINTR);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

// Without asking a server that may not answer: a liar may name a process with any descriptors.
std::optional<struct statx> look(int dir, const char* name, int flags) {
  struct statx seen {};
  const int how = flags | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
  if (::statx(dir, name, how, STATX_INO | STATX_UID, &seen) != 0) return std::nullopt;
  return seen;
}

bool same_file(const struct statx& one, const struct statx& other) {
  return one.stx_ino == other.stx_ino && one.stx_dev_major == other.stx_dev_major &&
         one.stx_dev_minor == other.stx_dev_minor;
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

// Nothing when its descriptors may not be looked at.
std::optional<bool> has_locked(const Fd& process, const struct statx& wanted) {
  const auto not_known = []() -> std::optional<bool> {
    if (errno == EACCES || errno == EPERM) return std::nullopt;
    return false;
  };
  const Fd fds(::openat(process.get(), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fds) return not_known();
  const Fd infos(::openat(process.get(), "fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const int names = infos ? ::fcntl(infos.get(), F_DUPFD_CLOEXEC, 0) : -1;
  if (names < 0) return not_known();
  const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(names));
  if (!dir) {
    ::close(names);
    return not_known();
  }
  while (const dirent* entry = ::readdir(dir.get())) {
    if (!tells_of_lock(read_begin(infos.get(), entry->d_name))) continue;
    const auto seen = look(fds.get(), entry->d_name, 0);
    if (seen && same_file(*seen, wanted)) return true;
  }
  return false;
}

}  // namespace

bool holds_lock(pid_t pid, const Fd& file) {
  const std::string path = "/proc/" + std::to_string(pid);
  const Fd process(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!process) return false;
  const auto wanted = look(file.get(), "", AT_EMPTY_PATH);
  if (!wanted) throw system_error("looking at a lock file", errno);
  if (user_from_status(read_begin(process.get(), "status")) != wanted->stx_uid) return false;
  return has_locked(process, *wanted).value_or(true);
}

std::optional<uid_t> user_from_status(std::string_view status) {
  constexpr std::string_view kKey = "\nUid:\t";
  const auto line = status.find(kKey);
  if (line == std::string_view::npos) return std::nullopt;
  status.remove_prefix(line + kKey.size());
  const auto tab = status.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  status.remove_prefix(tab + 1);
  uid_t user = 0;
  const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), user);
  // A number that nothing follows may be half of one.
  const bool whole = end != status.data() + status.size() && *end == '\t';
  return error == std::errc() && whole ? std::optional(user) : std::nullopt;
}

bool tells_of_lock(std::string_view fdinfo) {
  while (!fdinfo.empty()) {
    const auto line = fdinfo.substr(0, fdinfo.find('\n'));
    if (line.starts_with("lock:\t") && line.find(" OFDLCK ") != std::string_view::npos) return true;
    fdinfo.remove_prefix(std::min(line.size() + 1, fdinfo.size()));
  }
  return false;
}

}  // namespace genapp::common
