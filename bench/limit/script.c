// script PATH TAG ID: runs PATH as genapp's restore does, and no more: a session of its own,
// signals at their defaults, / as folder, no other descriptor, a scrubbed environment, both streams
// read to their end. What the fork and the exec cost anybody.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void be_script(char* const argv[], int out, int err) {
  char* const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               "HOME=/root",
                               "SHELL=/bin/sh",
                               "USER=root",
                               "LOGNAME=root",
                               "GENAPP_TAG=web",
                               "GENAPP_ID=web1",
                               "GENAPP_INFO=",
                               "GENAPP_ACTION=restore",
                               "GENAPP_EVENT=START",
                               "CLP_EVENT=START",
                               "CLP_DISK=SUCCESS",
                               "CLP_SERVER=HOME",
                               "CLP_FACTOR=",
                               NULL};
  char* const script[] = {argv[1], "-t", argv[2], "-i", argv[3], NULL};
  sigset_t none;
  setsid();
  dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
  dup2(out, 1);
  dup2(err, 2);
  umask(022);
  if (chdir("/") != 0) _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  execve(argv[1], script, environment);
  _exit(127);
}

int main(int argc, char* argv[]) {
  static char buffer[1 << 16];
  int out[2];
  int err[2];
  int status = 0;
  if (argc != 4 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return 64;
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) be_script(argv, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  struct pollfd items[] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  for (int open = 2; open > 0;) {
    if (poll(items, 2, -1) < 0) return 1;
    for (int i = 0; i < 2; ++i) {
      if (items[i].revents == 0 || read(items[i].fd, buffer, sizeof buffer) > 0) continue;
      items[i].fd = -1;
      --open;
    }
  }
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
