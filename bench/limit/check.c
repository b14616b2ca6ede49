// check PORT: what a monitor's check of an HTTP server needs of the kernel, every 100 ms on a grid,
// until it is ended: a connection with a deadline, a request, the status line. Nothing else.
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kIntervalNanoseconds = 100000000, kWaitMilliseconds = 10000 };

static const char kRequest[] = "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";

static int wait_for(int fd, short events) {
  struct pollfd entry = {.fd = fd, .events = events};
  return poll(&entry, 1, kWaitMilliseconds) == 1;
}

static int is_healthy(const struct sockaddr_in* address) {
  char answer[8192];
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int connected = connect(fd, (const struct sockaddr*)address, sizeof *address) == 0 ||
                        (errno == EINPROGRESS && wait_for(fd, POLLOUT));
  const int healthy = connected && send(fd, kRequest, sizeof kRequest - 1, MSG_NOSIGNAL) > 0 &&
                      wait_for(fd, POLLIN) && recv(fd, answer, sizeof answer, 0) > 5 &&
                      memcmp(answer, "HTTP/", 5) == 0;
  close(fd);
  return healthy;
}

int main(int argc, char** argv) {
  struct timespec due;
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (argc != 2) return 64;
  address.sin_port = htons((uint16_t)atoi(argv[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  clock_gettime(CLOCK_MONOTONIC, &due);
  for (;;) {
    if (!is_healthy(&address)) return 1;
    due.tv_nsec += kIntervalNanoseconds;
    if (due.tv_nsec >= 1000000000) {
      due.tv_nsec -= 1000000000;
      ++due.tv_sec;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
  }
}
