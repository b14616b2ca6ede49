#include "common/prometheus.hpp"

#include <gtest/gtest.h>

namespace genapp::common {
namespace {

TEST(PrometheusText, HasFamiliesOfSamples) {
  PrometheusText text;
  text.family("up", "gauge", "Whether it runs.");
  text.sample(1);
  text.family("took_seconds", "summary", "How long.");
  text.sample(0.25, "a=\"b\"", "_sum");
  text.sample(1'500'000'000.5, "a=\"b\"");
  EXPECT_EQ(text.take(),
            "# HELP up Whether it runs.\n# TYPE up gauge\nup 1\n"
            "# HELP took_seconds How long.\n# TYPE took_seconds summary\n"
            "took_seconds_sum{a=\"b\"} 0.25\ntook_seconds{a=\"b\"} 1500000000.5\n");
}

TEST(PrometheusText, ALabelsValueIsEscaped) {
  EXPECT_EQ(PrometheusText::label("tag", "a\"b\\c\nd"), R"(tag="a\"b\\c\nd")");
}

}  // namespace
}  // namespace genapp::common
