#pragma once

// A resource as the cluster describes it: what the four executables are told to act on.

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/identifier.hpp"
#include "common/state.hpp"
#include "common/toml_file.hpp"

namespace genapp::cluster {

// The types, which are also the names of their tables.
inline constexpr std::string_view kLbhc = "lbhc";
inline constexpr std::string_view kScript = "script";
inline constexpr std::string_view kRemote = "remote";

struct Resource {
  common::Tag tag;
  common::Id id;
  std::string type;  // "lbhc", "script", "remote"
  std::string info;  // a free string; for lbhc: PORT [REPLY MESSAGE]
  // With the type's own table, e.g. [lbhc], and the agent's, [agent] and [monitor.NAME]; empty
  // where there is no file.
  common::TomlFile file;
  std::optional<common::State> state{};  // where the cluster tells it with the rest
};

// A resource, or why it can't be read.
struct Entry {
  std::string tag;
  std::variant<Resource, std::string> resource;
};

// What a file says of a resource: under LifeKeeper all but its type may be left out.
struct Description {
  std::string type;
  std::optional<common::Id> id;
  std::optional<std::string> info;
  common::TomlFile file;
};
// `path` is for messages. Throws common::Error naming file and line: a syntax error, an unknown key
// or table, a missing or wrong type, a wrong id or info. What is in the tables is not looked at.
Description parse_description(const std::string& path, std::string_view text);

// The resource in a file's text. Throws as parse_description(), and when the id is missing.
Resource parse_resource(const common::Tag& tag, const std::string& path, std::string_view text);

}  // namespace genapp::cluster
