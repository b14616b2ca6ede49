#pragma once

// The embedded registry: a folder of resource files, one a resource, written by `genapp create` and
// by hand; and the state files in the run directory.

#include <string>
#include <vector>

#include "cluster/resource.hpp"
#include "common/application.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"

namespace genapp::cluster {

class Registry {
 public:
  // The folder need not exist yet. Nothing is opened here.
  explicit Registry(std::string folder) : folder_(std::move(folder)) {}

  // Throws common::Error when there is no such resource or its file can't be read.
  Resource read(const common::Tag& tag) const;

  using Entry = cluster::Entry;
  // By tag. Files whose names are not TAG.toml are passed over. Throws common::Error.
  std::vector<Entry> list() const;

  // Makes the resource from its file's text. It is there wholly or not at all, also after a crash
  // of the machine; of two at once for one tag or one id, one succeeds. Makes the folder if need
  // be. Throws common::Error when the text is not valid, or tag or id are taken.
  void create(const common::Tag& tag, std::string_view text) const;

  // Throws common::Error when there is no such resource. A file that can't be parsed can be
  // deleted.
  void remove(const common::Tag& tag) const;

 private:
  std::string folder_;
};

// ID.state in the run directory; a missing file is OSU. It goes with a reboot, as does what it
// tells of. Writers hold ID.lock.
class StateFile : public common::StateStore {
 public:
  // `run_dir` outlives it.
  StateFile(const common::Directory& run_dir, common::Id id)
      : run_dir_(run_dir), id_(std::move(id)) {}

  // Throws common::Error when the file can't be read or holds something else.
  common::State read() const override;
  // OSU takes the file away, which also succeeds on a full file system. Throws common::Error.
  void write(common::State state) override;

 private:
  const common::Directory& run_dir_;
  common::Id id_;
};

// Records the state under ID.lock: for those who hold no lock of it. Blocks while another holds it,
// 5 s at most. Throws common::Error.
void record_state(const common::Directory& run_dir, const common::Id& id, common::State state);

}  // namespace genapp::cluster
