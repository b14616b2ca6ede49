// no_ipv6 PROGRAM ARGUMENT...: runs it as if the kernel had no IPv6 (booted with ipv6.disable=1):
// socket(AF_INET6, …) fails with EAFNOSUPPORT, in its children too. Everything else works.

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>

namespace {

// The low half of socket()'s first argument.
constexpr unsigned kFamily =
    offsetof(seccomp_data, args) + (std::endian::native == std::endian::big ? 4 : 0);

bool forbid_ipv6() {
  // BPF_STMT and BPF_JUMP are C casts; so the same by hand: code, jump if true, if false, operand.
  std::array<sock_filter, 6> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_socket},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kFamily},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, AF_INET6},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EAFNOSUPPORT},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog filter{program.size(), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  if (!forbid_ipv6()) {
    ::perror("no_ipv6: seccomp");
    return 71;
  }
  ::execvp(argv[1], argv + 1);
  ::perror(argv[1]);
  return 71;
}
