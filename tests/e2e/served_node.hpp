#pragma once

// One node whose daemon serves from the start, for tests that are about its clients.

#include <gtest/gtest.h>

#include "lbhc/status.hpp"
#include "tests/e2e/two_nodes.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"

namespace genapp::tests {

class ServedNode {
 public:
  // `lbhc`: further lines of [lbhc]. Throws std::runtime_error when it does not come up.
  explicit ServedNode(const std::string& lbhc) {
    node.lbhc(kTag, kId, port.text() + " OK", "wait_first_probe = false\n" + lbhc);
    const Result restored = node.action("restore", kTag, kId);
    if (restored.exit_code != 0) throw std::runtime_error(restored.err);
  }

  lbhc::Status status() const { return lbhc::parse_status(node.status(kId)).value(); }

  Port port;
  Node node;
};

inline constexpr char kTcp[] = "protocol = \"tcp\"\n";
inline constexpr char kHttp[] = "protocol = \"http\"\n";
// What an ordinary prober sends.
inline constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: lb\r\n\r\n";

}  // namespace genapp::tests
