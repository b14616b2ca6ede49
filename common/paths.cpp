#include "common/paths.hpp"

#include <cstdlib>

namespace genapp::common::paths {
namespace {

// An override that is set but empty counts as unset, so that `GENAPP_RUN_DIR= restore …` can't end
// up writing to the root directory.
std::string from_environment(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value && *value ? value : otherwise;
}

}  // namespace

std::string config_dir() { return from_environment("GENAPP_CONFIG_DIR", "/etc/genapp"); }
std::string run_dir() { return from_environment("GENAPP_RUN_DIR", "/run/genapp"); }

std::string settings_file() { return config_dir() + "/genapp.toml"; }
std::string resources_dir() { return config_dir() + "/resources.d"; }
std::string resource_name(const Tag& tag) { return tag.text() + kResourceSuffix; }
std::string resource_file(const Tag& tag) { return resources_dir() + "/" + resource_name(tag); }

std::string appmgr_file() { return config_dir() + "/appmgr.toml"; }
std::string appserver_file() { return config_dir() + "/appserver.toml"; }
std::string tls_dir() { return config_dir() + "/tls"; }
std::string authority_dir() { return config_dir() + "/ca"; }

std::string lifekeeper_root() { return from_environment("LKROOT", "/opt/LifeKeeper"); }
std::string ins_list() { return lifekeeper_root() + "/bin/ins_list"; }
std::string lifekeeper_defaults() {
  return from_environment("GENAPP_LK_DEFAULTS", "/etc/default/LifeKeeper");
}

std::string pid_name(const Id& id) { return id.text() + ".pid"; }
std::string flag_name(const Id& id) { return id.text() + "-hc-ng"; }
std::string state_name(const Id& id) { return id.text() + ".state"; }
std::string sock_name(const Id& id) { return id.text() + ".sock"; }
std::string app_name(const Id& id) { return id.text() + ".app"; }
std::string turn_name(const Id& id) { return id.text() + ".turn"; }
std::string check_name(const Id& id) { return id.text() + ".check"; }
std::string lock_name(const Id& id) { return id.text() + ".lock"; }

std::string temporary_name(const std::string& name) { return "." + name + ".new"; }

}  // namespace genapp::common::paths
