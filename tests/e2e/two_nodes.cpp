#include "tests/e2e/two_nodes.hpp"

#include <signal.h>

namespace genapp::tests {
namespace {

std::string with_port(std::string text, const Port& port) {
  const std::string mark = "@PORT";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
    text.replace(at, mark.size(), port.text());
  }
  return text;
}

void describe(Node& node, const char* address, const Port& port, const std::string& message,
              const std::string& lbhc) {
  node.lbhc(kTag, kId, port.text() + (message.empty() ? "" : " " + message),
            std::string("listen = \"") + address + "\"\n" + lbhc);
}

::testing::AssertionResult exited_with(int code, const Result& result) {
  if (result.exit_code == code) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "exit " << result.exit_code << ", not " << code << ":\n"
                                       << result.err;
}

}  // namespace

TwoNodes::TwoNodes(const Way& way, const std::string& more_lbhc)
    : balancer({with_port(way.backend, port_), with_port(way.server, port_)}) {
  describe(n1, kAddress1, port_, way.message, way.lbhc + more_lbhc);
  describe(n2, kAddress2, port_, way.message, way.lbhc + more_lbhc);
}

void TwoNodes::kill_daemon(const Node& node, int signal) const {
  const pid_t pid = node.daemon(kId);
  ASSERT_GT(pid, 0);
  ::kill(pid, signal);
}

::testing::AssertionResult succeeded(const Result& result) { return exited_with(0, result); }
::testing::AssertionResult failed_with_1(const Result& result) { return exited_with(1, result); }

}  // namespace genapp::tests
