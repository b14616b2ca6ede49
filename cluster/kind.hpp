#pragma once

#include "common/settings.hpp"

namespace genapp::cluster {

// Which cluster the resources belong to: genapp.toml's `cluster`, else LifeKeeper where
// $LKROOT/bin/ins_list is executable (LKROOT: by default /opt/LifeKeeper), else the registry.
common::ClusterKind cluster_kind(const common::Settings& settings);

}  // namespace genapp::cluster
