#include "script/turn.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/family.hpp"
#include "common/log.hpp"
#include "common/paths.hpp"
#include "common/process.hpp"

namespace genapp::script {
namespace {

using common::Clock;
using common::Directory;
using common::Error;
using common::Id;
using common::LockFile;
namespace log = common::log;
namespace paths = common::paths;

// How often somebody who waits looks again.
constexpr auto kPause = std::chrono::milliseconds(20);
// ID.lock is held meanwhile, whose waiters give up after 5 s.
constexpr auto kEndTime = std::chrono::seconds(3);

// With ID.lock held, and nobody holding `name`.
void end_what_was_left(const Directory& run_dir, const std::string& name) {
  const auto left = common::read_pid_record(run_dir, name);
  if (!left) return;
  if (!common::end_carriers(common::run_of(*left), kEndTime)) {
    throw Error("processes that a " + left->word +
                " which was killed has left do not end: see "
                "GENAPP_RUN=" +
                common::run_of(*left) + " in /proc/*/environ");
  }
}

bool gives_way_to_a_remove(const common::LivingProcess& holder) {
  return holder.word == row_of(Action::restore).name || holder.word == row_of(Action::recover).name;
}

class Taker {
 public:
  Taker(const Directory& run_dir, const Id& id, Action action, Clock::time_point deadline)
      : run_dir_(run_dir),
        id_(id),
        action_(action),
        deadline_(deadline),
        name_(action == Action::quick_check ? paths::check_name(id) : paths::turn_name(id)) {}

  const std::string& name() const { return name_; }

  common::PidFile take() {
    for (;;) {
      if (auto file = try_take()) return std::move(*file);
      wait_for_holder();
    }
  }

 private:
  std::optional<common::PidFile> try_take() const {
    const auto lock = LockFile::acquire(run_dir_, paths::lock_name(id_));
    if (common::is_alive(run_dir_, name_)) return std::nullopt;
    end_what_was_left(run_dir_, name_);
    const std::string check = paths::check_name(id_);
    if (action_ != Action::quick_check && !common::is_alive(run_dir_, check)) {
      end_what_was_left(run_dir_, check);
    }
    // A full run directory must keep nobody from stopping an application or looking at it.
    const bool starts = action_ == Action::restore || action_ == Action::recover;
    using Record = common::PidFile::Record;
    return common::PidFile::take(lock, run_dir_, name_, std::string(row_of(action_).name),
                                 starts ? Record::needed : Record::wanted);
  }

  void wait_for_holder() {
    const auto holder = common::find_living(run_dir_, name_);
    if (!holder) return;
    const bool cut_in = action_ == Action::remove && gives_way_to_a_remove(*holder);
    if (cut_in && told_ != holder->pid) {
      log::info("ending the " + holder->word + " that is at work (process " +
                std::to_string(holder->pid) + ")");
      common::send_signal(holder->pidfd, SIGTERM);
      told_ = holder->pid;
    }
    const auto left = std::max(deadline_ - Clock::now(), Clock::duration::zero());
    if (common::wait_for_end(holder->pidfd, std::min<Clock::duration>(kPause, left))) return;
    if (Clock::now() < deadline_) return;
    if (!cut_in) {
      throw Error("a " + holder->word + " of the id \"" + id_.text() +
                  "\" is still at work (process " + std::to_string(holder->pid) + ")");
    }
    common::send_signal(holder->pidfd, SIGKILL);
    common::wait_for_end(holder->pidfd, kEndTime);
  }

  const Directory& run_dir_;
  const Id& id_;
  const Action action_;
  const Clock::time_point deadline_;
  const std::string name_;
  pid_t told_ = 0;
};

}  // namespace

Turn Turn::take(const Directory& run_dir, const Id& id, Action action, Clock::time_point deadline) {
  Taker taker(run_dir, id, action, deadline);
  std::string run = common::own_run();
  auto file = taker.take();
  return Turn(run_dir, id, taker.name(), std::move(file), std::move(run));
}

void Turn::give_back(const std::function<void()>& note) && {
  const auto lock = LockFile::acquire(run_dir_, paths::lock_name(id_));
  std::move(file_).release();
  note();
}

void Turn::give_back_for_good(const std::function<void()>& note) && {
  auto lock = LockFile::acquire(run_dir_, paths::lock_name(id_));
  std::move(file_).release();
  note();
  // Of a restore that was killed while it wrote its state.
  run_dir_.unlink(paths::temporary_name(paths::state_name(id_)));
  run_dir_.unlink(name_);
  // A quickCheck that runs just now needs the mutex of its file.
  if (common::is_alive(run_dir_, paths::check_name(id_))) return;
  run_dir_.unlink(paths::check_name(id_));
  std::move(lock).release_and_unlink();
}

bool remove_is_at_work(const Directory& run_dir, const Id& id) {
  const auto record = common::read_pid_record(run_dir, paths::turn_name(id));
  return record && record->word == row_of(Action::remove).name &&
         common::is_alive(run_dir, paths::turn_name(id));
}

bool has_trace(const Directory& run_dir, const Id& id) {
  return run_dir.exists(paths::turn_name(id));
}

}  // namespace genapp::script
