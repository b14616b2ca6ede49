#pragma once

// A real two-node cluster behind a load balancer, on one machine: Corosync, Pacemaker and HAProxy
// in namespaces of their own, with a client that sends a request every 10 ms and asks both nodes'
// probe ports as often. Needs root. Nothing outside its namespaces changes, and everything ends
// with the object, or with the process that has it.

#include <array>
#include <optional>
#include <string>

#include "tests/e2e/lab/settings.hpp"
#include "tests/e2e/lab/timeline.hpp"
#include "tests/e2e/namespace.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

class Lab {
 public:
  // One of the two; n1 and n2 in words.
  using Name = std::string;
  enum class Network { users, cluster };

  // Up, with one node serving. Throws std::runtime_error with the cluster's own words when it does
  // not come up.
  Lab(const Responder& responder, const Timing& timing);
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  // A shell command on a node; throws when it fails. What it prints.
  std::string shell(const Name& node, const std::string& script) const;
  // A signal to one of the node's processes, and to all that make it a member of the cluster.
  void signal_app(const Name& node, int number) const;
  void signal_responder(const Name& node, int number) const;
  // With KILL, when the cluster has not done it already.
  void end_responder_if_there(const Name& node) const;
  void signal_pacemaker(const Name& node, int number) const;
  void signal_corosync(const Name& node, int number) const;
  // What its monitor then says.
  void make_app_ill(const Name& node) const;
  void set_link(const Name& node, Network network, bool up) const;
  // As by pulling its plug: nobody hears of it.
  void power_off(const Name& node);
  void boot(const Name& node);
  const Responder& responder() const { return responder_; }
  const Timing& timing() const { return timing_; }
  // Who has not the majority of the votes stops all its resources; n1 has two and n2 one.
  void use_quorum() const;
  // A power switch: who has lost sight of the other has it cut off before it takes over. Whoever
  // serves is 2 s faster with it.
  void use_fencing();

  void start_balancer();
  void stop_balancer();
  // 500 silent connections to each probe port and a port scan of both nodes, from now on.
  void make_noise();
  void stop_noise() { noise_.reset(); }

  Moment now() const;
  // All that was seen so far.
  const Timeline& seen();
  // Waits until the users reach this node and the other does not answer probes, both for a while
  // after `since`. The limit only bounds a failure.
  bool serves_alone(const Name& node, Moment since, std::chrono::milliseconds limit);
  // Whether somebody has switched it off.
  bool is_off(const Name& node);
  // The node that serves alone; waits for one. Empty when there is none.
  Name serving();
  // Forgets failures, and waits until both nodes are ready for the next one, as long as it takes.
  bool ready_again();
  // Of the programs in the lab, for a failure's message.
  std::string logs() const;

 private:
  struct Host {
    std::optional<Process> holder;
    pid_t init = 0;  // by its number outside
  };

  Command inside(const Name& node, const std::string& script) const;
  void signal_all(const Name& node, const std::string& names, int number) const;
  void set_property(const std::string& name, const std::string& value) const;
  void put(const std::string& path, const std::string& text) const;
  void make_host(const Name& node);
  Process start_cluster(const Name& node) const;
  bool ready(const Name& node) const;
  Host& host(const Name& node) { return hosts_[node == "n1" ? 0 : 1]; }
  const Host& host(const Name& node) const { return hosts_[node == "n1" ? 0 : 1]; }

  Responder responder_;
  Timing timing_;
  TempDir folder_;
  Namespace balancer_;
  std::array<Host, 2> hosts_;
  std::optional<Process> haproxy_;
  std::optional<Process> client_;
  std::optional<Process> noise_;
  std::optional<Process> fencer_;
  Timeline timeline_;
  std::size_t read_ = 0;  // bytes of the client's output
};

Lab::Name other_than(const Lab::Name& node);

}  // namespace genapp::tests
