#include "tests/support/process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/optional.hpp>
#include <boost/process/v2/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace process = boost::process::v2;
using common::Fd;

Fd memory_file() {
  Fd fd(::memfd_create("genapp-test", MFD_CLOEXEC));
  if (!fd) throw std::runtime_error("memfd_create");
  return fd;
}

std::string content(const Fd& fd, std::size_t from = 0) {
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::pread(fd.get(), buffer, sizeof buffer, static_cast<off_t>(from + text.size()))) >
         0) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path ? path : "") + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

std::vector<std::string> environment_of(const Command& command) {
  std::map<std::string, std::string> merged;
  for (char** entry = ::environ; *entry; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos) merged[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& name : command.unset) merged.erase(name);
  for (const auto& [name, value] : command.env) merged[name] = value;
  std::vector<std::string> out;
  for (const auto& [name, value] : merged) out.push_back(name + "=" + value);
  return out;
}

// In the child, before exec: its standard streams, a group of its own, and an end with its parent.
struct Setup {
  int in;
  int out;
  int err;
  pid_t parent;

  template <typename Launcher>
  process::error_code on_exec_setup(Launcher&, const process::filesystem::path&,
                                    const char* const*(&)) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const bool orphan = ::getppid() != parent;
    if (orphan || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) {
      return process::error_code(ECANCELED, boost::system::system_category());
    }
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    return {};
  }
};

}  // namespace

Process::Process(const Command& command)
    : limit_(command.limit), out_(memory_file()), err_(memory_file()) {
  const std::string program = find_program(command.argv.at(0));
  if (program.empty()) throw std::runtime_error(command.argv[0] + " is not installed");
  const Fd in = memory_file();
  if (::write(in.get(), command.input.data(), command.input.size()) !=
          static_cast<ssize_t>(command.input.size()) ||
      ::lseek(in.get(), 0, SEEK_SET) != 0) {
    throw std::runtime_error("standard input");
  }
  const std::vector<std::string> environment = environment_of(command);
  std::vector<const char*> pointers;
  for (const auto& entry : environment) pointers.push_back(entry.c_str());
  pointers.push_back(nullptr);

  boost::asio::io_context io;
  process::default_process_launcher launcher;
  launcher.env = pointers.data();
  const std::vector<std::string> arguments(command.argv.begin() + 1, command.argv.end());
  auto child =
      launcher(io, program, arguments, Setup{in.get(), out_.get(), err_.get(), ::getpid()});
  pid_ = child.id();
  child.detach();  // we wait ourselves
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      ended_(other.ended_),
      status_(other.status_),
      limit_(other.limit_),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {}

Process::~Process() {
  if (pid_ <= 0 || ended_) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  reap(true);
}

bool Process::reap(bool block) {
  if (!ended_ && ::waitpid(pid_, &status_, block ? 0 : WNOHANG) == pid_) ended_ = true;
  return ended_;
}

bool Process::running() { return !reap(false); }

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

Result Process::wait() {
  Result result;
  if (!wait_until([this] { return reap(false); }, limit_)) {
    result.over_limit = true;
    ::kill(-pid_, SIGKILL);
    reap(true);
  }
  if (WIFEXITED(status_)) result.exit_code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) result.signal = WTERMSIG(status_);
  result.out = out();
  result.err = err();
  return result;
}

Result Process::stop() {
  signal(SIGTERM);
  return wait();
}

std::string Process::out(std::size_t from) const { return content(out_, from); }
std::string Process::err() const { return content(err_); }

Result run(const Command& command) { return Process(command).wait(); }

bool raise_descriptor_limit(unsigned long least) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= least) return true;
  limit.rlim_cur = least;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

bool installed(const std::string& program) { return !find_program(program).empty(); }

}  // namespace genapp::tests
