#include "action/open_application.hpp"

#include "lbhc/config.hpp"
#include "lbhc/health_check.hpp"
#include "remote/resource/config.hpp"
#include "remote/resource/remote_command.hpp"
#include "script/config.hpp"
#include "script/script_set.hpp"

namespace genapp::action {

OpenedApplication open_application(const common::ResourceArgs& args,
                                   const common::Settings& settings,
                                   const common::Directory& run_dir) {
  const auto began = common::Clock::now();
  const auto cluster = cluster::open_cluster(settings);
  const cluster::Resource resource = cluster->read(args.tag, args.id);
  const common::TomlFile* defaults = settings.file ? &*settings.file : nullptr;
  const common::log::DaemonLog log{settings.log_file, settings.log_level};
  OpenedApplication opened;
  opened.states = cluster->states(run_dir, resource);
  if (resource.type == cluster::kScript) {
    opened.application = std::make_unique<script::ScriptSet>(
        run_dir, *opened.states, args.tag, args.id, resource.info,
        script::read_config(defaults, resource.file), log, began);
    return opened;
  }
  if (resource.type == cluster::kRemote) {
    opened.application = std::make_unique<remote::RemoteCommand>(
        run_dir, *opened.states, args.tag, args.id,
        remote::read_remote_config(defaults, resource.file, args.id), began);
    return opened;
  }
  // cluster::parse_resource lets no other type pass.
  opened.application = std::make_unique<lbhc::HealthCheck>(
      run_dir, *opened.states, args.tag, args.id,
      lbhc::read_config(defaults, resource.file, resource.info), log, settings.user);
  return opened;
}

void require_known_lbhc(const common::ResourceArgs& args, const common::Settings& settings) {
  const std::string type = cluster::open_cluster(settings)->type(args.tag, args.id);
  if (type == cluster::kLbhc) return;
  throw common::Error("it is of type " + type + ": its description must be right");
}

}  // namespace genapp::action
