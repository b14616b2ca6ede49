#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <vector>

#include "lbhc/kernel_limits.hpp"

// A program of the kernel's classic BPF, by hand: a list of numbers needs no library, and
// libseccomp's tables of all machines would be in quickCheck too.

namespace genapp::lbhc {

#if defined(GENAPP_SANITIZED) || !(defined(__x86_64__) || defined(__aarch64__))

bool limit_system_calls() { return false; }

#else

namespace {

#if defined(__x86_64__)
constexpr unsigned kMachine = AUDIT_ARCH_X86_64;
#else
constexpr unsigned kMachine = AUDIT_ARCH_AARCH64;
#endif

// What a daemon calls from its first answer to its end, and what its C library may call instead.
constexpr int kAllowed[] = {
    // Probers and the control socket.
    SYS_accept4,
    SYS_recvfrom,
    SYS_sendto,
    SYS_recvmsg,
    SYS_sendmsg,
    SYS_shutdown,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_connect,
    SYS_close,
    // The event loop.
    SYS_epoll_pwait,
    SYS_epoll_ctl,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_ppoll,
#if defined(__x86_64__)
    SYS_epoll_wait,
    SYS_poll,
#endif
    // Files: the flag, the state, ID.lock, the log.
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_openat,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_fcntl,
    SYS_ftruncate,
    SYS_fsync,
    SYS_fdatasync,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_renameat,
    SYS_mkdirat,
    SYS_faccessat,
    SYS_readlinkat,
    SYS_umask,
#if defined(__x86_64__)
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_unlink,
    SYS_mkdir,
    SYS_access,
    SYS_readlink,
#endif
    // Memory, time, signals, itself.
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_futex,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_restart_syscall,
    SYS_sigaltstack,
    SYS_getpid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrandom,
    SYS_sched_yield,
    SYS_uname,
    SYS_prlimit64,
    SYS_exit,
    SYS_exit_group,
#if defined(__x86_64__)
    SYS_time,
#endif
};

// No version of a library begins to need these by itself: whoever calls them is not the daemon any
// more. The kernel's audit log tells of it, and quickCheck finds the daemon dead.
constexpr int kDeadly[] = {
    SYS_execve,
    SYS_execveat,
    SYS_clone,
    SYS_clone3,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_bpf,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_setuid,
    SYS_setreuid,
    SYS_setresuid,
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
#endif
};

constexpr unsigned kNumber = offsetof(seccomp_data, nr);
constexpr unsigned kArch = offsetof(seccomp_data, arch);

// The low half of an argument.
constexpr unsigned argument(unsigned index) {
  return offsetof(seccomp_data, args) + index * 8 +
         (std::endian::native == std::endian::big ? 4 : 0);
}

constexpr unsigned kAllow = SECCOMP_RET_ALLOW;
constexpr unsigned kKill = SECCOMP_RET_KILL_PROCESS;
constexpr unsigned refuse(unsigned error) { return SECCOMP_RET_ERRNO | error; }

// BPF_STMT and BPF_JUMP are C casts; so by hand: code, jump if true, if false, operand.
class Program {
 public:
  void load(unsigned offset) { code_.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, offset}); }
  void answer(unsigned action) { code_.push_back({BPF_RET | BPF_K, 0, 0, action}); }
  void if_equal(unsigned value, unsigned action) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value});
    answer(action);
  }
  void unless_equal(unsigned value, unsigned action) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value});
    answer(action);
  }
  void if_any_bit(unsigned bits, unsigned action) {
    code_.push_back({BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits});
    answer(action);
  }
  // For one call: `rules` on the argument of this number, in front of everything else.
  template <typename Rules>
  void for_call(int call, unsigned index, Rules rules) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 0, static_cast<unsigned>(call)});
    const std::size_t jump = code_.size() - 1;
    load(argument(index));
    rules();
    code_[jump].jf = static_cast<unsigned char>(code_.size() - jump - 1);
  }

  bool install() {
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  }

 private:
  std::vector<sock_filter> code_;
};

}  // namespace

bool limit_system_calls() {
  Program program;
  program.load(kArch);
  program.unless_equal(kMachine, kKill);
  program.load(kNumber);
  for (const int call : kAllowed) program.if_equal(static_cast<unsigned>(call), kAllow);
  // The log and systemd's socket are UNIX sockets.
  program.for_call(SYS_socket, 0, [&program] {
    program.if_equal(AF_UNIX, kAllow);
    program.answer(refuse(EAFNOSUPPORT));
  });
  for (const int call : {SYS_mmap, SYS_mprotect}) {
    program.for_call(call, 2, [&program] {
      program.if_any_bit(PROT_EXEC, refuse(EPERM));
      program.answer(kAllow);
    });
  }
  program.for_call(SYS_ioctl, 1, [&program] {
    program.if_equal(FIONBIO, kAllow);
    program.if_equal(FIONREAD, kAllow);
    program.answer(refuse(ENOTTY));
  });
  // abort()
  program.for_call(SYS_tgkill, 0, [&program] {
    program.if_equal(static_cast<unsigned>(::getpid()), kAllow);
    program.answer(refuse(EPERM));
  });
  for (const int call : kDeadly) program.if_equal(static_cast<unsigned>(call), kKill);
  // As a kernel answers that does not know the call: a library then does it the old way.
  program.answer(refuse(ENOSYS));
  return program.install();
}

#endif

}  // namespace genapp::lbhc
