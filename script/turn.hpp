#pragma once

// Who may run a script of an id. Restores, removes and recovers run one at a time (ID.turn), and
// quickChecks do (ID.check), so that a stop that is still running can never hit the next start. The
// file's kernel lock is the right; it goes with its holder, and the file then still says whose it
// was. Whoever is next first ends what a holder that was killed has left running.

#include <functional>
#include <string>

#include "common/clock.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "common/lock_file.hpp"
#include "common/pid_file.hpp"
#include "script/action.hpp"

namespace genapp::script {

class Turn {
 public:
  // Waits for the others until `deadline`. A remove does not wait for a restore or recover: it has
  // it end its script (TERM to that runner, KILL at the deadline). Throws common::Error when it
  // does not become its turn, or when what a killed runner left can't be ended.
  static Turn take(const common::Directory& run_dir, const common::Id& id, Action action,
                   common::Clock::time_point deadline);

  // The name of this run; the script's processes carry it (GENAPP_RUN).
  const std::string& run() const { return run_; }

  // The script has ended: with ID.lock held, says so in the file and calls `note`, which may write
  // the state. Throws what `note` throws, and common::Error.
  void give_back(const std::function<void()>& note) &&;
  // The same after a remove that succeeded: takes the file and ID.lock away too.
  void give_back_for_good(const std::function<void()>& note) &&;

 private:
  Turn(const common::Directory& run_dir, const common::Id& id, std::string name,
       common::PidFile file, std::string run)
      : run_dir_(run_dir),
        id_(id),
        name_(std::move(name)),
        file_(std::move(file)),
        run_(std::move(run)) {}

  const common::Directory& run_dir_;
  const common::Id& id_;
  std::string name_;
  common::PidFile file_;
  std::string run_;
};

// Whether a remove is at work on the id. Throws common::Error.
bool remove_is_at_work(const common::Directory& run_dir, const common::Id& id);

// Whether a script of the id has run and no remove has succeeded since: so it is a script resource
// that is to be taken out, whatever its description now says.
bool has_trace(const common::Directory& run_dir, const common::Id& id);

}  // namespace genapp::script
