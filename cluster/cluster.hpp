#pragma once

// Where a resource's info and state come from on this node.

#include <memory>
#include <string>
#include <vector>

#include "cluster/kind.hpp"
#include "cluster/resource.hpp"
#include "common/application.hpp"
#include "common/directory.hpp"
#include "common/settings.hpp"

namespace genapp::cluster {

class Cluster {
 public:
  virtual ~Cluster() = default;
  // Throws common::Error when there is no such resource, it can't be read, or it has another id.
  virtual Resource read(const common::Tag& tag, const common::Id& id) const = 0;
  // The same with the id that the cluster knows.
  virtual Resource find(const common::Tag& tag) const = 0;
  // By tag. Throws common::Error when they can't be read as a whole.
  virtual std::vector<Entry> list() const = 0;
  // The resource's type, from as little as can be: remove goes by it when read() fails. Throws
  // common::Error.
  virtual std::string type(const common::Tag& tag, const common::Id& id) const = 0;
  // `run_dir` outlives what is returned. `resource` is of this cluster's read() or find().
  virtual std::unique_ptr<common::StateStore> states(const common::Directory& run_dir,
                                                     const Resource& resource) const = 0;
};

std::unique_ptr<Cluster> open_cluster(const common::Settings& settings);

}  // namespace genapp::cluster
