#include "tests/sweep/aftermath.hpp"

#include "tests/support/wait.hpp"
#include "tests/sweep/look.hpp"

namespace genapp::tests {
namespace {

void expect_afterwards(Run& run, bool well, const std::string& what) {
  if (!well) run.violations.push_back("afterwards: " + what);
}

// A daemon that nobody took note of needs a moment to undo itself.
void settle(Run& run) {
  LbhcNode& node = run.node;
  expect_afterwards(run, wait_until([&] {
                      return processes_of(node).empty() ||
                             node.node().status("app1").find("\"phase\":\"serving\"") !=
                                 std::string::npos;
                    }),
                    "a daemon is left that neither serves nor ends");
}

void check_tells_the_truth(Run& run) {
  LbhcNode& node = run.node;
  const std::string state = node.state();
  expect_afterwards(run, state.empty() || state == "ISP" || state == "OSF",
                    "the state is \"" + state + "\"");
  // Looked at first: without probes it can come up in between, but not go.
  const bool flag_up = node.node().has("app1-hc-ng");
  const Result check = node.run("quickCheck");
  expect_afterwards(run, check.exit_code == 0 || check.exit_code == 1,
                    "quickCheck ended with " + std::to_string(check.exit_code));
  if (check.exit_code != 0 || state != "ISP") return;
  expect_afterwards(run, !flag_up, "quickCheck said healthy with the flag up");
  expect_afterwards(run, daemon_of(node) != 0 && serves(node),
                    "quickCheck said healthy of what is dead");
}

void remove_works(Run& run) {
  LbhcNode& node = run.node;
  const Result removed = node.run("remove");
  expect_afterwards(run, removed.exit_code == 0, "remove failed: " + removed.err);
  expect_afterwards(run, processes_of(node).empty(), "after remove a process is left");
  expect_afterwards(run, !accepts(node.port()), "after remove the port is open");
  for (const std::string& name : node.node().run_files()) {
    expect_afterwards(run, false, "after remove the file " + name + " is left");
  }
}

void restore_works(Run& run) {
  LbhcNode& node = run.node;
  node.node().lbhc("lb", "app1", std::to_string(node.port()) + " OK",
                   "wait_first_probe = false\nhc_timeout = 60");
  const Result restored = node.run("restore");
  expect_afterwards(run, restored.exit_code == 0, "restore failed: " + restored.err);
  expect_afterwards(run, processes_of(node).size() == 1, "after restore there is not one process");
  expect_afterwards(run, serves(node), "after restore the port does not answer");
  expect_afterwards(run, node.state() == "ISP",
                    "after restore the state is \"" + node.state() + "\"");
  const Result check = node.run("quickCheck");
  expect_afterwards(run, check.exit_code == 0, "after restore quickCheck failed: " + check.err);
  const Result list = node.node().run({"genapp", "list"});
  expect_afterwards(run, list.exit_code == 0 && list.out.find("lb ") != std::string::npos,
                    "genapp list does not list it: " + list.out + list.err);
}

}  // namespace

void look_after(Run& run) {
  settle(run);
  check_tells_the_truth(run);
  remove_works(run);
  restore_works(run);
}

}  // namespace genapp::tests
