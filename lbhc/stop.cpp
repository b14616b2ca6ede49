#include "lbhc/stop.hpp"

#include <signal.h>

#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/log.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "lbhc/control.hpp"

namespace genapp::lbhc {
namespace {

namespace log = common::log;
namespace paths = common::paths;
using common::Clock;
using common::Error;

constexpr auto kTermTime = std::chrono::seconds(5);  // also what a drain may overrun
constexpr auto kKillTime = std::chrono::seconds(5);
constexpr auto kControlTime = std::chrono::seconds(1);

// True when the drain ended the daemon.
bool drain_first(const common::Directory& run_dir, const common::Id& id, Clock::duration drain,
                 const common::LivingProcess& daemon) {
  try {
    ask_drain(run_dir, id, drain, kControlTime);
  } catch (const Error& problem) {
    log::warn(std::string("no drain: ") + problem.what());
    return false;
  }
  log::info("draining for " + common::seconds_text(drain) + " s");
  return common::wait_for_end(daemon.pidfd, drain + kTermTime);
}

}  // namespace

bool stop_daemon(const common::Directory& run_dir, const common::Id& id, Clock::duration drain) {
  const auto daemon = common::find_living(run_dir, id);
  if (!daemon) return false;
  if (drain > Clock::duration::zero() && drain_first(run_dir, id, drain, *daemon)) return true;
  common::send_signal(daemon->pidfd, SIGTERM);
  if (common::wait_for_end(daemon->pidfd, kTermTime)) return true;
  log::warn("the daemon (pid " + std::to_string(daemon->pid) + ") did not follow TERM: KILL");
  common::send_signal(daemon->pidfd, SIGKILL);
  if (common::wait_for_end(daemon->pidfd, kKillTime)) return true;
  throw Error("the daemon (pid " + std::to_string(daemon->pid) +
              ") does not even end on KILL: the kernel holds it (state D in ps)");
}

bool clean_up_if_dead(const common::Directory& run_dir, const common::Id& id,
                      const std::function<void()>& when_clean) {
  const std::string lock_name = paths::lock_name(id);
  auto lock = common::LockFile::acquire_if_there(run_dir, lock_name);
  if (!lock) {
    // Nothing was ever started, so on a full or read-only file system there is nothing to write.
    if (!has_trace(run_dir, id)) return true;
    lock = common::LockFile::acquire(run_dir, lock_name);
  }
  if (common::is_alive(run_dir, id)) return false;
  for (const std::string& name :
       {paths::flag_name(id), paths::sock_name(id), paths::pid_name(id)}) {
    run_dir.unlink(name);
  }
  // What a writer that was killed had not renamed yet.
  for (const std::string& name : {paths::flag_name(id), paths::state_name(id)}) {
    run_dir.unlink(paths::temporary_name(name));
  }
  when_clean();
  std::move(*lock).release_and_unlink();
  return true;
}

void record_failed_start(const common::Directory& run_dir, const common::Id& id,
                         common::StateStore& states) {
  try {
    auto lock = common::LockFile::acquire(run_dir, paths::lock_name(id));
    if (common::is_alive(run_dir, id)) return;
    states.write(common::State::out_failed);
    std::move(lock).release_and_unlink();
  } catch (const Error& problem) {
    log::warn(std::string("recording the state OSF: ") + problem.what());
  }
}

bool has_trace(const common::Directory& run_dir, const common::Id& id) {
  return run_dir.exists(paths::pid_name(id)) || run_dir.exists(paths::flag_name(id)) ||
         run_dir.exists(paths::sock_name(id)) || run_dir.exists(paths::state_name(id));
}

}  // namespace genapp::lbhc
