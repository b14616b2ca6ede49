#pragma once

// A resource as the cluster describes it: what the four executables are told to act on.

#include <string>

#include "common/identifier.hpp"
#include "common/toml_file.hpp"

namespace genapp::cluster {

struct Resource {
  common::Tag tag;
  common::Id id;
  std::string type;       // "lbhc"
  std::string info;       // a free string; for lbhc: PORT [REPLY MESSAGE]
  common::TomlFile file;  // with the type's own table, e.g. [lbhc]; empty where there is no file
};

// The resource in a file's text. `path` is for messages. Throws common::Error naming file and line:
// a syntax error, an unknown key or table, a missing or wrong type, id or info.
Resource parse_resource(const common::Tag& tag, const std::string& path, std::string_view text);

}  // namespace genapp::cluster
