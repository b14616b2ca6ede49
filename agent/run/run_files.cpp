#include "agent/run/run_files.hpp"

#include <poll.h>

#include <optional>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "common/process.hpp"

namespace genapp::agent {
namespace {

namespace paths = common::paths;
using common::Directory;
using common::Error;
using common::LockFile;
using common::PidFile;

// Only root talks to the agent.
constexpr unsigned kAgentMode = 0700;
constexpr auto kForkedChild = std::chrono::seconds(2);
constexpr int kPauseMilliseconds = 10;

Error runs_already(const Directory& directory) {
  std::string process;
  try {
    const auto living = common::find_living(directory, paths::kAgentPid);
    if (living) process = ", process " + std::to_string(living->pid);
  } catch (const Error&) {
    // In another pid namespace, perhaps; that it lives is sure.
  }
  return Error("an agent runs already" + process + ": it holds " +
               directory.full(paths::kAgentPid) + "; end that one first");
}

bool is_named_alive(const Directory& directory) {
  const auto record = common::read_pid_record(directory, paths::kAgentPid);
  return record && common::runs(record->pid, record->start_ticks);
}

// A child that a killed agent had forked, and that has not become its program yet, still has the
// lock for a moment, of an agent that is dead.
std::optional<PidFile> take_pid_file(const LockFile& lock, const Directory& directory) {
  const auto until = common::Clock::now() + kForkedChild;
  for (;;) {
    auto pid_file = PidFile::take(lock, directory, paths::kAgentPid, "agent");
    if (pid_file || is_named_alive(directory) || common::Clock::now() > until) return pid_file;
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
}

}  // namespace

AgentIdentity::AgentIdentity(Directory directory, PidFile pid_file)
    : directory_(std::move(directory)), pid_file_(std::move(pid_file)) {}

AgentIdentity AgentIdentity::take() {
  Directory directory = common::make_run_dir().subdirectory(paths::kAgent, kAgentMode);
  const auto lock = LockFile::acquire(directory, paths::kAgentLock);
  auto pid_file = take_pid_file(lock, directory);
  if (!pid_file) throw runs_already(directory);
  return {std::move(directory), std::move(*pid_file)};
}

// By the path, as others look: our descriptors lead to the files also when they were moved away or
// covered.
bool AgentIdentity::in_place() const {
  try {
    const auto run_dir = common::open_run_dir_if_there();
    const auto found = run_dir ? run_dir->subdirectory_if_there(paths::kAgent) : std::nullopt;
    return found && pid_file_.in_place(*found, paths::kAgentPid);
  } catch (const Error&) {
    return true;  // any other trouble proves nothing
  }
}

void AgentIdentity::release() {
  try {
    const auto lock = LockFile::acquire(directory_, paths::kAgentLock);
    directory_.unlink(paths::kAgentSock);
    directory_.unlink(paths::kAgentPid);
  } catch (const Error&) {
    // The lock is the process's: with its end another can begin, whatever is left.
  }
}

}  // namespace genapp::agent
