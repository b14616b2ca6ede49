// NAME [ARGUMENT...], NAME being what this program is called as: appends "NAME ARGUMENT-2
// NANOSECONDS" (CLOCK_MONOTONIC) to the file GENAPP_STAMPS, then becomes GENAPP_REAL/NAME; without
// GENAPP_REAL it stays, as an application that does nothing. As notify it ends.
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  struct timespec now;
  char line[256];
  char path[4096];
  const char* const name = basename(argv[0]);
  const char* const stamps = getenv("GENAPP_STAMPS");
  const char* const real = getenv("GENAPP_REAL");
  const int fd = stamps ? open(stamps, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (fd >= 0) {
    const int n = snprintf(line, sizeof line, "%s %s %lld\n", name, argc > 2 ? argv[2] : "-",
                           (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    if (write(fd, line, (size_t)n) != n) return 1;
    close(fd);
  }
  if (strcmp(name, "notify") == 0) return 0;
  if (!real || strncmp(name, "app", 3) == 0) {
    for (;;) pause();
  }
  snprintf(path, sizeof path, "%s/%s", real, name);
  execv(path, argv);
  return 127;
}
