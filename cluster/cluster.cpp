#include "cluster/cluster.hpp"

#include "cluster/lifekeeper.hpp"
#include "cluster/registry.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"

namespace genapp::cluster {
namespace {

using common::ClusterKind;
using common::Error;

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

  Resource find(const common::Tag& tag) const override { return registry_.read(tag); }

  std::vector<Entry> list() const override { return registry_.list(); }

  std::string type(const common::Tag& tag, const common::Id& id) const override {
    return read(tag, id).type;
  }

  std::unique_ptr<common::StateStore> states(const common::Directory& run_dir,
                                             const Resource& resource) const override {
    return std::make_unique<StateFile>(run_dir, resource.id);
  }

 private:
  Registry registry_{common::paths::resources_dir()};
};

}  // namespace

std::unique_ptr<Cluster> open_cluster(const common::Settings& settings) {
  if (cluster_kind(settings) == ClusterKind::lifekeeper) return std::make_unique<LifeKeeper>();
  return std::make_unique<RegistryCluster>();
}

}  // namespace genapp::cluster
