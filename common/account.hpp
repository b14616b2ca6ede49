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

// The user with whose rights a daemon that root started goes on, where root has made one.
inline constexpr char kDaemonUser[] = "genapp";

// `user`: a name, a number, or UID:GID. Throws Error when there is no such name or the files can't
// be read.
Account find_account(const std::string& user);

// The account with this number, without supplementary groups; without a name when there is none.
// Throws Error when /etc/passwd can't be read.
Account account_of(uid_t user);

// kDaemonUser's; nothing when there is no such user, or no file that could name one.
std::optional<Account> daemon_account();

}  // namespace genapp::common
