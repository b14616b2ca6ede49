#pragma once

// The tables [monitor.NAME] of a resource's file.

#include <vector>

#include "agent/config.hpp"
#include "common/toml_file.hpp"

namespace genapp::agent {

// By name. Throws common::Error naming file, line and key. Reads the files that user_file names,
// and /etc/passwd for an owner.
std::vector<MonitorConfig> read_monitors(const common::TomlFile& file);

}  // namespace genapp::agent
