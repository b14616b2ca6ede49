// 2,000 clients that connect and say nothing, all at once: the fault that disables the usual
// responders (one silent client is enough for `nc -l -k`, five for a thread pool).

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <ostream>
#include <vector>

#include "tests/e2e/served_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

constexpr int kSilent = 2000;
constexpr int kFresh = 5;
constexpr unsigned long kDescriptors = kSilent + 200;

long descriptors_of(pid_t pid) {
  const std::filesystem::path folder = "/proc/" + std::to_string(pid) + "/fd";
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

// At first, the daemon may still hold its line to restore; so it may have less in the end.
::testing::AssertionResult closes_down_to(long at_first, pid_t daemon) {
  if (wait_until([&] { return descriptors_of(daemon) <= at_first; })) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << descriptors_of(daemon) << " descriptors, " << at_first << " at first";
}

struct Kind {
  const char* name;
  const char* lbhc;
  const char* request;
  const char* reply_end;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class SilentConnections : public ::testing::TestWithParam<Kind> {};

TEST_P(SilentConnections, DoNotKeepAFreshProbeFromItsReply) {
  ASSERT_TRUE(raise_descriptor_limit(kDescriptors)) << "ulimit -Hn must allow " << kDescriptors;
  const ServedNode served(GetParam().lbhc);
  const pid_t daemon = served.node.daemon(kId);
  const long at_first = descriptors_of(daemon);

  std::vector<Client> silent;
  for (int i = 0; i < kSilent; ++i) silent.emplace_back("127.0.0.1", served.port.number());
  for (int i = 0; i < kFresh; ++i) {
    const auto probed = probe(served.port.number(), GetParam().request);
    EXPECT_TRUE(probed.bytes.ends_with(GetParam().reply_end)) << probed.bytes;
    EXPECT_TRUE(probed.ended);
  }
  EXPECT_EQ(served.status().probes, static_cast<std::uint64_t>(kSilent + kFresh));

  silent.clear();
  EXPECT_TRUE(closes_down_to(at_first, daemon));
  EXPECT_EQ(served.status().connections, 0u);
}

// Clients that never go away are shown the door, so that they can't be gathered over hours.
TEST_P(SilentConnections, AreClosedByTheDaemonInTheEnd) {
  ASSERT_TRUE(raise_descriptor_limit(kDescriptors)) << "ulimit -Hn must allow " << kDescriptors;
  const ServedNode served(GetParam().lbhc);
  const pid_t daemon = served.node.daemon(kId);
  const long at_first = descriptors_of(daemon);
  std::vector<Client> silent;
  for (int i = 0; i < kSilent; ++i) silent.emplace_back("127.0.0.1", served.port.number());
  EXPECT_TRUE(wait_until([&] { return served.status().connections == 0; }));
  EXPECT_TRUE(closes_down_to(at_first, daemon));
}

INSTANTIATE_TEST_SUITE_P(Protocols, SilentConnections,
                         ::testing::Values(Kind{"tcp", kTcp, "", "OK"},
                                           Kind{"http", kHttp, kGet, "\r\n\r\nOK"}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace genapp::tests
