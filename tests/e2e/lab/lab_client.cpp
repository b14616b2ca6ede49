// lab_client MILLISECONDS SOURCE NAME=ADDRESS:PORT...: connects to each target from the address
// SOURCE again and again, so often, and writes a line for each attempt: NAME, when it began and
// ended (microseconds of the steady clock), and what came: ANSWER for a target whose name ends with
// '?', "+" for a connection that was accepted, "-" for none. One thread for each target, so that
// one which does not answer holds up nobody.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLimit = std::chrono::seconds(1);

sockaddr_in address(const std::string& host, int port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) {
    std::fprintf(stderr, "lab_client: %s is no address\n", host.c_str());
    std::exit(64);
  }
  return v4;
}

struct Target {
  std::string name;
  sockaddr_in to{};
  bool wants_answer = false;
};

Target target_of(const std::string& text) {
  const auto equals = text.find('=');
  const auto colon = text.rfind(':');
  if (equals == std::string::npos || colon == std::string::npos || colon < equals) std::exit(64);
  Target target{
      text.substr(0, equals),
      address(text.substr(equals + 1, colon - equals - 1), std::atoi(text.c_str() + colon + 1)),
      false};
  if (target.name.ends_with('?')) {
    target.name.pop_back();
    target.wants_answer = true;
  }
  return target;
}

long long microseconds(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

bool ready(int fd, short events, Clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd item{fd, events, 0};
  return left > 0 && ::poll(&item, 1, static_cast<int>(left)) == 1;
}

bool connected(int fd, const Target& target, Clock::time_point deadline) {
  const auto* to = reinterpret_cast<const sockaddr*>(&target.to);
  if (::connect(fd, to, sizeof target.to) == 0) return true;
  if (errno != EINPROGRESS || !ready(fd, POLLOUT, deadline)) return false;
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

std::string read_all(int fd, Clock::time_point deadline) {
  std::string text;
  char buffer[64];
  while (ready(fd, POLLIN, deadline)) {
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text.empty() ? "-" : text;
}

std::string ask(const Target& target, const sockaddr_in& source) {
  const auto deadline = Clock::now() + kLimit;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  std::string answer = "-";
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0 &&
      connected(fd, target, deadline)) {
    answer = target.wants_answer ? read_all(fd, deadline) : "+";
  }
  ::close(fd);
  return answer;
}

void ask_for_ever(const Target& target, const sockaddr_in& source, Clock::duration pause) {
  for (auto next = Clock::now();;) {
    std::this_thread::sleep_until(next);
    const auto begin = Clock::now();
    const std::string answer = ask(target, source);
    const std::string line = target.name + " " + std::to_string(microseconds(begin)) + " " +
                             std::to_string(microseconds(Clock::now())) + " " + answer + "\n";
    // One system call, so lines of two threads don't mix.
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(1);
    next = std::max(next + pause, Clock::now());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 64;
  const auto pause = std::chrono::milliseconds(std::atoi(argv[1]));
  const sockaddr_in source = address(argv[2], 0);
  std::vector<Target> targets;
  for (int i = 3; i < argc; ++i) targets.push_back(target_of(argv[i]));
  std::vector<std::thread> threads;
  for (const Target& target : targets) {
    threads.emplace_back([&target, &source, pause] { ask_for_ever(target, source, pause); });
  }
  for (auto& thread : threads) thread.join();
}
