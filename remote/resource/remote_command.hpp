#pragma once

// The application of type remote: a command that an appserver runs in a guest, by way of appmgr.

#include <functional>
#include <string>

#include "common/application.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "remote/resource/config.hpp"
#include "remote/resource/manager_call.hpp"
#include "script/turn.hpp"

namespace genapp::remote {

class RemoteCommand : public common::Application {
 public:
  // `run_dir` and `states` outlive it. `began`: from when on a quickCheck's time counts.
  RemoteCommand(const common::Directory& run_dir, common::StateStore& states, common::Tag tag,
                common::Id id, RemoteConfig config, common::Clock::time_point began);

  common::Outcome restore() override;
  common::Outcome remove() override;
  common::Outcome quick_check() override;
  common::Outcome recover() override;
  common::Clock::duration longest_quick_check() const override;

 private:
  using Time = common::Clock::time_point;
  using MakeCall = std::vector<std::string> (*)(const RemoteConfig&, std::chrono::seconds);

  // One call of appmgr's, until `end` at most, to which the guest may be silent for `silence`.
  // Throws common::Error when there is no appmgr.
  CallEnd call(MakeCall make, const std::string& run, Time end, std::chrono::seconds silence) const;
  CallEnd call(MakeCall make, const std::string& run, Time end) const;
  // Whether it runs, until `end` at most. A guest that can't be reached is tried again for
  // `timeout`: its appserver may just be started anew.
  CallEnd look(const std::string& run, Time end) const;
  common::Outcome start(const std::string& run, Time end) const;
  common::Outcome start_anew(const std::string& run, Time end) const;
  common::Outcome require_still_running(const std::string& run) const;
  common::Outcome not_started(const std::string& run, const std::string& why) const;
  struct Stopped {
    common::Outcome outcome;
    bool unreachable = false;  // nobody was there to be asked
  };
  Stopped stop(const std::string& run) const;
  common::Outcome stop_for_remove(const std::string& run) const;
  common::Outcome restart(const std::string& run) const;
  void require_in_service() const;

  const common::Directory& run_dir_;
  common::StateStore& states_;
  common::Tag tag_;
  common::Id id_;
  RemoteConfig config_;
  Time began_;
};

// For genapp status. Blocks for `limit` at most, and 1 s more. Throws common::Error when it can't
// be told.
struct GuestLook {
  bool runs = false;
  pid_t pid = 0;  // on the guest; 0: not told
};
GuestLook look_at_guest(const RemoteConfig& config, common::Clock::duration limit);

}  // namespace genapp::remote
