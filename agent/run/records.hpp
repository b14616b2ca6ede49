#pragma once

// RUN_DIR/agent/resources/TAG: what the agent keeps of a resource (agent/record.hpp).

#include <map>
#include <string>

#include "agent/record.hpp"
#include "common/directory.hpp"

namespace genapp::agent {

class Records {
 public:
  // Makes the folder in RUN_DIR/agent if need be. Throws common::Error.
  explicit Records(const common::Directory& run_dir);

  // Each throws common::Error.
  void write(const std::string& tag, const Record& record) const;
  void remove(const std::string& tag) const;
  // By tag; what is no record is passed over, as if it were not there.
  std::map<std::string, Record> read_all() const;

 private:
  common::Directory folder_;
};

}  // namespace genapp::agent
