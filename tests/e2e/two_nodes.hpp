#pragma once

// Two nodes of one cluster behind a real HAProxy. Both have the same resource with the same probe
// port, as in real life; an address of its own for each is what makes that work on one host.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "tests/e2e/haproxy.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"

namespace genapp::tests {

inline constexpr char kTag[] = "lb";
inline constexpr char kId[] = "app1";

class TwoNodes {
 public:
  // A way for HAProxy to check, and what genapp has to be told for it. "@PORT" stands for the probe
  // port. `lbhc`: further lines of [lbhc].
  struct Way {
    std::string name;
    std::string backend;
    std::string server;
    std::string message;
    std::string lbhc;
  };

  // HAProxy is not running yet.
  explicit TwoNodes(const Way& way, const std::string& more_lbhc = "");

  Result act(const Node& node, const std::string& action) const {
    return node.action(action, kTag, kId);
  }
  // Ends the daemon with `signal`, as somebody who was not asked to.
  void kill_daemon(const Node& node, int signal) const;
  bool flag(const Node& node) const { return node.has(std::string(kId) + "-hc-ng"); }

 private:
  Port port_;

 public:
  std::uint16_t port() const { return port_.number(); }
  Node n1;
  Node n2;
  HaProxy balancer;
};

inline void PrintTo(const TwoNodes::Way& way, std::ostream* out) { *out << way.name; }

// Success, or what the command said instead.
::testing::AssertionResult succeeded(const Result& result);
::testing::AssertionResult failed_with_1(const Result& result);

}  // namespace genapp::tests
