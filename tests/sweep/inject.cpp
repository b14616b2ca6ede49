// inject REPORT PROCESS NUMBER NTH ERRNO PROGRAM [ARGUMENT...]
//
// Runs a program and spoils one system call. PROCESS 0 is the program, 1 its first child. At the
// NTH call NUMBER of that process, counted after the exec, the process gets SIGKILL (ERRNO 0), or
// the call fails with ERRNO without having been made (a close is
// made). Then REPORT, a file, is made.
//
// Unlike `strace -f -e inject`, which counts in every process and so always strikes the parent
// first, this can reach the calls of a forked daemon alone. And it ends with the program, as the
// program did; daemons that are left are let go and run on.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

void check(bool well, const char* what) {
  if (!well) throw std::runtime_error(std::string(what) + ": error " + std::to_string(errno));
}

struct Target {
  std::string report;
  int process = 0;
  unsigned long long number = 0;
  int nth = 0;
  int error = 0;
};

class Tracer {
 public:
  Tracer(Target target, pid_t command) : target_(std::move(target)), command_(command) {}

  // Until the command has ended and no call is half spoilt; returns its wait status.
  int run() {
    for (;;) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, __WALL);
      check(pid > 0, "waitpid");
      if (WIFSTOPPED(status)) {
        on_stop(pid, status);
      } else if (pid == command_) {
        command_status_ = status;
        command_ended_ = true;
      }
      if (command_ended_ && spoiling_ == 0) return command_status_;
    }
  }

 private:
  struct Traced {
    int index = 0;
    int calls = 0;  // of the target's number
  };

  void on_stop(pid_t pid, int status) {
    const int index = static_cast<int>(traced_.size());
    Traced& traced = traced_.try_emplace(pid, Traced{index, 0}).first->second;
    const int signal = WSTOPSIG(status);
    const bool event = status >> 16 != 0;
    const bool call = signal == (SIGTRAP | 0x80);
    if (call) on_call(pid, traced);
    // ESRCH: killed meanwhile, as by ourselves.
    ::ptrace(PTRACE_SYSCALL, pid, 0, call || event ? 0 : signal);
  }

  void on_call(pid_t pid, Traced& traced) {
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && pid == spoiling_) return set_result(pid);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != target_.number) return;
    if (traced.index != target_.process || ++traced.calls != target_.nth) return;
    if (!is_signal_pipe(pid, info.entry.args[0])) spoil(pid);
  }

  // Never fails (errnos.cpp says why), and may be reached where the traced run read something else.
  bool is_signal_pipe(pid_t pid, unsigned long long fd) const {
    if (target_.error == 0 || (target_.number != SYS_read && target_.number != SYS_write)) {
      return false;
    }
    const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
    char name[5];
    return ::readlink(path.c_str(), name, sizeof name) == sizeof name &&
           std::string_view(name, sizeof name) == "pipe:";
  }

  void spoil(pid_t pid) {
    const int fd = ::open(target_.report.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    check(fd >= 0 && ::close(fd) == 0, target_.report.c_str());
    if (target_.error == 0) {
      ::kill(pid, SIGKILL);
      return;
    }
    spoiling_ = pid;
    // close(2) frees the descriptor whatever it returns.
    if (target_.number == SYS_close) return;
    user_regs_struct registers{};
    check(::ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0, "PTRACE_GETREGS");
    registers.orig_rax = ~0ULL;  // no system call
    check(::ptrace(PTRACE_SETREGS, pid, 0, &registers) == 0, "PTRACE_SETREGS");
  }

  void set_result(pid_t pid) {
    user_regs_struct registers{};
    check(::ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0, "PTRACE_GETREGS");
    registers.rax = static_cast<unsigned long long>(-static_cast<long long>(target_.error));
    check(::ptrace(PTRACE_SETREGS, pid, 0, &registers) == 0, "PTRACE_SETREGS");
    spoiling_ = 0;
  }

  Target target_;
  pid_t command_;
  std::map<pid_t, Traced> traced_;
  pid_t spoiling_ = 0;  // whose call is being made to fail
  bool command_ended_ = false;
  int command_status_ = 0;
};

// Waits to be traced, then becomes the program.
[[noreturn]] void become(char** argv, int go) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  char byte = 0;
  if (::read(go, &byte, 1) == 1) ::execv(argv[0], argv);
  ::_exit(127);
}

pid_t start(char** argv) {
  int go[2];
  check(::pipe2(go, O_CLOEXEC) == 0, "pipe");
  const pid_t pid = ::fork();
  check(pid >= 0, "fork");
  if (pid == 0) {
    ::close(go[1]);
    become(argv, go[0]);
  }
  // The first stop is the exec's.
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
                       PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
  check(::ptrace(PTRACE_SEIZE, pid, 0, options) == 0, "PTRACE_SEIZE");
  check(::write(go[1], "", 1) == 1, "pipe");
  ::close(go[0]);
  ::close(go[1]);
  return pid;
}

int end_like(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  ::signal(WTERMSIG(status), SIG_DFL);
  ::raise(WTERMSIG(status));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    ::fputs("Usage: inject REPORT PROCESS NUMBER NTH ERRNO PROGRAM [ARGUMENT...]\n", stderr);
    return 64;
  }
  try {
    Target target{argv[1], ::atoi(argv[2]), ::strtoull(argv[3], nullptr, 10), ::atoi(argv[4]),
                  ::atoi(argv[5])};
    const pid_t command = start(argv + 6);
    return end_like(Tracer(std::move(target), command).run());
  } catch (const std::exception& problem) {
    ::fprintf(stderr, "inject: %s\n", problem.what());
    return 125;
  }
}
