#include "agent/run/run_files.hpp"

#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"

namespace genapp::agent {
namespace {

namespace paths = common::paths;
using common::Directory;
using common::Error;
using common::LockFile;
using common::PidFile;

// Only root talks to the agent.
constexpr unsigned kAgentMode = 0700;

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

}  // namespace

AgentIdentity::AgentIdentity(Directory directory, PidFile pid_file)
    : directory_(std::move(directory)), pid_file_(std::move(pid_file)) {}

AgentIdentity AgentIdentity::take() {
  Directory directory = common::make_run_dir().subdirectory(paths::kAgent, kAgentMode);
  const auto lock = LockFile::acquire(directory, paths::kAgentLock);
  auto pid_file = PidFile::take(lock, directory, paths::kAgentPid, "agent");
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
