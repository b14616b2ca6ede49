// lab_noise SOURCE PORT COUNT ADDRESS...: what nobody wants, for ever, from the address SOURCE:
// COUNT connections to PORT of each ADDRESS that never say a word, and a scan of all its ports.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr int kPauseMilliseconds = 20;
constexpr int kPortsATurn = 20;   // 1,000 a second
constexpr int kOpenedATurn = 50;  // 2,500 a second: what a responder has closed comes back soon

class Target {
 public:
  Target(const char* host, const char* source) : to_(address(host)), from_(address(source)) {}

  void keep_silent_connections(int port, std::size_t count) {
    drop_ended();
    for (int i = 0; i < kOpenedATurn && silent_.size() < count; ++i) {
      silent_.push_back({connect_to(port), 0, 0});
    }
  }

  void scan_on() {
    for (const int fd : scanned_) ::close(fd);
    scanned_.clear();
    for (int i = 0; i < kPortsATurn; ++i) {
      port_ = port_ % 65535 + 1;
      scanned_.push_back(connect_to(port_));
    }
  }

 private:
  static sockaddr_in address(const char* host) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    if (::inet_pton(AF_INET, host, &v4.sin_addr) != 1) std::exit(64);
    return v4;
  }

  int connect_to(int port) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) std::exit(1);
    ::bind(fd, reinterpret_cast<const sockaddr*>(&from_), sizeof from_);
    sockaddr_in to = to_;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    return fd;
  }

  // Those that were refused or reset. One that the responder half-closes stays, as an idle client's
  // does.
  void drop_ended() {
    for (auto& item : silent_) item.events = 0;
    ::poll(silent_.data(), silent_.size(), 0);
    std::erase_if(silent_, [](const pollfd& item) {
      const bool ended = (item.revents & (POLLERR | POLLHUP)) != 0;
      if (ended) ::close(item.fd);
      return ended;
    });
  }

  sockaddr_in to_;
  sockaddr_in from_;
  int port_ = 0;
  std::vector<pollfd> silent_;
  std::vector<int> scanned_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 64;
  std::vector<Target> targets;
  for (int i = 4; i < argc; ++i) targets.emplace_back(argv[i], argv[1]);
  for (;;) {
    for (Target& target : targets) {
      target.keep_silent_connections(std::atoi(argv[2]),
                                     static_cast<std::size_t>(std::atoi(argv[3])));
      target.scan_on();
    }
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
}
