#pragma once

// Settings for what a program is started with. Each throws the setting's error().

#include <sys/types.h>

#include <vector>

#include "common/spawn.hpp"
#include "common/toml_file.hpp"

namespace genapp::common {

mode_t as_umask(const Setting& setting);  // "022"

// A list of "NAME=NUMBER" or "NAME=unlimited": as, core, cpu, data, fsize, memlock, nofile, nproc
// or stack, in setrlimit(2)'s units: bytes, seconds (cpu), or numbers of things.
std::vector<ResourceLimit> as_limits(const Setting& setting);

}  // namespace genapp::common
