#pragma once

// The LBHC application: restore, remove, quickCheck and recover for one resource.

#include <sys/types.h>

#include "common/application.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "common/log.hpp"
#include "lbhc/config.hpp"

namespace genapp::lbhc {

class HealthCheck : public common::Application {
 public:
  // `run_dir` and `states` outlive it.
  HealthCheck(const common::Directory& run_dir, common::StateStore& states, common::Tag tag,
              common::Id id, Config config, common::log::DaemonLog log, std::string user);

  common::Outcome restore() override;
  common::Outcome remove() override;
  common::Outcome quick_check() override;
  common::Outcome recover() override;
  // DESIGN: it never waits longer than 5 s.
  common::Clock::duration longest_quick_check() const override {
    return std::chrono::milliseconds(4500);
  }

 private:
  common::Outcome already_running();
  bool note_serving(pid_t pid);
  common::Outcome start(bool wait_first_probe, bool only_in_service);

  const common::Directory& run_dir_;
  common::StateStore& states_;
  common::Tag tag_;
  common::Id id_;
  Config config_;
  common::log::DaemonLog log_;
  std::string user_;  // Confinement
};

// remove for a resource whose description can't be read: needs nothing but the id.
common::Outcome remove_by_id(const common::Directory& run_dir, common::StateStore& states,
                             const common::Id& id, common::Clock::duration drain);

}  // namespace genapp::lbhc
