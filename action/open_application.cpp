#include "action/open_application.hpp"

#include "lbhc/config.hpp"
#include "lbhc/health_check.hpp"

namespace genapp::action {

OpenedApplication open_application(const common::ResourceArgs& args,
                                   const common::Settings& settings,
                                   const common::Directory& run_dir) {
  const auto cluster = cluster::open_cluster(settings);
  const cluster::Resource resource = cluster->read(args.tag, args.id);
  OpenedApplication opened;
  opened.states = cluster->states(run_dir, args.id);
  // cluster::parse_resource lets no other type pass.
  opened.application = std::make_unique<lbhc::HealthCheck>(
      run_dir, *opened.states, args.tag, args.id,
      lbhc::read_config(settings.file ? &*settings.file : nullptr, resource.file, resource.info),
      common::log::DaemonLog{settings.log_file, settings.log_level});
  return opened;
}

void require_known_lbhc(const common::ResourceArgs& args, const common::Settings& settings) {
  cluster::open_cluster(settings)->read(args.tag, args.id);
}

}  // namespace genapp::action
