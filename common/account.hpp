#pragma once

// Users of this machine, from /etc/passwd and /etc/group alone: a static glibc program must not
// load name service modules (docs/architecture.md). A user of a directory service is given by
// number.

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/spawn.hpp"

namespace genapp::common {

struct Account {
  Identity identity;
  std::string name;  // empty for a number that no line of /etc/passwd has
  std::string home = "/";
  std::string shell = "/bin/sh";
};

// `user`: a name, or a number. Throws Error when there is no such name or the files can't
// be read.
Account find_account(const std::string& user);

// The account with this number, without supplementary groups; without a name when there is none.
// Throws Error when /etc/passwd can't be read.
Account account_of(uid_t user);

}  // namespace genapp::common
