#pragma once

// From the command line of `genapp create` to a resource file's text. Pure, apart from the
// environment's HC_TIMEOUT and from which files a script resource's folder holds.

#include <string>
#include <vector>

#include "common/identifier.hpp"
#include "common/toml_file.hpp"

namespace genapp::ctl {

struct Draft {
  common::Tag tag;
  common::Id id;
  std::string type;
  std::string info;  // only an lbhc needs one
  struct Key {
    std::string name;
    std::string value;
  };
  std::vector<Key> keys;          // of the type's own table
  std::vector<Key> agent_keys{};  // of [agent]
  // Of a remote alone; empty: it is among the keys, or genapp.toml's.
  std::string node{};
  std::vector<std::string> command{};
};

// Throws common::Error (exit code 64).
Draft parse_create(int argc, const char* const* argv);

// A value as it stands in a TOML file: as it is when TOML knows it as a value, else as a string.
std::string toml_value(const std::string& text);

// The resource file. Every option has a line of its own, so that an error in a line can be traced
// to the option.
std::string resource_text(const Draft& draft);

// Throws common::Error unless every program would take the resource, and, where it has keys of
// [agent], the agent: with exit code 64, naming the
// option, when an option is at fault; otherwise genapp.toml is. `settings` may be null.
void check_draft(const Draft& draft, const common::TomlFile* settings);

}  // namespace genapp::ctl
