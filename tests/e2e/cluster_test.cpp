#include <gtest/gtest.h>
#include "tests/e2e/lab/responders.hpp"
#include "tests/e2e/lab/scenarios.hpp"
namespace genapp::tests {
namespace {
TEST(Cluster, Try) {
  const auto t0 = std::chrono::steady_clock::now();
  Responder r = genapp_lbhc({});
  Lab lab(r, {});
  auto el = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - t0).count(); };
  printf("up after %.2f\n", el());
  auto go = [&](const Scenario& s) {
    const auto o = play(lab, s, std::chrono::seconds(30));
    printf("%6.2f %s\n", el(), describe(s.name, o).c_str()); fflush(stdout);
    if (!o.as_expected) { printf("%s\n", lab.logs().c_str()); }
    s.mend(lab, o.active);
    ASSERT_TRUE(lab.ready_again()) << lab.logs();
    printf("%6.2f ready\n", el());
  };
  for (const auto& s : scenarios()) if (!getenv("ONLY") || s.name == getenv("ONLY")) go(s);
  lab.use_quorum();
    printf("%6.2f quorum\n", el());
  go(kSplitWithQuorum);
  lab.use_fencing();
    printf("%6.2f fencing\n", el());
  go(kSplitWithFencing);
}
}
}
