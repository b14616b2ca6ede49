#include "cluster/ocf/metadata.hpp"

#include <array>

#include "cluster/ocf/parameters.hpp"

namespace genapp::ocf {
namespace {

struct About {
  std::string_view name;
  std::string_view summary;
  std::string_view text;
};

constexpr About kLbhcAgent{
    "lbhc", "Answers a load balancer's health checks",
    "Runs a daemon that answers a load balancer's probes on the active node, so that the load "
    "balancer sends traffic there and nowhere else. The monitor asks the daemon itself, so that "
    "one "
    "that hangs is found; it also knows when no probe comes any more. When the cluster manager on "
    "this "
    "node dies, the daemon ends itself (lease). With OCF_CHECK_LEVEL 10 the monitor probes the "
    "port as "
    "well. See docs/pacemaker.md."};

constexpr About kScriptAgent{
    "script", "Runs your own scripts to start, stop and check an application",
    "Runs the commands restore, remove and quickCheck, as the same executables "
    "of genapp do: with a "
    "clean environment, a time limit, and no process left that should not be. "
    "They are called with -t "
    "TAG -i ID, both the resource's name. See genapp-script(5)."};

struct Operation {
  std::string_view name;
  std::string_view rest;  // further attributes
};

// The timeouts are what each needs at the most with the presets, rounded up; Pacemaker's tools
// offer them to who configures a resource.
constexpr std::array kLbhcOperations{
    Operation{"start", R"(timeout="20s")"},
    Operation{"stop", R"(timeout="30s")"},
    Operation{"monitor", R"(timeout="10s" interval="10s" depth="0")"},
    Operation{"monitor", R"(timeout="10s" interval="30s" depth="10")"},
    Operation{"monitor", R"(timeout="10s" interval="15s" role="Stopped")"},
    Operation{"status", R"(timeout="10s")"},
    Operation{"reload-agent", R"(timeout="10s")"},
    Operation{"validate-all", R"(timeout="10s")"},
    Operation{"meta-data", R"(timeout="5s")"},
};

constexpr std::array kScriptOperations{
    Operation{"start", R"(timeout="300s")"},
    Operation{"stop", R"(timeout="300s")"},
    Operation{"monitor", R"(timeout="30s" interval="10s" depth="0")"},
    Operation{"status", R"(timeout="30s")"},
    Operation{"reload-agent", R"(timeout="10s")"},
    Operation{"validate-all", R"(timeout="10s")"},
    Operation{"meta-data", R"(timeout="5s")"},
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string element(std::string_view name, std::string_view text) {
  const std::string tag(name);
  return "<" + tag + " lang=\"en\">" + escaped(text) + "</" + tag + ">\n";
}

std::string_view content_type(Parameter::Type type) {
  return type == Parameter::Type::boolean ? "boolean" : "string";
}

std::string parameter_text(const Parameter& parameter) {
  std::string out = "<parameter name=\"" + std::string(parameter.name) +
                    "\" unique=\"0\" required=\"" + (parameter.required ? "1" : "0") +
                    "\" reloadable=\"" + (parameter.reloadable ? "1" : "0") + "\">\n";
  out += element("longdesc", parameter.text);
  out += element("shortdesc", parameter.summary);
  out += "<content type=\"" + std::string(content_type(parameter.type)) + "\"";
  if (!parameter.preset.empty()) out += " default=\"" + escaped(parameter.preset) + "\"";
  return out + "/>\n</parameter>\n";
}

// The internal subset adds what OCF 1.1 has and the DTD of 1.0 has not.
constexpr std::string_view kHead = R"(<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" [
<!ATTLIST parameter reloadable (1|0) "0">
<!ATTLIST action name CDATA #REQUIRED>
]>
)";

}  // namespace

std::string metadata(Kind kind) {
  const About& about = kind == Kind::lbhc ? kLbhcAgent : kScriptAgent;
  const std::span<const Operation> operations =
      kind == Kind::lbhc ? std::span<const Operation>(kLbhcOperations) : kScriptOperations;
  std::string out(kHead);
  out +=
      "<resource-agent name=\"" + std::string(about.name) + "\" version=\"" GENAPP_VERSION "\">\n";
  out += "<version>1.1</version>\n";
  out += element("longdesc", about.text);
  out += element("shortdesc", about.summary);
  out += "<parameters>\n";
  for (const Parameter& parameter : parameters_of(kind)) out += parameter_text(parameter);
  out += "</parameters>\n<actions>\n";
  for (const Operation& operation : operations) {
    out += "<action name=\"" + std::string(operation.name) + "\" " + std::string(operation.rest) +
           "/>\n";
  }
  return out + "</actions>\n</resource-agent>\n";
}

}  // namespace genapp::ocf
