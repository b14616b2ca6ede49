#include "tests/support/terminal.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

[[noreturn]] void become(const Command& command) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const auto& [name, value] : command.env) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& argument : command.argv) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

OnTerminal::OnTerminal(const Command& command) {
  int terminal = -1;
  pid_ = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (pid_ == 0) become(command);
  terminal_ = common::Fd(terminal);
}

OnTerminal::~OnTerminal() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

const std::string& OnTerminal::shown() {
  char buffer[4096];
  pollfd item{terminal_.get(), POLLIN, 0};
  while (::poll(&item, 1, 0) > 0) {
    const ssize_t n = ::read(terminal_.get(), buffer, sizeof buffer);
    if (n <= 0) break;
    shown_.append(buffer, static_cast<std::size_t>(n));
  }
  return shown_;
}

bool OnTerminal::type(const std::string& keys) {
  return ::write(terminal_.get(), keys.data(), keys.size()) == static_cast<ssize_t>(keys.size());
}

int OnTerminal::end() {
  int status = -1;
  const bool ended = wait_until(
      [&] {
        shown();  // a full terminal would block it
        return ::waitpid(pid_, &status, WNOHANG) == pid_;
      },
      std::chrono::seconds(60));
  if (ended) pid_ = 0;
  return status;
}

}  // namespace genapp::tests
