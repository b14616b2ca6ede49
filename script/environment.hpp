#pragma once

// What a script finds in its environment. Pure.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/account.hpp"
#include "common/family.hpp"
#include "script/action.hpp"

namespace genapp::script {

struct Surroundings {
  std::string tag;
  std::string id;
  std::string info;
  Action action = Action::restore;
  std::string run;          // the value of common::kRunVariable
  common::Account account;  // whom the script runs as
  std::string host;         // this node's name
  std::string home_server;  // see Config
  std::vector<std::string> pass;
};

using Lookup = std::function<std::optional<std::string>(const std::string&)>;

// "NAME=VALUE", for execve(2). `caller` looks a variable up in the caller's environment, of which
// only these are used: GENAPP_EVENT, CLP_EVENT, CLP_DISK, CLP_SERVER, CLP_FACTOR (a cluster that
// knows better than we do says so) and what `pass` names.
std::vector<std::string> make_environment(const Surroundings& about, const Lookup& caller);

}  // namespace genapp::script
