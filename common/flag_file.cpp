#include "common/flag_file.hpp"

#include <errno.h>
#include <fcntl.h>

#include "common/error.hpp"
#include "common/fd.hpp"
#include "common/paths.hpp"

namespace genapp::common {

void raise_flag(const Directory& run_dir, const Id& id, std::string_view line) {
  const std::string name = paths::flag_name(id);
  try {
    // Not synced: a crash of the machine ends the daemon too, and a missing daemon is found as
    // such.
    run_dir.write(name, line, Directory::Durability::visible, Directory::Existing::replace, 0644);
  } catch (const Error&) {
    const Fd empty(::openat(run_dir.fd(), name.c_str(),
                            O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
    if (!empty) throw system_error("making the flag " + run_dir.full(name), errno);
  }
}

bool clear_flag(const Directory& run_dir, const Id& id) {
  return run_dir.unlink(paths::flag_name(id));
}

bool flag_is_up(const Directory& run_dir, const Id& id) {
  return run_dir.exists(paths::flag_name(id));
}

}  // namespace genapp::common
