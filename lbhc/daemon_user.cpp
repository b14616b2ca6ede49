#include "lbhc/daemon_user.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::lbhc {
namespace {

// Makes and removes files there: the flag, ID.lock, ID.pid, the socket.
bool can_change(const UserFacts& facts, const common::Identity& user) {
  const auto& groups = user.groups;
  const bool in_group = facts.dir_group == user.group ||
                        std::find(groups.begin(), groups.end(), facts.dir_group) != groups.end();
  const mode_t needed = facts.dir_owner == user.user ? S_IWUSR | S_IXUSR
                        : in_group                   ? S_IWGRP | S_IXGRP
                                                     : S_IWOTH | S_IXOTH;
  return (facts.dir_mode & needed) == needed;
}

std::string why_not_changed(const UserFacts& facts, const common::Identity& user) {
  const std::string group = std::to_string(user.group);
  return "the run directory " + facts.run_dir + " can't be written by the user " +
         common::quoted(facts.wanted.empty() ? common::kDaemonUser : facts.wanted) + ": chgrp " +
         group + " " + facts.run_dir + " && chmod 0775 " + facts.run_dir;
}

}  // namespace

UserPlan plan_user(const UserFacts& facts) {
  UserPlan plan;
  plan.required = !facts.wanted.empty();
  if (!facts.account || facts.account->identity.user == facts.caller) return plan;
  const common::Identity& user = facts.account->identity;
  if (facts.caller != 0) {
    if (!plan.required) return plan;
    throw common::Error("user is " + common::quoted(facts.wanted) +
                        " in genapp.toml, which only root can become: start as root or as that "
                        "user, or leave the key out");
  }
  if (can_change(facts, user)) {
    plan.become = user;
  } else if (plan.required) {
    throw common::Error(why_not_changed(facts, user) + ", or set user = \"root\"");
  } else {
    plan.warning = "staying root: " + why_not_changed(facts, user);
  }
  return plan;
}

}  // namespace genapp::lbhc
