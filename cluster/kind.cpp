#include "cluster/kind.hpp"

#include <unistd.h>

#include "common/paths.hpp"

namespace genapp::cluster {

using common::ClusterKind;

ClusterKind cluster_kind(const common::Settings& settings) {
  if (settings.cluster) return *settings.cluster;
  return ::access(common::paths::ins_list().c_str(), X_OK) == 0 ? ClusterKind::lifekeeper
                                                                : ClusterKind::registry;
}

}  // namespace genapp::cluster
