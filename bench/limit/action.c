// The limit for the four executables: a static C program that makes the same system calls in the
// same order and nothing else. `action VERB ID` with the verbs restore, remove and quickCheck; the
// resource "lb" and the folders are found as genapp finds them.
//
// It is no implementation: nothing is parsed but what the next call needs, and an error ends it
// with 2. Compare its calls with a program's by `strace -f -c`.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char* verb;
static const char* id;
static int run_dir;
static int port;
static char buffer[4096];

static void check(int good) {
  if (!good) _exit(2);
}

static const char* name_of(const char* prefix, const char* suffix) {
  static char names[4][128];
  static int next;
  char* name = names[next++ % 4];
  snprintf(name, sizeof names[0], "%s%s%s", prefix, id, suffix);
  return name;
}

static void log_line(const char* text) {
  char line[256];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int size =
      snprintf(line, sizeof line, "%lld.%03ld %s[%d] info: %s %s of \"lb\" (id %s)\n",
               (long long)now.tv_sec, now.tv_nsec / 1000000, verb, (int)getpid(), text, verb, id);
  check(write(STDERR_FILENO, line, (size_t)size) == size);
}

// The text of an open regular file, as the programs read one: size, content, end.
static void read_open(int fd) {
  struct stat info;
  check(fstat(fd, &info) == 0);
  ssize_t used = 0;
  ssize_t n;
  while ((n = read(fd, buffer + used, sizeof buffer - 1 - (size_t)used)) > 0) used += n;
  check(n == 0);
  buffer[used] = '\0';
  close(fd);
}

static void read_settings(void) {
  char path[512];
  snprintf(path, sizeof path, "%s/genapp.toml", getenv("GENAPP_CONFIG_DIR"));
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) read_open(fd);
}

static void open_run_dir(void) {
  struct stat info;
  run_dir = open(getenv("GENAPP_RUN_DIR"), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_DIRECTORY);
  check(run_dir >= 0 && fstat(run_dir, &info) == 0);
}

static void read_resource(void) {
  char path[512];
  struct stat info;
  access("/opt/LifeKeeper/bin/ins_list", X_OK);
  snprintf(path, sizeof path, "%s/resources.d", getenv("GENAPP_CONFIG_DIR"));
  check(stat(path, &info) == 0);
  const int folder = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  strcat(path, "/lb.toml");
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  check(folder >= 0 && fd >= 0);
  read_open(fd);
  close(folder);
  const char* found = strstr(buffer, "info = \"");
  check(found != NULL);
  port = atoi(found + 8);
}

// ID.pid, open; -1 when its lock is free.
static int open_locked_pid_file(void) {
  const int fd =
      openat(run_dir, name_of("", ".pid"), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  check(fcntl(fd, F_OFD_GETLK, &lock) == 0);
  if (lock.l_type != F_UNLCK) return fd;
  close(fd);
  return -1;
}

static int take_id_lock(int flags) {
  struct stat opened;
  struct stat named;
  const char* name = name_of("", ".lock");
  const int fd = openat(run_dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  while (fcntl(fd, F_OFD_SETLK, &lock) != 0) poll(NULL, 0, 1);
  check(fstat(fd, &opened) == 0 && fstatat(run_dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0);
  return fd;
}

static void read_start_ticks(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  check(fd >= 0 && read(fd, buffer, 1024) > 0);
  close(fd);
}

static struct sockaddr_un control_address(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", run_dir,
           name_of("", ".sock"));
  return address;
}

// quickCheck.

static int ask_daemon(void) {
  const struct sockaddr_un address = control_address();
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(connect(fd, (const struct sockaddr*)&address, sizeof address) == 0);
  check(send(fd, "status\n", 7, MSG_NOSIGNAL) == 7);
  struct pollfd item = {.fd = fd, .events = POLLIN};
  check(poll(&item, 1, 3000) == 1 && recv(fd, buffer, 2048, 0) > 0);
  close(fd);
  return strstr(buffer, "\"no_probe\":null") != NULL;
}

static void on_alarm(int number) {
  (void)number;
  _exit(1);
}

static int quick_check(void) {
  struct stat info;
  const int state =
      openat(run_dir, name_of("", ".state"), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (state < 0) return 0;
  read_open(state);
  if (strcmp(buffer, "ISP\n") != 0) return 0;
  const int pid_file = open_locked_pid_file();
  if (pid_file < 0) return 1;
  close(pid_file);
  const int flag = fstatat(run_dir, name_of("", "-hc-ng"), &info, AT_SYMLINK_NOFOLLOW) == 0;
  return !ask_daemon() || flag;
}

static void limit_time(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  const struct itimerval timer = {.it_value = {4, 500000}};
  check(sigaction(SIGALRM, &action, NULL) == 0 &&
        sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) == 0 &&
        setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

// restore, and the daemon that it leaves.

static int wake_pipe[2];

static void on_signal(int number) {
  check(write(wake_pipe[1], &number, sizeof number) == sizeof number);
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLPRI | EPOLLERR | EPOLLHUP | EPOLLET,
                              .data.fd = fd};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void detach(void) {
  sigset_t none;
  setsid();
  prctl(PR_SET_NAME, "limit");
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  signal(SIGPIPE, SIG_IGN);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  umask(022);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  close(null);
  close_range(6, ~0u, 0);
  check(chdir("/") == 0);
}

static int open_port(void) {
  const int zero = 0;
  const int one = 1;
  close(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  check(bind(fd, (const struct sockaddr*)&address, sizeof address) == 0 && listen(fd, 65535) == 0);
  return fd;
}

static int open_control_socket(void) {
  const struct sockaddr_un address = control_address();
  unlinkat(run_dir, name_of("", ".sock"), 0);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  umask(0177);
  check(bind(fd, (const struct sockaddr*)&address, sizeof address) == 0);
  umask(022);
  check(listen(fd, 64) == 0);
  return fd;
}

static void be_daemon(int channel) {
  int report = fcntl(channel, F_DUPFD_CLOEXEC, 0);
  detach();
  const int id_lock = take_id_lock(O_CREAT);
  const int pid_file =
      openat(run_dir, name_of("", ".pid"), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  check(fcntl(pid_file, F_OFD_SETLK, &lock) == 0);
  read_start_ticks(getpid());
  char record[64];
  const int size = snprintf(record, sizeof record, "%d 1\n", (int)getpid());
  check(ftruncate(pid_file, 0) == 0 && pwrite(pid_file, record, (size_t)size, 0) == size);
  unlinkat(run_dir, name_of("", "-hc-ng"), 0);
  const int listener = open_port();
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  watch(epoll, wake);
  watch(epoll, timer);
  watch(epoll, listener);
  const int control = open_control_socket();
  watch(epoll, control);
  check(pipe2(wake_pipe, O_NONBLOCK | O_CLOEXEC) == 0);
  watch(epoll, wake_pipe[0]);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  close(id_lock);
  watch(epoll, channel);
  // syslog
  const struct sockaddr_un syslog_address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
  const int syslog_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  connect(syslog_socket, (const struct sockaddr*)&syslog_address, sizeof syslog_address);
  close(syslog_socket);
  check(send(report, "R", 1, MSG_NOSIGNAL) == 1);
  close(report);
  const struct itimerspec soon = {.it_value = {10, 0}};
  timerfd_settime(timer, 0, &soon, NULL);
  struct epoll_event event;
  for (int ended = 0; !ended;) {
    if (epoll_wait(epoll, &event, 1, -1) < 1) continue;
    if (event.data.fd == channel) {
      check(read(channel, record, 1) == 1);
      epoll_ctl(epoll, EPOLL_CTL_DEL, channel, NULL);
      close(channel);
    }
    ended = event.data.fd == wake_pipe[0];
  }
  close(listener);
  close(control);
  unlinkat(run_dir, name_of("", "-hc-ng"), 0);
  unlinkat(run_dir, name_of("", ".sock"), 0);
  take_id_lock(O_CREAT);
  unlinkat(run_dir, name_of("", ".pid"), 0);
  _exit(0);
}

static void write_state(void) {
  const char* temporary = name_of(".", ".state.new");
  unlinkat(run_dir, temporary, 0);
  const int fd =
      openat(run_dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  check(write(fd, "ISP\n", 4) == 4);
  check(renameat(run_dir, temporary, run_dir, name_of("", ".state")) == 0);
  close(fd);
}

static int restore(void) {
  int ends[2];
  check(open_locked_pid_file() < 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  signal(SIGCHLD, SIG_DFL);
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    be_daemon(ends[1]);
  }
  close(ends[1]);
  const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  struct pollfd item = {.fd = ends[0], .events = POLLIN};
  check(poll(&item, 1, 30000) == 1 && recv(ends[0], buffer, 2048, 0) == 1);
  const int id_lock = take_id_lock(O_CREAT);
  struct pollfd end = {.fd = pidfd, .events = POLLIN};
  check(poll(&end, 1, 0) == 0);
  close(open_locked_pid_file());
  write_state();
  check(send(ends[0], "C", 1, MSG_NOSIGNAL) == 1);
  close(id_lock);
  check(poll(&item, 1, 2000) == 1 && recv(ends[0], buffer, 2048, 0) == 0);
  close(pidfd);
  close(ends[0]);
  return 0;
}

// remove.

static void end_daemon(void) {
  const int pid_file = open_locked_pid_file();
  check(pid_file >= 0 && pread(pid_file, buffer, 64, 0) > 0);
  const int pid = atoi(buffer);
  const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  read_start_ticks(pid);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  check(fcntl(pid_file, F_OFD_GETLK, &lock) == 0);
  close(pid_file);
  check(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) == 0);
  struct pollfd item = {.fd = pidfd, .events = POLLIN};
  check(poll(&item, 1, 5000) == 1);
  close(pidfd);
}

static int remove_resource(void) {
  end_daemon();
  const int id_lock = take_id_lock(0);
  check(open_locked_pid_file() < 0);
  unlinkat(run_dir, name_of("", "-hc-ng"), 0);
  unlinkat(run_dir, name_of("", ".sock"), 0);
  unlinkat(run_dir, name_of("", ".pid"), 0);
  unlinkat(run_dir, name_of(".", "-hc-ng.new"), 0);
  unlinkat(run_dir, name_of(".", ".state.new"), 0);
  unlinkat(run_dir, name_of("", ".state"), 0);
  unlinkat(run_dir, name_of("", ".lock"), 0);
  close(id_lock);
  return 0;
}

int main(int argc, char** argv) {
  check(argc == 3);
  verb = argv[1];
  id = argv[2];
  signal(SIGPIPE, SIG_IGN);
  if (*verb == 'q') limit_time();
  read_settings();
  log_line("BEGIN");
  open_run_dir();
  read_resource();
  const int code = *verb == 'q'                   ? quick_check()
                   : strcmp(verb, "restore") == 0 ? restore()
                                                  : remove_resource();
  close(run_dir);
  log_line("END");
  return code;
}
