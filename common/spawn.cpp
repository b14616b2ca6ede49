#include "common/spawn.hpp"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/optional.hpp>
#include <boost/process/v2/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <charconv>

#include "common/directory.hpp"
#include "common/printable.hpp"
#include "common/process.hpp"

namespace genapp::common {
namespace {

namespace process = boost::process::v2;

// What the child was at when it failed. The launcher tells its parent one number.
enum class Step { execute, streams, limits, identity, folder, descriptors, parent };
constexpr int kStepBase = 1 << 16;

// What the launcher sends is errno and not the value that is returned to it.
process::error_code failure(Step step, int error) {
  errno = static_cast<int>(step) * kStepBase + error;
  return {errno, boost::system::system_category()};
}

std::string step_text(Step step, const Spawn& what) {
  switch (step) {
    case Step::execute:
      return "executing it";
    case Step::streams:
      return "its standard streams";
    case Step::limits:
      return "setting its limits";
    case Step::identity:
      return "becoming its user";
    case Step::folder:
      return "changing to its folder " + quoted(what.directory);
    case Step::descriptors:
      return "closing our descriptors (Linux 5.11 or later is needed)";
    case Step::parent:
      break;
  }
  return "its parent ended";
}

void unblock_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool set_limit(const ResourceLimit& limit) {
  const auto resource = static_cast<__rlimit_resource_t>(limit.resource);
  rlimit both{limit.most, limit.most};
  if (limit.soft_only) {
    if (::getrlimit(resource, &both) != 0) return false;
    both.rlim_cur = limit.most;
  }
  return ::setrlimit(resource, &both) == 0;
}

// As format_pid_record(), which allocates.
void write_own_record(int file) {
  const pid_t pid = ::getpid();
  const auto ticks = start_ticks(pid);
  if (!ticks) return;
  std::array<char, 64> text;  // two numbers of 20 digits at most
  char* const end = text.data() + text.size();
  const auto first = std::to_chars(text.data(), end - 2, pid);
  if (first.ec != std::errc()) return;
  *first.ptr = ' ';
  const auto second = std::to_chars(first.ptr + 1, end - 1, *ticks);
  if (second.ec != std::errc()) return;
  *second.ptr = '\n';
  const auto size = static_cast<std::size_t>(second.ptr + 1 - text.data());
  [[maybe_unused]] const ssize_t n = ::write(file, text.data(), size);
}

// In the child, before exec: only calls that are safe between fork and exec.
struct Setup {
  const Spawn& what;
  int null;
  int out;
  int err;
  int pid_record;
  pid_t parent;

  template <typename Launcher>
  process::error_code on_exec_setup(Launcher&, const process::filesystem::path&,
                                    const char* const*(&)) {
    if (pid_record >= 0) write_own_record(pid_record);
    ::setsid();
    if (!set_streams()) return failure(Step::streams, errno);
    for (const ResourceLimit& limit : what.limits) {
      if (!set_limit(limit)) return failure(Step::limits, errno);
    }
    if (what.identity && !become(*what.identity)) return failure(Step::identity, errno);
    ::umask(what.umask.value_or(022));
    if (::chdir(what.directory.c_str()) != 0) return failure(Step::folder, errno);
    // After the change of user, which clears it. A parent that ended before is noticed here.
    if (what.ends_with_parent) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (what.ends_with_parent && ::getppid() != parent) return failure(Step::parent, ECANCELED);
    unblock_signals();
    if (::close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0) {
      return failure(Step::descriptors, errno);
    }
    return {};
  }

  // The launcher would call exit(), and with it what our own process does at its end. Its
  // declaration and its call of this differ in the number of arguments (Boost 1.81).
  template <typename... Any>
  void on_exec_error(Any&&...) {
    ::_exit(127);
  }

  // None of the three is a standard stream's number: see LowDescriptors.
  bool set_streams() const {
    return ::dup2(null, STDIN_FILENO) >= 0 && ::dup2(out, STDOUT_FILENO) >= 0 &&
           ::dup2(err, STDERR_FILENO) >= 0;
  }

  static bool become(const Identity& identity) {
    return ::setgroups(identity.groups.size(), identity.groups.data()) == 0 &&
           ::setresgid(identity.group, identity.group, identity.group) == 0 &&
           ::setresuid(identity.user, identity.user, identity.user) == 0;
  }
};

Fd open_null() {
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) throw system_error("opening /dev/null", errno);
  return null;
}

// A caller may have closed standard streams. Their numbers are kept taken while the child is
// started: else the launcher's own pipe could get one, and would be lost to the child's streams.
class LowDescriptors {
 public:
  LowDescriptors() {
    for (Fd& fd : taken_) {
      fd = open_null();
      if (fd.get() > STDERR_FILENO) return;
    }
  }

 private:
  std::array<Fd, 4> taken_;
};

// A copy of `fd` with a number above the standard streams' numbers, so that none of the child's
// streams can take another's place before it is copied itself.
Fd above_streams(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!copy) throw system_error("copying descriptor " + std::to_string(fd), errno);
  return copy;
}

// Asio's event loop, the launcher's pipe and the pidfd need that many. A loop that can't be made
// whole leaves what it has opened open (Boost 1.81), so it is not begun then.
void require_room(const Fd& null) {
  std::array<Fd, 10> room;
  for (Fd& fd : room) fd = above_streams(null.get());
}

std::vector<const char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

// The launcher leaves a child that could not be executed to be reaped.
void reap_failed(pid_t pid) {
  while (pid > 0 && ::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// Out of descriptors, it may have been started and can't be held: then it has not been started.
void end_unheld(pid_t pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  reap_failed(pid);
}

StartError start_error(const Spawn& what, int value) {
  const std::string& path = what.argv.front();
  const auto step = static_cast<Step>(value / kStepBase);
  const int error = value % kStepBase;
  const std::string why = step == Step::execute ? why_not_executed(path, error)
                                                : step_text(step, what) + ": " + errno_text(error);
  return StartError(quoted(path) + " can't be started: " + why, error);
}

// Its first line, at most 256 bytes of it as the kernel does; nothing when it can't be read.
std::optional<std::string> first_line(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char text[256];
  const ssize_t n = file ? ::read(file.get(), text, sizeof text) : -1;
  if (n < 0) return std::nullopt;
  const std::string line(text, static_cast<std::size_t>(n));
  return line.substr(0, line.find('\n'));
}

// "/bin/sh" of "#! /bin/sh -e"; nothing when the line names none.
std::optional<std::string> interpreter_in(const std::string& line) {
  if (!line.starts_with("#!")) return std::nullopt;
  const auto begin = line.find_first_not_of(" \t", 2);
  if (begin == std::string::npos) return std::nullopt;
  return line.substr(begin, line.find_first_of(" \t", begin) - begin);
}

std::string why_not_found(const std::string& path) {
  const auto interpreter = interpreter_in(first_line(path).value_or(""));
  if (!interpreter) return "its loader or interpreter does not exist";
  if (interpreter->ends_with('\r')) {
    return "its first line ends with a carriage return: give the file UNIX line ends";
  }
  return "its interpreter " + quoted(*interpreter) + " does not exist";
}

std::string why_denied(const std::string& path, const struct stat& file) {
  if (S_ISDIR(file.st_mode)) return "it is a directory";
  if (!S_ISREG(file.st_mode)) return "it is not a regular file";
  if ((file.st_mode & 0111) == 0) return "it is not executable: chmod +x it";
  const auto interpreter = interpreter_in(first_line(path).value_or(""));
  if (interpreter && ::access(interpreter->c_str(), X_OK) != 0) {
    return "its interpreter " + quoted(*interpreter) + " is not executable";
  }
  return "Permission denied: by the file's or a folder's mode, or a file system mounted noexec";
}

}  // namespace

bool Child::wait(Clock::duration timeout) const { return wait_for_end(pidfd_, timeout); }

Ending Child::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) throw system_error("waiting for process " + std::to_string(pid_), errno);
  }
  if (WIFSIGNALED(status)) return {true, WTERMSIG(status)};
  return {false, WEXITSTATUS(status)};
}

Child spawn(const Spawn& what) {
  const LowDescriptors low;
  const Fd null = open_null();
  const Fd out = above_streams(what.out < 0 ? null.get() : what.out);
  const Fd err = above_streams(what.err < 0 ? null.get() : what.err);
  const Fd pid_record = what.pid_record < 0 ? Fd() : above_streams(what.pid_record);
  // A caller may have left it ignored; then the child would be reaped behind our back.
  ::signal(SIGCHLD, SIG_DFL);
  const std::vector<const char*> environment = pointers_to(what.environment);
  const std::string& path = what.argv.at(0);
  process::default_process_launcher launcher;
  launcher.env = environment.data();
  require_room(null);
  try {
    boost::asio::io_context io;
    process::error_code error;
    // Given the context instead of its executor, it throws in spite of `error` (Boost 1.81).
    auto child =
        launcher(io.get_executor(), error, path,
                 std::vector<std::string>(what.argv.begin() + 1, what.argv.end()),
                 Setup{what, null.get(), out.get(), err.get(), pid_record.get(), ::getpid()});
    if (error) {
      reap_failed(launcher.pid);
      throw start_error(what, error.value());
    }
    child.detach();  // we wait ourselves
    auto pidfd = open_pidfd(launcher.pid);
    if (pidfd) return Child(launcher.pid, std::move(*pidfd));
    throw StartError("process " + std::to_string(launcher.pid) + " was reaped by somebody else",
                     ECHILD);
  } catch (const StartError&) {
    throw;
  } catch (const std::exception& problem) {
    end_unheld(launcher.pid);
    throw Error(quoted(path) + " can't be started: " + problem.what());
  }
}

std::string why_not_executed(const std::string& path, int error) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return errno_text(errno);
  if (error == ENOENT) return why_not_found(path);
  if (error == EACCES) return why_denied(path, file);
  if (error == ENOEXEC && file.st_size == 0) return "the file is empty";
  if (error == ENOEXEC) {
    return "it is neither a program for this machine nor a script: a script begins with #! and its "
           "interpreter";
  }
  return errno_text(error);
}

}  // namespace genapp::common
