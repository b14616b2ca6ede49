#pragma once

// The settings of the lab's programs. Pure.

#include <map>
#include <string>

namespace genapp::tests {

// The lab's addresses. Every host has one on the users' network; the nodes talk to each other on a
// network of their own.
inline constexpr char kUsersNode[] = "198.18.0.";    // + the node's number
inline constexpr char kClusterNode[] = "198.18.1.";  // + the node's number
inline constexpr char kBalancerAddress[] = "198.18.0.10";
inline constexpr char kClientAddress[] = "198.18.0.11";
inline constexpr char kNoiseAddress[] = "198.18.0.12";
// Of the lab's own networks, so they are free.
inline constexpr int kAppPort = 8000;
inline constexpr int kProbePort = 54321;
inline constexpr int kUsersPort = 80;

// Who answers the load balancer's probes: a resource agent and what it is told.
struct Responder {
  std::string name;      // in tables
  std::string agent;     // its file, copied into the nodes
  std::string provider;  // ocf:PROVIDER:type
  std::string type;
  std::map<std::string, std::string> parameters;
  std::string more_operations = "";  // XML, besides the monitor of every second
  // Shell commands on its node: what prints its pid, and what succeeds once it has noticed that no
  // probe comes.
  std::string pid;
  std::string misses_probes;
};

struct Timing {
  int token_ms = 1000;      // Corosync notices a dead node
  int monitor_timeout = 4;  // seconds; the interval is 1
  int hc_timeout = 2;       // seconds
};

// n1 has two votes and n2 one, which matters only where the cluster heeds quorum.
std::string corosync_conf(const Timing& timing);
// Two nodes, the group of the application and its responder.
std::string cib(const Responder& responder, const Timing& timing);
// The fence device that lab.cpp brings; `folder` is where its agent finds the power switch.
std::string fence_resource(const std::string& folder);
std::string haproxy_cfg();

}  // namespace genapp::tests
