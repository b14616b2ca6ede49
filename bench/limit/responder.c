// The limit for the daemon: a bare epoll loop, static, that ends each connection as politely as
// genapp does: reply, half-close, read to the end, close. `responder PORT [REPLY [http]]`; with
// "http" it waits for an empty line first and sends an HTTP answer of the same length as genapp's.
// No bounds, no clock, no counters: nothing but the work.

#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kMostFds = 8192 };

static char reply[1024];
static size_t reply_size;
static int http;
static char waiting[kMostFds];  // by descriptor: no request has come yet
static int epoll;

static int open_port(int port) {
  const int zero = 0;
  const int one = 1;
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  if (bind(fd, (const struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 65535) != 0) {
    perror("responder: listening");
    exit(1);
  }
  return fd;
}

static void answer(int fd) {
  waiting[fd] = 0;
  if (reply_size > 0) send(fd, reply, reply_size, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
  shutdown(fd, SHUT_WR);
}

static void accept_all(int listener) {
  for (;;) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    const int fd = accept4(listener, (struct sockaddr*)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= kMostFds) {
      close(fd);
      continue;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    waiting[fd] = (char)http;
    if (!http) answer(fd);
  }
}

static void serve(int fd) {
  static char buffer[4096];
  const ssize_t size = read(fd, buffer, sizeof buffer);
  if (size <= 0) {
    close(fd);
  } else if (waiting[fd] && memmem(buffer, (size_t)size, "\r\n\r\n", 4)) {
    answer(fd);
  }
}

static void make_reply(const char* message) {
  const char* head =
      "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
      "Content-Length: %zu\r\nConnection: close\r\n\r\n";
  int size = http ? snprintf(reply, sizeof reply, head, strlen(message)) : 0;
  size += snprintf(reply + size, sizeof reply - (size_t)size, "%s", message);
  reply_size = (size_t)size;
}

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  http = argc > 3;
  make_reply(argc > 2 ? argv[2] : "");
  const int listener = open_port(atoi(argv[1]));
  epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    struct epoll_event events[128];
    const int count = epoll_wait(epoll, events, 128, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener) {
        accept_all(listener);
      } else {
        serve(events[i].data.fd);
      }
    }
  }
}
