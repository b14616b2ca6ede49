#pragma once

// The application of type script: the user's own commands for the four actions.

#include <functional>

#include "common/application.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "common/log.hpp"
#include "script/config.hpp"
#include "script/environment.hpp"
#include "script/result.hpp"
#include "script/turn.hpp"

namespace genapp::script {

class ScriptSet : public common::Application {
 public:
  // `run_dir` and `states` outlive it.
  // `log`: where a supervisor logs. `began`: from when on a quickCheck's time counts; to have asked
  // the cluster what the resource is may have taken a part of it.
  ScriptSet(const common::Directory& run_dir, common::StateStore& states, common::Tag tag,
            common::Id id, std::string info, Config config, common::log::DaemonLog log,
            common::Clock::time_point began);

  common::Outcome restore() override;
  common::Outcome remove() override;
  common::Outcome quick_check() override;
  common::Outcome recover() override;
  common::Clock::duration longest_quick_check() const override;

 private:
  struct Ran {
    Result result;
    common::Outcome outcome;
  };

  bool has(Action action) const { return !config_.command(action).argv.empty(); }
  bool is_supervised() const { return config_.start == Start::async; }
  common::Clock::time_point deadline(Action action) const;
  Surroundings surroundings(Action action, const std::string& run) const;
  Ran run(Action action, const Turn& turn, common::Clock::duration timeout) const;
  Ran run(Action action, const Turn& turn) const;
  // Without a script for it, success.
  Ran run_if_there(Action action, const Turn& turn) const;
  void start_command(const std::function<void()>& take_note) const;
  common::Outcome restore_supervised(Turn turn);
  void require_in_service() const;
  common::Outcome restart(const Turn& turn);

  const common::Directory& run_dir_;
  common::StateStore& states_;
  common::Tag tag_;
  common::Id id_;
  std::string info_;
  Config config_;
  common::log::DaemonLog log_;
  common::Clock::time_point began_;
};

}  // namespace genapp::script
