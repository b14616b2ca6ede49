#pragma once

// The registry as the agent takes it.

#include <string>
#include <vector>

#include "agent/config.hpp"
#include "common/settings.hpp"

namespace genapp::agent {

struct Resources {
  struct Problem {
    std::string tag;
    std::string text;  // names the file, or the other resource
  };
  std::vector<ResourceConfig> configs{};  // sound together
  // Those that are left out: what is wrong with one's file concerns it, and what depends on it.
  std::vector<Problem> problems{};
};

// Throws common::Error when the registry can't be read as a whole.
Resources read_resources(const common::Settings& settings);

}  // namespace genapp::agent
