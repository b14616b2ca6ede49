#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.hpp"
#include "lbhc/kernel_limits.hpp"

namespace genapp::lbhc {

#ifdef GENAPP_SANITIZED

bool limit_files(const common::Directory&, const std::string&) { return false; }

#else

namespace {

// landlock(7). Debian 12's header knows the second version; the kernel tells its own.
struct Ruleset {
  uint64_t files;
  uint64_t network;
  uint64_t scopes;
};
constexpr uint64_t kTruncate = 1u << 14;     // LANDLOCK_ACCESS_FS_TRUNCATE, version 3
constexpr uint64_t kDeviceIoctl = 1u << 15;  // LANDLOCK_ACCESS_FS_IOCTL_DEV, version 5
constexpr uint64_t kTcp = 3;                 // LANDLOCK_ACCESS_NET_BIND_TCP, CONNECT_TCP, version 4
constexpr uint64_t kSignals = 1u << 1;       // LANDLOCK_SCOPE_SIGNAL, version 6

constexpr uint64_t kVersionOne = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

// Empty members must not be passed to a kernel that does not know them.
struct Known {
  Ruleset all;
  std::size_t size;
};
Known known_to(long version) {
  Known known{{kVersionOne, 0, 0}, sizeof(uint64_t)};
  if (version >= 2) known.all.files |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) known.all.files |= kTruncate;
  if (version >= 4) known = {{known.all.files, kTcp, 0}, 2 * sizeof(uint64_t)};
  if (version >= 5) known.all.files |= kDeviceIoctl;
  if (version >= 6) known = {{known.all.files, kTcp, kSignals}, 3 * sizeof(uint64_t)};
  return known;
}

bool allow(const common::Fd& ruleset, int folder, uint64_t what) {
  const landlock_path_beneath_attr rule{what, folder};
  return ::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

}  // namespace

bool limit_files(const common::Directory& run_dir, const std::string& log_folder) {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return false;
  const Known known = known_to(version);
  const common::Fd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &known.all, known.size, 0)));
  if (!ruleset) return false;
  const uint64_t write =
      (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | kTruncate) & known.all.files;
  if (!allow(ruleset, run_dir.fd(),
             write | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                 LANDLOCK_ACCESS_FS_REMOVE_FILE)) {
    return false;
  }
  if (!log_folder.empty()) {
    const common::Fd folder(::open(log_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder || !allow(ruleset, folder.get(), write)) return false;
  }
  return ::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0;
}

#endif

}  // namespace genapp::lbhc
