#pragma once

// From a tag and an id to the application that the actions act on.

#include <memory>

#include "cluster/cluster.hpp"
#include "common/application.hpp"
#include "common/directory.hpp"
#include "common/resource_args.hpp"
#include "common/settings.hpp"

namespace genapp::action {

struct OpenedApplication {
  std::unique_ptr<common::StateStore> states;  // the application uses it, so it outlives it
  std::unique_ptr<common::Application> application;
};

// `run_dir` outlives what is returned. Throws common::Error when the resource can't be read or its
// settings are wrong.
OpenedApplication open_application(const common::ResourceArgs& args,
                                   const common::Settings& settings,
                                   const common::Directory& run_dir);

// Throws common::Error unless the resource is there, has this id and is of type lbhc. Whatever else
// is wrong with its description, such a one can be taken out by its id alone.
void require_known_lbhc(const common::ResourceArgs& args, const common::Settings& settings);

}  // namespace genapp::action
