#pragma once

// LifeKeeper: id, info and state of a resource come from its ins_list, and it alone writes them. A
// file of ours, resources.d/TAG.toml, may add the type and the type's own keys; without one the
// resource is an LBHC. docs/lifekeeper.md is the user's view.

#include <optional>

#include "cluster/cluster.hpp"
#include "cluster/ins_list.hpp"
#include "cluster/registry.hpp"

namespace genapp::cluster {

class LifeKeeper : public Cluster {
 public:
  // Each blocks for 3 s a resource at most: that is how long ins_list is given, and its end.

  // Its first state is the one that ins_list told here.
  Resource read(const common::Tag& tag, const common::Id& id) const override;
  Resource find(const common::Tag& tag) const override;
  // Those that have a file: ins_list also knows resources that are none of genapp's.
  std::vector<Entry> list() const override;
  // From the file alone, so that remove can go on when ins_list does not answer.
  std::string type(const common::Tag& tag, const common::Id& id) const override;
  std::unique_ptr<common::StateStore> states(const common::Directory& run_dir,
                                             const Resource& resource) const override;
};

// Runs ins_list. Blocks as above. Throws common::Error, one line, when it can't be run, does not
// end well within its 2 s, or prints anything but the one record.
InsListRecord ask_ins_list(const common::Tag& tag);

}  // namespace genapp::cluster
