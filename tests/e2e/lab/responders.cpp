#include "tests/e2e/lab/responders.hpp"

namespace genapp::tests {

Responder genapp_lbhc(const Timing& timing, const std::string& drain) {
  Responder responder{drain == "0" ? "genapp" : "genapp, drain " + drain + " s",
                      std::string(GENAPP_BIN_DIR) + "/ocf/lbhc",
                      "genapp",
                      "lbhc",
                      {{"port", std::to_string(kProbePort)},
                       {"hc_timeout", std::to_string(timing.hc_timeout)},
                       {"allow", kBalancerAddress},
                       {"standby_check", "true"},
                       {"drain", drain}},
                      "",
                      "cut -d ' ' -f 1 /run/genapp/responder.pid",
                      "test -e /run/genapp/responder-hc-ng"};
  responder.more_operations =
      "<op id=\"responder-standby\" name=\"monitor\" role=\"Stopped\" interval=\"5s\" timeout=\"" +
      std::to_string(timing.monitor_timeout) + "s\"/>";
  return responder;
}

Responder azure_lb(const std::string& program) {
  return {"azure-lb, " + program,
          "/usr/lib/ocf/resource.d/heartbeat/azure-lb",
          "heartbeat",
          "azure-lb",
          {{"port", std::to_string(kProbePort)}, {"nc", "/usr/bin/" + program}},
          "",
          "cat /run/responder.pid",
          "true"};
}

}  // namespace genapp::tests
