#include "lbhc/lease.hpp"

#include <gtest/gtest.h>

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;

constexpr Lease::Time kStart{100s};

TEST(Lease, HasNoEndAtFirst) {
  const Lease lease;
  EXPECT_FALSE(lease.has_run_out(kStart + 1000h));
  EXPECT_FALSE(lease.end());
}

TEST(Lease, RunsOutAtItsEnd) {
  Lease lease;
  EXPECT_TRUE(lease.renew(kStart, 5s));
  EXPECT_EQ(lease.end(), kStart + 5s);
  EXPECT_FALSE(lease.has_run_out(kStart + 5s - 1ns));
  EXPECT_TRUE(lease.has_run_out(kStart + 5s));
}

TEST(Lease, IsRenewedFromNowOn) {
  Lease lease;
  lease.renew(kStart, 5s);
  EXPECT_TRUE(lease.renew(kStart + 4s, 5s));
  EXPECT_FALSE(lease.has_run_out(kStart + 8s));
  EXPECT_TRUE(lease.has_run_out(kStart + 9s));
  // Shorter, too.
  lease = Lease();
  lease.renew(kStart, 1h);
  EXPECT_TRUE(lease.renew(kStart, 1s));
  EXPECT_TRUE(lease.has_run_out(kStart + 1s));
}

TEST(Lease, StaysRunOut) {
  Lease lease;
  lease.renew(kStart, 5s);
  EXPECT_FALSE(lease.renew(kStart + 5s, 1h));
  EXPECT_FALSE(lease.renew(kStart + 6s, 0s));
  EXPECT_TRUE(lease.has_run_out(kStart + 5s));
}

TEST(Lease, IsEndedByZero) {
  Lease lease;
  lease.renew(kStart, 5s);
  EXPECT_TRUE(lease.renew(kStart + 1s, 0s));
  EXPECT_FALSE(lease.has_run_out(kStart + 1h));
}

}  // namespace
}  // namespace genapp::lbhc
