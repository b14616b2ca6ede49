// The OCF resource agents ocf:genapp:lbhc and ocf:genapp:script: one executable under two names, as
// a cluster manager looks for an agent by its file's name.

#include <string_view>

#include "cluster/ocf/agent.hpp"

int main(int argc, char** argv) {
  using genapp::ocf::Kind;
  const std::string_view path = argc > 0 ? argv[0] : "";
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return genapp::ocf::run_agent(name == "script" ? Kind::script : Kind::lbhc, argc, argv);
}
