#pragma once

// Who may answer the load balancer's probes in the lab.

#include <string>

#include "tests/e2e/lab/settings.hpp"

namespace genapp::tests {

// ocf:genapp:lbhc. Only the load balancer's probes count; the others are answered all the same.
// With a drain, a stop turns probes away first, for so many seconds.
Responder genapp_lbhc(const Timing& timing, const std::string& drain = "0");
// ocf:heartbeat:azure-lb with nc or socat.
Responder azure_lb(const std::string& program);

}  // namespace genapp::tests
