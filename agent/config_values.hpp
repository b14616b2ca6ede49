#pragma once

// The values of the agent's settings that no other room has. Each throws the setting's error().

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/attributes.hpp"
#include "common/toml_file.hpp"
#include "monitor/check.hpp"

namespace genapp::agent {

Attributes::Duration as_length(const common::Setting& setting);               // 0.01 to 86400 s
Attributes::Duration as_length_or_none(const common::Setting& setting);       // the same, or 0
std::size_t as_count(const common::Setting& setting, std::size_t least = 0);  // up to 10000

// HOST, HOST:PORT, [IPV6] or [IPV6]:PORT, which `text`, a part of the setting, is to be; without
// the brackets. The port is 0 when there is none.
monitor::Server as_server(const common::Setting& setting, const std::string& text);

// A file's settings by their section. Of use where a file may have thousands of tables, in all of
// which TomlFile::find() would look.
using Sections = std::map<std::string_view, std::vector<const common::Setting*>>;
// `file` outlives it.
Sections by_section(const common::TomlFile& file);

}  // namespace genapp::agent
