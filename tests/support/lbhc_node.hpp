#pragma once

// A node with one LBHC resource: tag "lb", id "app1", a port of its own, reply "OK".

#include "tests/support/net.hpp"
#include "tests/support/node.hpp"

namespace genapp::tests {

class LbhcNode {
 public:
  // `keys`: lines under [lbhc].
  explicit LbhcNode(const std::string& keys = "hc_timeout = 30", const std::string& reply = "OK");

  Node& node() { return node_; }
  std::uint16_t port() const { return port_.number(); }

  Result run(const std::string& action) const { return node_.action(action, "lb", "app1"); }
  Process start(const std::string& action) const {
    return node_.start_action(action, "lb", "app1");
  }
  // An action that needs a probe, with probes coming until it ends.
  Result probed(const std::string& action) const;
  // restore, which must succeed.
  void restore() const;

  // The state file's word; empty when there is none.
  std::string state() const;

 private:
  Port port_;
  Node node_;
};

}  // namespace genapp::tests
