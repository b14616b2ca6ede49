#pragma once

// Which user the daemon goes on as, once it has what only root can give it. Pure.

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/account.hpp"

namespace genapp::lbhc {

// What the decision is taken from.
struct UserFacts {
  uid_t caller = 0;
  std::string wanted;                      // `user` of genapp.toml; empty: not set
  std::optional<common::Account> account;  // of `wanted`, else of the user genapp; none: no such
  std::string run_dir;                     // its path, for messages
  uid_t dir_owner = 0;
  gid_t dir_group = 0;
  mode_t dir_mode = 0;
};

struct UserPlan {
  std::optional<common::Identity> become;  // none: stays who it is
  // Asked for by name: what keeps it from being done is an error. Otherwise it is a warning, since
  // a fail-over must not fail for it.
  bool required = false;
  std::string warning;  // why it stays root although there is a user for it
};

// Throws common::Error when genapp.toml asks for what can't be.
UserPlan plan_user(const UserFacts& facts);

}  // namespace genapp::lbhc
