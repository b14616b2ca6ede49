#include "agent/run/surroundings.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "common/program_folder.hpp"

namespace genapp::agent {
namespace {

constexpr std::array<std::string_view, 4> kPrograms{"restore", "remove", "quickCheck", "recover"};
constexpr char kHint[] =
    "the agent calls the programs that a cluster calls; say where they are with --programs DIR";
constexpr std::array<std::string_view, 4> kOurs{"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_",
                                                "GENAPP_RUN="};

JobSetup call(const Surroundings& around) {
  JobSetup setup;
  setup.environment = around.environment;
  if (around.open_files) setup.limits = {{RLIMIT_NOFILE, *around.open_files, true}};
  return setup;
}

void set(std::vector<std::string>& environment, const std::string& name, const std::string& value) {
  const std::string begin = name + "=";
  std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(begin); });
  if (!value.empty()) environment.push_back(begin + value);
}

}  // namespace

std::vector<std::string> environment_for_children(const char* const* own) {
  std::vector<std::string> all;
  for (; *own; ++own) {
    const std::string_view entry(*own);
    const bool ours = std::any_of(kOurs.begin(), kOurs.end(), [entry](std::string_view name) {
      return entry.starts_with(name);
    });
    if (!ours) all.emplace_back(entry);
  }
  return all;
}

std::string find_action_programs(const std::string& given) {
  return common::find_programs(given, kPrograms, kHint);
}

JobSetup program_call(const Surroundings& around, const std::string& name, const common::Tag& tag,
                      const common::Id& id) {
  JobSetup setup = call(around);
  setup.argv = {around.programs + "/" + name, "-t", tag.text(), "-i", id.text()};
  return setup;
}

JobSetup user_call(const Surroundings& around, const UserCommand& command, int signal) {
  JobSetup setup = call(around);
  setup.argv = command.argv;
  set(setup.environment, "GENAPP_TAG", command.tag);
  set(setup.environment, "GENAPP_ID", command.id);
  set(setup.environment, "GENAPP_EVENT", command.event);
  set(setup.environment, "GENAPP_MONITOR", command.monitor);
  set(setup.environment, "GENAPP_GROUP", command.group);
  set(setup.environment, "GENAPP_REASON", command.reason);
  setup.output = JobSetup::Output::pipe;
  setup.with_standard_output = true;
  setup.signal = signal;
  setup.to_group = true;
  setup.grace = std::chrono::seconds(1);
  return setup;
}

}  // namespace genapp::agent
