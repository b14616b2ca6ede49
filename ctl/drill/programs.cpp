#include "ctl/drill/programs.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "common/error.hpp"
#include "common/fd.hpp"
#include "common/process.hpp"
#include "common/program_folder.hpp"
#include "ctl/drill/interruption.hpp"

namespace genapp::ctl::drill {
namespace {

using common::Error;
using common::Fd;

constexpr std::array<std::string_view, 3> kNeeded{"restore", "quickCheck", "recover"};
constexpr char kHint[] =
    "a drill calls the programs that the cluster calls; say where they are with --programs DIR";
constexpr char kTimeoutVariable[] = "HC_TIMEOUT=";
constexpr std::size_t kMostErrBytes = 64 * 1024;
constexpr int kNoExec = 127;

std::vector<std::string> environment_with(common::Clock::duration hc_timeout) {
  std::vector<std::string> all{kTimeoutVariable + common::seconds_text(hc_timeout)};
  for (char** entry = ::environ; *entry; ++entry) {
    if (!std::string_view(*entry).starts_with(kTimeoutVariable)) all.emplace_back(*entry);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::string content(const Fd& file) {
  std::string text(kMostErrBytes, '\0');
  const ssize_t n = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

// Between fork and exec nothing may be allocated: the drill's prober is a thread.
[[noreturn]] void become(char* const* argv, char* const* environment, int err, int null) {
  ::setsid();
  unblock_interruptions();
  if (::dup2(null, STDIN_FILENO) >= 0 && ::dup2(null, STDOUT_FILENO) >= 0 &&
      ::dup2(err, STDERR_FILENO) >= 0) {
    ::execve(argv[0], argv, environment);
  }
  ::_exit(kNoExec);
}

int exit_code_of(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Programs::Programs(const std::string& folder, common::Tag tag, common::Id id,
                   common::Clock::duration hc_timeout)
    : folder_(common::find_programs(folder, kNeeded, kHint)),
      tag_(std::move(tag)),
      id_(std::move(id)),
      environment_(environment_with(hc_timeout)) {}

Answer Programs::run(const std::string& name, const Wait& wait) const {
  const Fd err(::memfd_create("genapp-drill", MFD_CLOEXEC));
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!err || !null) throw common::system_error("starting " + name, errno);
  std::vector<std::string> arguments{folder_ + "/" + name, "-t", tag_.text(), "-i", id_.text()};
  std::vector<std::string> environment = environment_;
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  const pid_t pid = ::fork();
  if (pid < 0) throw common::system_error("starting " + name + ": fork", errno);
  if (pid == 0) become(argv.data(), envp.data(), err.get(), null.get());
  const auto pidfd = common::open_pidfd(pid);
  while (pidfd && !wait(pidfd->get())) {
  }
  const Answer answer{exit_code_of(pid), content(err)};
  if (answer.exit_code == kNoExec) throw Error("could not run " + arguments[0]);
  return answer;
}

}  // namespace genapp::ctl::drill
