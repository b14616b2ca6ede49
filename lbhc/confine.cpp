#include "lbhc/confine.hpp"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>

#include "common/error.hpp"
#include "common/fd.hpp"
#include "common/log.hpp"
#include "lbhc/daemon_user.hpp"
#include "lbhc/kernel_limits.hpp"

namespace genapp::lbhc {
namespace {

namespace log = common::log;
using common::Error;

UserFacts facts_for(const Confinement& wanted, const common::Directory& run_dir) {
  struct stat info {};
  if (::fstat(run_dir.fd(), &info) != 0) {
    throw common::system_error("run directory " + run_dir.path(), errno);
  }
  UserFacts facts{.caller = ::geteuid(),
                  .wanted = wanted.user,
                  .account = std::nullopt,
                  .run_dir = run_dir.path(),
                  .dir_owner = info.st_uid,
                  .dir_group = info.st_gid,
                  .dir_mode = info.st_mode};
  if (!wanted.user.empty()) {
    facts.account = common::find_account(wanted.user);
  } else if (facts.caller == 0) {
    facts.account = common::daemon_account();
  }
  return facts;
}

// After logrotate the log is opened anew by its name, so it must be the user's. Only what we may
// have made ourselves is given away.
void give_log(const std::string& path, uid_t user) {
  if (path.empty()) return;
  const common::Fd file(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return;
  const bool ours =
      S_ISREG(info.st_mode) && info.st_nlink == 1 && info.st_uid == 0 && info.st_gid == 0;
  if (ours && ::fchown(file.get(), user, static_cast<gid_t>(-1)) != 0) {
    log::warn("giving the log file " + path + " to user " + std::to_string(user) + ": " +
              common::errno_text(errno));
  }
}

// None can come back, whatever is executed. Not allowed to everybody, and nothing is lost by that.
void drop_bounding_set() {
  for (unsigned long cap = 0; ::prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; ++cap) {
  }
}

void drop_capabilities() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) {
    throw common::system_error("giving up capabilities", errno);
  }
}

// False, with errno, when it can't be done; then everything is as it was.
bool change_user(const common::Identity& user, const common::PidFile& pid_file) {
  std::array<gid_t, 1024> before{};
  const int count = ::getgroups(static_cast<int>(before.size()), before.data());
  const gid_t group = ::getegid();
  if (count < 0 || ::setgroups(user.groups.size(), user.groups.data()) != 0) return false;
  if (::setresgid(user.group, user.group, user.group) == 0) {
    // remove believes the file only of its owner's process (common/lock_holder.hpp).
    if (pid_file.give_to(user.user)) {
      if (::setresuid(user.user, user.user, user.user) == 0) return true;
      const int error = errno;
      static_cast<void>(pid_file.give_to(0));
      errno = error;
    }
  }
  const int error = errno;
  static_cast<void>(::setresgid(group, group, group));
  static_cast<void>(::setgroups(static_cast<std::size_t>(count), before.data()));
  errno = error;
  return false;
}

// Root's part: true when it is root no more.
bool leave_root(const UserPlan& plan, const common::PidFile& pid_file) {
  if (!plan.warning.empty()) log::warn(plan.warning);
  if (!plan.become) return false;
  if (change_user(*plan.become, pid_file)) return true;
  const std::string what = "becoming user " + std::to_string(plan.become->user);
  if (plan.required) throw common::system_error(what, errno);
  log::warn("staying root: " + what + ": " + common::errno_text(errno));
  return false;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

}  // namespace

std::string confine(const Confinement& wanted, const common::Directory& run_dir,
                    const common::PidFile& pid_file) {
  const UserFacts facts = facts_for(wanted, run_dir);
  const UserPlan plan = plan_user(facts);
  // syslog(3) reads the time zone at its first line, when that file can't be opened any more.
  ::tzset();
  if (plan.become) {
    give_log(wanted.log_file, plan.become->user);
    drop_bounding_set();
  }
  const bool changed = leave_root(plan, pid_file);
  if (::geteuid() != 0) drop_capabilities();
  std::string in_force = "user ";
  if (changed && !facts.account->name.empty()) {
    in_force += facts.account->name;
  } else {
    in_force += ::geteuid() == 0 ? "root" : std::to_string(::geteuid());
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return in_force;
  const bool files = limit_files(run_dir, folder_of(wanted.log_file));
  if (limit_system_calls()) in_force += ", seccomp";
  if (files) in_force += ", landlock";
  return in_force;
}

}  // namespace genapp::lbhc
