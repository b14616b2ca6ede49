#pragma once

// Where a resource's info and state come from on this node.

#include <memory>

#include "cluster/resource.hpp"
#include "common/application.hpp"
#include "common/directory.hpp"
#include "common/settings.hpp"

namespace genapp::cluster {

// Which cluster the resources belong to: genapp.toml's `cluster`, else LifeKeeper where
// $LKROOT/bin/ins_list is executable (LKROOT: by default /opt/LifeKeeper), else the registry.
common::ClusterKind cluster_kind(const common::Settings& settings);

class Cluster {
 public:
  virtual ~Cluster() = default;
  // Throws common::Error when there is no such resource, it can't be read, or it has another id.
  virtual Resource read(const common::Tag& tag, const common::Id& id) const = 0;
  // `run_dir` outlives what is returned.
  virtual std::unique_ptr<common::StateStore> states(const common::Directory& run_dir,
                                                     const common::Id& id) const = 0;
};

// Throws common::Error for a cluster that this version has no adapter for.
std::unique_ptr<Cluster> open_cluster(const common::Settings& settings);

}  // namespace genapp::cluster
