// crowd COUNT: so many children named w0, w1, ... that do nothing, until it is ended. It writes a
// line when all are there.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const int count = argc == 2 ? atoi(argv[1]) : 0;
  for (int i = 0; i < count; ++i) {
    char name[16];
    const pid_t pid = fork();
    if (pid < 0) {
      perror("fork");
      return 1;
    }
    if (pid > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(name, sizeof name, "w%d", i);
    prctl(PR_SET_NAME, name);
    for (;;) pause();
  }
  puts("there");
  fflush(stdout);
  for (;;) pause();
}
