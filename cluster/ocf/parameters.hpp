#pragma once

// The agents' parameters: what they are called, and what they say in the words of a resource file.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cluster/ocf/codes.hpp"
#include "cluster/ocf/kind.hpp"
#include "common/error.hpp"
#include "common/toml_file.hpp"

namespace genapp::ocf {

// What ends an action with a code of its own; what() says why.
class Refusal : public common::Error {
 public:
  Refusal(Code code, const std::string& why) : common::Error(why), code_(code) {}
  Code code() const { return code_; }

 private:
  Code code_;
};

struct Parameter {
  enum class Type {
    text,
    number,   // decimal, fractions allowed
    boolean,  // OCF's words: 1 yes true on, 0 no false off
    list,     // words between spaces or commas
    command,  // a path, or a list in TOML: ["/path/start", "argument"]
  };
  std::string_view name;
  Type type;
  // What holds when nothing is set here; where genapp.toml may set it too, empty.
  std::string_view preset;
  bool required;
  bool reloadable;  // changed without a stop
  std::string_view summary;
  std::string_view text;
};

std::span<const Parameter> parameters_of(Kind kind);

// The value of an environment variable; nothing when it is unset.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

// What the resource is, as cluster::Resource would say it.
struct Description {
  std::string info;
  common::TomlFile file;  // the table [lbhc] or [script]
  // lbhc: the lease follows from the monitor operation; else it is a key in `file`, or in
  // genapp.toml.
  bool lease_from_monitor = false;
};

// From OCF_RESKEY_NAME; an empty value is none. `settings` (may be null): genapp.toml, whose tables
// come before the agents' own presets and after the parameters. Throws Refusal (configured) that
// names the parameter.
Description read_parameters(Kind kind, const Environment& environment,
                            const common::TomlFile* settings);

}  // namespace genapp::ocf
