#include "common/family.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include "common/error.hpp"
#include "common/process.hpp"

namespace genapp::common {
namespace {

constexpr int kPauseMilliseconds = 5;
constexpr int kLooks = 6;

struct Close {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

std::vector<pid_t> all_processes() {
  const std::unique_ptr<DIR, Close> dir(::opendir("/proc"));
  if (!dir) throw system_error("reading /proc", errno);
  std::vector<pid_t> pids;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

// The file's text; empty when the process is gone or not ours to read. What we are only too short
// of descriptors or memory to see must not be taken for gone.
std::string read_of_process(pid_t pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno != ENOENT && errno != ESRCH && errno != EACCES && errno != EPERM) {
    throw system_error("reading " + path, errno);
  }
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while (file &&
         ((n = ::read(file.get(), buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))) {
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

struct Stat {
  char state = '?';
  pid_t parent = 0;
};

// proc(5): after the name in parentheses, which may hold anything, the state and the parent.
Stat stat_of(pid_t pid) {
  const std::string text = read_of_process(pid, "stat");
  const auto close = text.rfind(") ");
  Stat stat;
  if (close == std::string::npos || close + 4 >= text.size()) return stat;
  stat.state = text[close + 2];
  std::from_chars(text.data() + close + 4, text.data() + text.size(), stat.parent);
  return stat;
}

// Whether there may be one; asked first, because it costs one call.
bool has_any_child() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

std::vector<pid_t> children_but(const Others& others) {
  std::vector<pid_t> found;
  if (!has_any_child()) return found;
  for (const pid_t pid : all_processes()) {
    const bool is_other = std::find(others.begin(), others.end(), pid) != others.end();
    if (!is_other && stat_of(pid).parent == ::getpid()) found.push_back(pid);
  }
  return found;
}

// True when it had ended.
bool reap(pid_t child) { return ::waitpid(child, nullptr, WNOHANG) == child; }

void pause(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

// Neither a zombie nor the kernel's own.
bool executes_a_program(pid_t pid) {
  char target[1];
  const std::string link = "/proc/" + std::to_string(pid) + "/exe";
  return ::readlink(link.c_str(), target, sizeof target) > 0;
}

// A process that is just executing another program has no environment for a moment.
std::string environment_of(pid_t pid) {
  for (int looks = 1;; ++looks) {
    std::string text = read_of_process(pid, "environ");
    if (!text.empty() || looks == kLooks || !executes_a_program(pid)) return text;
    pause(1);
  }
}

bool carries(pid_t pid, const std::string& entry) {
  const std::string environment = '\0' + environment_of(pid) + '\0';
  return environment.find('\0' + entry + '\0') != std::string::npos;
}

// KILL for those that run; a zombie has no environment. True when there was one. One after the
// other, since there may be more of them than we may have descriptors.
bool end_carriers_seen(const std::string& entry) {
  bool any = false;
  for (const pid_t pid : all_processes()) {
    if (pid == ::getpid() || !carries(pid, entry)) continue;
    const auto pidfd = open_pidfd(pid);
    // Once more: the pid may have become another's before the pidfd was taken.
    if (!pidfd || !carries(pid, entry)) continue;
    send_signal(*pidfd, SIGKILL);
    any = true;
  }
  return any;
}

}  // namespace

std::string run_of(const PidRecord& record) {
  return std::to_string(record.pid) + "." + std::to_string(record.start_ticks);
}

std::string own_run() {
  const auto ticks = start_ticks(::getpid());
  if (!ticks) throw Error("can't read /proc/self/stat: is /proc mounted?");
  return run_of({::getpid(), *ticks});
}

Others adopt_orphans() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    throw system_error("becoming the subreaper of the processes to come", errno);
  }
  return children_but({});
}

bool has_children(const Others& others) {
  for (;;) {
    bool any = false;
    bool reaped = false;
    for (const pid_t child : children_but(others)) {
      if (reap(child)) {
        reaped = true;
      } else {
        any = true;
      }
    }
    // What an ended one has started may have become ours after it was looked for.
    if (any || !reaped) return any;
  }
}

bool end_children(const Others& others, Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  for (;;) {
    const std::vector<pid_t> found = children_but(others);
    if (found.empty()) return true;
    for (const pid_t child : found) {
      // Ours and not reaped, so the pid is nobody else's. Its children will be ours next.
      ::kill(child, SIGKILL);
      reap(child);
    }
    if (Clock::now() >= deadline) return false;
    pause(kPauseMilliseconds);
  }
}

bool end_carriers(const std::string& run, Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  const std::string entry = std::string(kRunVariable) + "=" + run;
  while (end_carriers_seen(entry)) {
    if (Clock::now() >= deadline) return false;
    pause(kPauseMilliseconds);
  }
  return true;
}

}  // namespace genapp::common
