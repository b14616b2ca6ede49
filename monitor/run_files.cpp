#include "monitor/run_files.hpp"

#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"

namespace genapp::monitor {
namespace {

namespace paths = common::paths;
using common::Directory;
using common::LockFile;
using common::PidFile;

constexpr unsigned kSharedMode = 0755;
constexpr unsigned kOwnMode = 0700;

void remove_all(const Directory& monitors, const Directory& directory, const MonitorId& id) {
  directory.unlink(paths::kMonitorSock);
  directory.unlink(paths::kMonitorPid);
  monitors.remove_directory(id.text());
}

// An empty folder would be listed as what one that was killed has left.
void remove_if_empty(const Directory& monitors, const MonitorId& id) {
  try {
    monitors.remove_directory(id.text());
  } catch (const common::Error&) {
  }
}

std::optional<Directory> monitors_if_there() {
  const auto run_dir = common::open_run_dir_if_there();
  return run_dir ? run_dir->subdirectory_if_there(paths::kMonitors) : std::nullopt;
}

}  // namespace

Identity::Identity(MonitorId id, Directory monitors, Directory directory, PidFile pid_file)
    : id_(std::move(id)),
      monitors_(std::move(monitors)),
      directory_(std::move(directory)),
      pid_file_(std::move(pid_file)) {}

std::optional<Identity> Identity::take(const MonitorId& id, std::string_view command) {
  Directory monitors = common::make_run_dir().subdirectory(paths::kMonitors, kSharedMode);
  const Directory locks = monitors.subdirectory(paths::kMonitorLocks, kSharedMode);
  auto lock = LockFile::acquire(locks, id.text());
  try {
    Directory directory = monitors.subdirectory(id.text(), kOwnMode);
    auto pid_file = PidFile::take(lock, directory, paths::kMonitorPid, std::string(command));
    if (!pid_file) return std::nullopt;
    return Identity(id, std::move(monitors), std::move(directory), std::move(*pid_file));
  } catch (const common::Error&) {
    remove_if_empty(monitors, id);
    std::move(lock).release_and_unlink();
    throw;
  }
}

// By the path, as others look: our descriptors lead to the files also when they were moved away or
// covered.
bool Identity::in_place() const {
  try {
    const auto monitors = monitors_if_there();
    const auto found = monitors ? monitors->subdirectory_if_there(id_.text()) : std::nullopt;
    return found && pid_file_.in_place(*found, paths::kMonitorPid);
  } catch (const common::Error&) {
    return true;  // any other trouble proves nothing
  }
}

void Identity::release() {
  try {
    const Directory locks = monitors_.subdirectory(paths::kMonitorLocks, kSharedMode);
    auto lock = LockFile::acquire(locks, id_.text());
    remove_all(monitors_, directory_, id_);
    std::move(lock).release_and_unlink();
  } catch (const common::Error&) {
    // The lock is the process's: with its end the id is free, whatever is left.
  }
}

std::optional<Found> find_monitor(const MonitorId& id) {
  const auto monitors = monitors_if_there();
  auto directory = monitors ? monitors->subdirectory_if_there(id.text()) : std::nullopt;
  if (!directory) return std::nullopt;
  auto process = common::find_living(*directory, paths::kMonitorPid);
  return Found{std::move(*directory), std::move(process)};
}

std::vector<MonitorId> known_monitors() {
  std::vector<MonitorId> found;
  const auto monitors = monitors_if_there();
  if (!monitors) return found;
  for (const std::string& name : monitors->names()) {
    if (is_monitor_id(name)) found.emplace_back(name);
  }
  return found;
}

bool remove_files(const MonitorId& id) {
  const auto monitors = monitors_if_there();
  const auto locks =
      monitors ? monitors->subdirectory_if_there(paths::kMonitorLocks) : std::nullopt;
  if (!locks) return true;
  auto lock = LockFile::acquire(*locks, id.text());
  const auto directory = monitors->subdirectory_if_there(id.text());
  if (directory) {
    if (common::is_alive(*directory, paths::kMonitorPid)) return false;
    remove_all(*monitors, *directory, id);
  }
  std::move(lock).release_and_unlink();
  return true;
}

}  // namespace genapp::monitor
