// A bad line between two network namespaces: packets of one TUN device go to the other, late, not
// at all, or in another order, as a file says that is read anew all the time. In user space, since
// not every kernel has netem.
//
//   remote_wire DEVICE /run/netns/NAME DEVICE FILE
//
// FILE: "delay MS", "loss PERCENT", "reorder PERCENT" (held back for another delay), "cut", in any
// combination; it holds for packets that come from then on.

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kTickMilliseconds = 1;
constexpr std::size_t kMostPacket = 65536;

struct Line {
  milliseconds delay{0};
  int loss = 0;
  int reorder = 0;
  bool cut = false;
};

Line read_line(const std::string& path) {
  Line line;
  std::ifstream in(path);
  for (std::string word; in >> word;) {
    int number = 0;
    if (word == "cut") {
      line.cut = true;
    } else if (in >> number) {
      if (word == "delay") line.delay = milliseconds(number);
      if (word == "loss") line.loss = number;
      if (word == "reorder") line.reorder = number;
    }
  }
  return line;
}

int open_tun(const char* name) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  ::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ::ioctl(fd, TUNSETIFF, &request) != 0) {
    ::perror("remote_wire: a TUN device");
    ::_exit(1);
  }
  return fd;
}

class Wire {
 public:
  Wire(int one, int other, std::string file) : ends_{one, other}, file_(std::move(file)) {}

  [[noreturn]] void run() {
    for (;;) {
      std::array<pollfd, 2> items{pollfd{ends_[0], POLLIN, 0}, pollfd{ends_[1], POLLIN, 0}};
      ::poll(items.data(), items.size(), kTickMilliseconds);
      line_ = read_line(file_);
      for (std::size_t from = 0; from < ends_.size(); ++from) take(from);
      deliver();
    }
  }

 private:
  struct Packet {
    std::size_t to;
    std::string bytes;
  };

  bool chance(int percent) { return std::uniform_int_distribution<int>(0, 99)(dice_) < percent; }

  void take(std::size_t from) {
    std::array<char, kMostPacket> buffer;
    for (;;) {
      const ssize_t size = ::read(ends_[from], buffer.data(), buffer.size());
      if (size <= 0) return;
      if (line_.cut || chance(line_.loss)) continue;
      const auto late = line_.delay * (chance(line_.reorder) ? 2 : 1);
      waiting_.emplace(Clock::now() + late,
                       Packet{1 - from, {buffer.data(), static_cast<std::size_t>(size)}});
    }
  }

  void deliver() {
    const auto now = Clock::now();
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      const Packet& packet = waiting_.begin()->second;
      // What the other end has no room for is lost, as on a real line.
      [[maybe_unused]] const ssize_t n =
          ::write(ends_[packet.to], packet.bytes.data(), packet.bytes.size());
      waiting_.erase(waiting_.begin());
    }
  }

  std::array<int, 2> ends_;
  std::string file_;
  Line line_;
  std::multimap<Clock::time_point, Packet> waiting_;
  std::mt19937 dice_{1};  // the same bad luck each time
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  const int one = open_tun(argv[1]);
  const int space = ::open(argv[2], O_RDONLY | O_CLOEXEC);
  if (space < 0 || ::setns(space, CLONE_NEWNET) != 0) {
    ::perror("remote_wire: the other namespace");
    return 1;
  }
  Wire(one, open_tun(argv[3]), argv[4]).run();
}
