#include "tests/e2e/lab/settings.hpp"

namespace genapp::tests {
namespace {

std::string node(int number, int votes) {
  const std::string n = std::to_string(number);
  return "  node {\n    ring0_addr: " + std::string(kClusterNode) + n + "\n    name: n" + n +
         "\n    nodeid: " + n + "\n    quorum_votes: " + std::to_string(votes) + "\n  }\n";
}

std::string pairs(const std::string& id, const std::map<std::string, std::string>& values) {
  std::string text;
  for (const auto& [name, value] : values) {
    text +=
        "<nvpair id=\"" + id + "-" + name + "\" name=\"" + name + "\" value=\"" + value + "\"/>";
  }
  return text;
}

std::string operation(const std::string& resource, const std::string& name,
                      const std::string& interval, int timeout) {
  return "<op id=\"" + resource + "-" + name + "\" name=\"" + name + "\" interval=\"" + interval +
         "\" timeout=\"" + std::to_string(timeout) + "s\"/>";
}

std::string primitive(const std::string& id, const std::string& provider, const std::string& type,
                      const std::map<std::string, std::string>& parameters, int monitor_timeout,
                      const std::string& more_operations) {
  return "<primitive id=\"" + id + "\" class=\"ocf\" provider=\"" + provider + "\" type=\"" + type +
         "\"><instance_attributes id=\"" + id + "-is\">" + pairs(id, parameters) +
         "</instance_attributes><operations>" + operation(id, "monitor", "1s", monitor_timeout) +
         operation(id, "start", "0", 30) + operation(id, "stop", "0", 30) + more_operations +
         "</operations></primitive>";
}

}  // namespace

// One item a line: Corosync's parser wants it so. No real-time priority: a container may have no
// budget for it.
std::string corosync_conf(const Timing& timing) {
  return "system {\n  sched_rr: no\n  allow_knet_handle_fallback: yes\n}\n"
         "totem {\n  version: 2\n  cluster_name: lab\n  transport: knet\n  crypto_cipher: none\n"
         "  crypto_hash: none\n  token: " +
         std::to_string(timing.token_ms) +
         "\n}\nlogging {\n  to_stderr: no\n  to_syslog: no\n  to_logfile: yes\n"
         "  logfile: /var/log/corosync.log\n}\n"
         "quorum {\n  provider: corosync_votequorum\n}\nnodelist {\n" +
         node(1, 2) + node(2, 1) + "}\n";
}

// crm_feature_set: with a newer one than the installed Pacemaker has, no change is ever taken.
// dc-deadtime: the first election would last 20 s.
std::string cib(const Responder& responder, const Timing& timing) {
  return "<cib crm_feature_set=\"3.1.0\" validate-with=\"pacemaker-3.0\" epoch=\"1\" "
         "num_updates=\"0\" admin_epoch=\"1\"><configuration><crm_config><cluster_property_set "
         "id=\"options\">" +
         pairs("options", {{"stonith-enabled", "false"},
                           {"no-quorum-policy", "ignore"},
                           {"dc-deadtime", "2s"}}) +
         "</cluster_property_set></crm_config><nodes><node id=\"1\" uname=\"n1\"/><node id=\"2\" "
         "uname=\"n2\"/></nodes><resources><group id=\"service\">" +
         primitive("app", "genapp", "lab_app", {{"port", std::to_string(kAppPort)}},
                   timing.monitor_timeout, "") +
         primitive("responder", responder.provider, responder.type, responder.parameters,
                   timing.monitor_timeout, responder.more_operations) +
         "</group></resources><constraints/><rsc_defaults><meta_attributes id=\"defaults\">" +
         pairs("defaults",
               {{"migration-threshold", "1"}, {"resource-stickiness", "100"}, {"priority", "1"}}) +
         "</meta_attributes></rsc_defaults></configuration><status/></cib>\n";
}

std::string fence_resource(const std::string& folder) {
  return "<primitive id=\"fence\" class=\"stonith\" type=\"fence_legacy\"><instance_attributes "
         "id=\"fence-is\">" +
         pairs("fence", {{"folder", folder},
                         {"pcmk_host_list", "n1 n2"},
                         {"pcmk_host_check", "static-list"}}) +
         "</instance_attributes></primitive>";
}

// linger: HAProxy ends the check with a FIN, as Azure does, so that a responder sees it at all.
std::string haproxy_cfg() {
  std::string text =
      "defaults\n  mode tcp\n  retries 0\n  timeout connect 1s\n  timeout client 5s\n"
      "  timeout server 5s\n"
      "frontend users\n  bind " +
      std::string(kBalancerAddress) + ":" + std::to_string(kUsersPort) +
      "\n  default_backend nodes\n"
      "backend nodes\n  option tcp-check\n  tcp-check connect port " +
      std::to_string(kProbePort) +
      " linger\n"
      "  default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions\n";
  for (const char* number : {"1", "2"}) {
    text += "  server n" + std::string(number) + " " + kUsersNode + number + ":" +
            std::to_string(kAppPort) + " source " + kBalancerAddress + "\n";
  }
  return text;
}

}  // namespace genapp::tests
