#include "cluster/cluster.hpp"

#include <unistd.h>

#include <cstdlib>

#include "cluster/registry.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"

namespace genapp::cluster {
namespace {

using common::ClusterKind;
using common::Error;

std::string ins_list_path() {
  const char* root = std::getenv("LKROOT");
  return std::string(root && *root ? root : "/opt/LifeKeeper") + "/bin/ins_list";
}

class RegistryCluster : public Cluster {
 public:
  Resource read(const common::Tag& tag, const common::Id& id) const override {
    Resource resource = registry_.read(tag);
    if (!(resource.id == id)) {
      throw Error("the resource " + common::quoted(tag.text()) + " has the id " +
                  common::quoted(resource.id.text()) + ", not " + common::quoted(id.text()));
    }
    return resource;
  }

  std::unique_ptr<common::StateStore> states(const common::Directory& run_dir,
                                             const common::Id& id) const override {
    return std::make_unique<StateFile>(run_dir, id);
  }

 private:
  Registry registry_{common::paths::resources_dir()};
};

}  // namespace

ClusterKind cluster_kind(const common::Settings& settings) {
  if (settings.cluster) return *settings.cluster;
  return ::access(ins_list_path().c_str(), X_OK) == 0 ? ClusterKind::lifekeeper
                                                      : ClusterKind::registry;
}

std::unique_ptr<Cluster> open_cluster(const common::Settings& settings) {
  if (cluster_kind(settings) == ClusterKind::registry) return std::make_unique<RegistryCluster>();
  throw Error(settings.cluster
                  ? "cluster = \"lifekeeper\" in " + common::paths::settings_file() +
                        " is not in this version: use \"registry\""
                  : "LifeKeeper is installed (" + ins_list_path() +
                        "), which this version can't read: set cluster = \"registry\" in " +
                        common::paths::settings_file());
}

}  // namespace genapp::cluster
