// Legitimate probes among hostile ones: each is answered, whole and with a FIN; the flag stays
// down; quickCheck says healthy; memory and descriptors have their bounds.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <functional>
#include <iostream>
#include <thread>

#include "lbhc/status.hpp"
#include "tests/stress/hostile.hpp"
#include "tests/stress/loopback.hpp"
#include "tests/stress/meter.hpp"
#include "tests/support/full_length.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr char kTag[] = "lb";
constexpr char kId[] = "app1";
// The load balancer: the only source that `allow` names, so the hostile can't keep the flag down.
constexpr int kBalancer = 2;
constexpr auto kProbePause = 50ms;
constexpr auto kProbeTimeOut = 5s;
constexpr unsigned long kDescriptors =
    kSilentPeers + kDrippingPeers + kHalfClosedPeers + kBurst + 500;

// lbhc/responder.hpp: connections; and what the daemon has beside them.
constexpr std::int64_t kMostConnections = 4096;
constexpr std::int64_t kOtherDescriptors = 64;
// Per connection: the object, Asio's part, the HTTP request's parser and buffer; measured 1.2 KiB
// for http, 0.5 for the others. (Headers that stay unfinished at 8 KiB each would take as much
// more.) The same bound holds afterwards: Asio keeps its part of each connection for the next
// flood, and with it the pages of the heap. So a leak of one connection's part, some 200 bytes,
// would show.
constexpr std::int64_t kMostAnonKib = kMostConnections * 2;

// A thread that does something again and again until the object's end.
class Repeated {
 public:
  Repeated(std::chrono::milliseconds pause, const std::function<void()>& work)
      : thread_([this, pause, work] {
          while (!stopping_) {
            work();
            std::this_thread::sleep_for(pause);
          }
        }) {}
  ~Repeated() {
    stopping_ = true;
    thread_.join();
  }
  Repeated(const Repeated&) = delete;
  Repeated& operator=(const Repeated&) = delete;

 private:
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

struct Kind {
  const char* name;
  const char* message;
  const char* request;
  const char* reply_begin;
  const char* reply_end;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

// What a load balancer saw.
struct Probes {
  std::uint64_t count = 0;
  std::uint64_t lost = 0;
  std::string first_loss;
  Clock::duration slowest{};

  void probe(std::uint16_t port, const Kind& kind) {
    const auto began = Clock::now();
    Reply reply;
    const common::Fd fd = connect_from(kBalancer, port, kProbeTimeOut);
    const std::string request = kind.request;
    if (fd && (request.empty() || ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL))) {
      reply = read_reply(fd);
    }
    ++count;
    slowest = std::max(slowest, Clock::now() - began);
    if (reply.fin && reply.bytes.starts_with(kind.reply_begin) &&
        reply.bytes.ends_with(kind.reply_end)) {
      return;
    }
    if (++lost > 1) return;
    first_loss = !fd ? "not connected" : "\"" + reply.bytes + (reply.fin ? "\" FIN" : "\" no FIN");
  }
};

class HostileProbers : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(raise_descriptor_limit(kDescriptors)) << "ulimit -Hn must allow " << kDescriptors;
    node_.lbhc(kTag, kId, port_.text() + GetParam().message,
               "hc_timeout = 10\nwait_first_probe = false\nallow = [\"127.0.0." +
                   std::to_string(kBalancer) + "\"]\nprotocol = \"" + GetParam().name + "\"");
    const Result restored = node_.action("restore", kTag, kId);
    ASSERT_EQ(restored.exit_code, 0) << restored.err;
    daemon_ = node_.daemon(kId);
  }

  lbhc::Status status() const { return lbhc::parse_status(node_.status(kId)).value(); }

  void take_checks() {
    const Result check = node_.action("quickCheck", kTag, kId);
    ++checks_;
    if (check.exit_code != 0) bad_checks_ += check.err;
  }

  void tell(const Hostile& hostile) const {
    using Millis = std::chrono::duration<double, std::milli>;
    std::cout << GetParam().name << ": " << hostile.connections() << " hostile connections, "
              << probes_.count << " probes, " << probes_.lost << " lost, slowest "
              << Millis(probes_.slowest).count() << " ms; " << checks_ << " quickChecks; at first "
              << first_.anon_kib << " KiB RssAnon, " << first_.pss_kib << " KiB PSS, "
              << first_.descriptors << " descriptors, peak " << peak_.anon_kib << ", "
              << peak_.pss_kib << ", " << peak_.descriptors << ", afterwards " << last_.anon_kib
              << ", " << last_.pss_kib << ", " << last_.descriptors << std::endl;
  }

  Port port_;
  Node node_;
  pid_t daemon_ = 0;
  Probes probes_;
  int checks_ = 0;
  std::string bad_checks_;
  Use first_;
  Use peak_;
  Use last_;
};

TEST_P(HostileProbers, AreNoHindranceToAProbe) {
  first_ = use_of(daemon_);
  Hostile hostile(port_.number());
  {
    const Repeated probing(kProbePause, [this] { probes_.probe(port_.number(), GetParam()); });
    const Repeated checking(250ms, [this] { take_checks(); });
    const Repeated measuring(100ms, [this] { peak_ = most(peak_, use_of(daemon_)); });
    std::this_thread::sleep_for(full_length() ? 60s : 6s);
  }
  hostile.stop();
  EXPECT_TRUE(wait_until([this] {
    last_ = use_of(daemon_);
    return status().connections == 0 && last_.descriptors <= first_.descriptors + 1;
  }));
  tell(hostile);
  EXPECT_EQ(probes_.lost, 0u) << probes_.first_loss;
  EXPECT_EQ(status().probes, probes_.count);
  EXPECT_GE(status().others, static_cast<std::uint64_t>(kSilentPeers));
  EXPECT_EQ(bad_checks_, "");
  EXPECT_THAT(node_.log(), testing::Not(testing::HasSubstr("no probe for")));
  EXPECT_EQ(node_.daemon(kId), daemon_);
  EXPECT_LE(peak_.descriptors, kMostConnections + kOtherDescriptors);
  if (!kSanitized) {
    EXPECT_LE(peak_.anon_kib, first_.anon_kib + kMostAnonKib);
    EXPECT_LE(last_.anon_kib, first_.anon_kib + kMostAnonKib);
  }
}

// More connections than the backlog holds, all of them before the daemon can accept one: the
// kernel drops the probe's SYN, the prober's kernel sends it again, and it is answered.
TEST_P(HostileProbers, MoreThanTheBacklogHoldsOnlyDelayAProbe) {
  ::kill(daemon_, SIGSTOP);
  std::vector<common::Fd> flood;
  const auto dropped = [&flood] { return !flood.empty() && !is_connected(flood.back()); };
  for (int i = 0; i < kBurst && !dropped(); ++i) {
    flood.push_back(begin_connect_from(10 + i % 200, port_.number()));
  }
  ASSERT_TRUE(dropped()) << "net.core.somaxconn is above " << kBurst;
  std::thread prober([this] { probes_.probe(port_.number(), GetParam()); });
  // Its SYN must come while the backlog is full; that it takes longer does not matter.
  std::this_thread::sleep_for(100ms);
  ::kill(daemon_, SIGCONT);
  prober.join();
  using Millis = std::chrono::duration<double, std::milli>;
  std::cout << flood.size() - 1 << " in the backlog; the probe took "
            << Millis(probes_.slowest).count() << " ms" << std::endl;
  EXPECT_EQ(probes_.lost, 0u) << probes_.first_loss;
}

INSTANTIATE_TEST_SUITE_P(Protocols, HostileProbers,
                         testing::Values(Kind{"tcp", " OK", "", "OK", "OK"},
                                         Kind{"http", " OK", "GET / HTTP/1.1\r\nHost: lb\r\n\r\n",
                                              "HTTP/1.1 200 OK\r\n", "\r\n\r\nOK"},
                                         Kind{"haproxy-agent", "", "", "up ready\n", "up ready\n"}),
                         [](const auto& kind) {
                           std::string name = kind.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace genapp::tests
