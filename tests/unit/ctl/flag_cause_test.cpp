#include "ctl/flag_cause.hpp"

#include <gtest/gtest.h>

#include "lbhc/status.hpp"

namespace genapp::ctl {
namespace {

TEST(FlagCause, IsThatOfTheDaemonsOwnLine) {
  lbhc::Status status;
  status.probes = 12;
  status.last_probe = lbhc::LastProbe{1, "2026-11-22T08:15:02.123Z", "::1"};
  EXPECT_EQ(flag_cause(lbhc::format_flag(status, {})),
            "stopped after 12 probes at 2026-11-22T08:15:02.123Z");
}

TEST(FlagCause, IsNothingInAnythingElse) {
  for (const char* text : {"", "\n", "never probed", "{", "[]", "{}", "{\"cause\":1}", "null"}) {
    EXPECT_EQ(flag_cause(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace genapp::ctl
