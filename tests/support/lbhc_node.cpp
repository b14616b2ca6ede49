#include "tests/support/lbhc_node.hpp"

#include <gtest/gtest.h>

#include "tests/support/wait.hpp"

namespace genapp::tests {

LbhcNode::LbhcNode(const std::string& keys, const std::string& reply) {
  node_.lbhc("lb", "app1", port_.text() + (reply.empty() ? "" : " " + reply), keys);
}

Result LbhcNode::probed(const std::string& action) const {
  Process process = start(action);
  wait_until([&] {
    accepts(port_.number());
    return !process.running();
  });
  return process.wait();
}

void LbhcNode::restore() const {
  // Exactly one probe, so that tests can count: connected as soon as the port opens.
  Process process = start("restore");
  wait_until([&] { return !process.running() || accepts(port_.number()); });
  const Result result = process.wait();
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

std::string LbhcNode::state() const {
  const std::string text = read_file(node_.run_file("app1.state"));
  return text.substr(0, text.find('\n'));
}

}  // namespace genapp::tests
