#pragma once

// The LBHC application: restore, remove, quickCheck and recover for one resource.

#include <sys/types.h>

#include "common/application.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "common/log.hpp"
#include "lbhc/config.hpp"
#include "lbhc/health.hpp"

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

  // quick_check() without what on_no_probe makes of it. Renews the lease where `lease` is given (0:
  // none from now on). `standby`: out of service, the port must be closed. Throws common::Error.
  Verdict look(std::optional<common::Clock::duration> lease, bool standby) const;
  // Probes the port as a load balancer would, which does not count as a probe. Throws common::Error
  // saying what is wrong. Blocks for 3 s at most.
  void probe_itself() const;
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
