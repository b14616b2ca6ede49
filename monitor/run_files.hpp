#pragma once

// A monitor's identity on this node: a lock that the kernel holds for the living process, and a
// control socket, in a directory of the id's in the run directory (common/paths.hpp). A directory
// each, since an id may be as long as a file name and a UNIX socket's path holds 107 bytes.
//
//   monitors/ID/pid     common/pid_file.hpp; its word is the command, "httpmon" or "smtpmon"
//   monitors/ID/sock    common/control_server.hpp
//   monitors/.locks/ID  held while these are made or taken away; for moments
//
// Nothing of it has to be cleaned after a SIGKILL: the next start of the id takes it over.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/directory.hpp"
#include "common/pid_file.hpp"
#include "monitor/monitor_id.hpp"

namespace genapp::monitor {

// The identity, held by the calling process until it ends or releases it.
class Identity {
 public:
  // Nothing when a living process has it. Takes over what a dead one left. Makes the run directory
  // where it is missing and its parent is there. Throws common::Error.
  static std::optional<Identity> take(const MonitorId& id, std::string_view command);

  const common::Directory& directory() const { return directory_; }  // for the control socket
  // Whether others can still find it: false when somebody has cleaned the run directory, or
  // moved or covered it.
  bool in_place() const;
  // Takes the files away. Throws nothing: what stays is taken over by the next start.
  void release();

 private:
  Identity(MonitorId id, common::Directory monitors, common::Directory directory,
           common::PidFile pid_file);

  MonitorId id_;
  common::Directory monitors_;
  common::Directory directory_;
  common::PidFile pid_file_;
};

// What there is of an id.
struct Found {
  common::Directory directory;
  std::optional<common::LivingProcess> process;  // nothing: a dead one's files
};

// Nothing when there is nothing of it. Throws common::Error.
std::optional<Found> find_monitor(const MonitorId& id);
// Every id of which there is something, sorted. Throws common::Error.
std::vector<MonitorId> known_monitors();
// Takes a dead one's files away. False when a process lives under the id. Throws common::Error.
bool remove_files(const MonitorId& id);

}  // namespace genapp::monitor
