// lab_app ACTION: the lab's application and its OCF resource agent in one. It tells everybody who
// connects to OCF_RESKEY_port its host's name. While kIll exists, monitor says that it is not well.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace {

// On the node's own /run. tests/e2e/lab/lab.cpp knows both.
constexpr char kPidFile[] = "/run/lab_app.pid";
constexpr char kIll[] = "/run/lab_app.ill";

// OCF's numbers.
constexpr int kSuccess = 0;
constexpr int kError = 1;
constexpr int kUnimplemented = 3;
constexpr int kNotRunning = 7;

constexpr char kMetaData[] = R"(<?xml version="1.0"?>
<resource-agent name="lab_app" version="1.1">
<version>1.1</version>
<longdesc lang="en">Tells its host's name.</longdesc>
<shortdesc lang="en">Tells its host's name</shortdesc>
<parameters><parameter name="port" required="1"><longdesc lang="en">TCP port</longdesc>
<shortdesc lang="en">TCP port</shortdesc><content type="integer"/></parameter></parameters>
<actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/>
<action name="monitor" timeout="20s" interval="1s"/><action name="meta-data" timeout="5s"/></actions>
</resource-agent>
)";

pid_t running() {
  pid_t pid = 0;
  std::ifstream(kPidFile) >> pid;
  return pid > 0 && ::kill(pid, 0) == 0 ? pid : 0;
}

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool listening =
      ::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0 && ::listen(fd, 128) == 0;
  return listening ? fd : -1;
}

[[noreturn]] void serve(int listener) {
  char name[64]{};
  ::gethostname(name, sizeof name - 1);
  for (;;) {
    const int client = ::accept(listener, nullptr, nullptr);
    if (client < 0) continue;
    ::send(client, name, std::strlen(name), MSG_NOSIGNAL);
    ::close(client);
  }
}

int start() {
  if (running()) return kSuccess;
  const char* port = std::getenv("OCF_RESKEY_port");
  const int listener = listen_on(port ? std::atoi(port) : 0);
  if (listener < 0) {
    std::perror("lab_app: listening");
    return kError;
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setsid();
    for (const int stream : {0, 1, 2}) ::close(stream);
    serve(listener);
  }
  std::ofstream(kPidFile) << pid;
  return pid > 0 ? kSuccess : kError;
}

int stop() {
  const pid_t pid = running();
  if (pid) ::kill(pid, SIGKILL);
  while (running()) ::poll(nullptr, 0, 5);
  ::unlink(kPidFile);
  ::unlink(kIll);
  return kSuccess;
}

int monitor() {
  if (!running()) return kNotRunning;
  return ::access(kIll, F_OK) == 0 ? kError : kSuccess;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string action = argc > 1 ? argv[1] : "";
  if (action == "start") return start();
  if (action == "stop") return stop();
  if (action == "monitor") return monitor();
  if (action == "validate-all") return kSuccess;
  if (action == "meta-data") {
    std::fputs(kMetaData, stdout);
    return kSuccess;
  }
  return kUnimplemented;
}
