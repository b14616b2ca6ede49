#pragma once

// Every path and file name that genapp makes. Nothing here touches the file system.

#include <string>

#include "common/identifier.hpp"

namespace genapp::common::paths {

// $GENAPP_CONFIG_DIR, else /etc/genapp.
std::string config_dir();
// $GENAPP_RUN_DIR, else /run/genapp.
std::string run_dir();

std::string settings_file();                // CONFIG_DIR/genapp.toml
std::string resources_dir();                // CONFIG_DIR/resources.d
std::string resource_file(const Tag& tag);  // CONFIG_DIR/resources.d/TAG.toml

std::string lifekeeper_root();      // $LKROOT, else /opt/LifeKeeper
std::string ins_list();             // LKROOT/bin/ins_list
std::string lifekeeper_defaults();  // $GENAPP_LK_DEFAULTS, else /etc/default/LifeKeeper

// Names inside resources.d.
inline constexpr char kResourceSuffix[] = ".toml";
inline constexpr char kRegistryLock[] = ".lock";
std::string resource_name(const Tag& tag);

// Names inside the run directory.
std::string pid_name(const Id& id);    // ID.pid: pid and start time; its lock is the proof of life
std::string flag_name(const Id& id);   // ID-hc-ng: no probe came for HC_TIMEOUT (the seed's name)
std::string state_name(const Id& id);  // ID.state: the embedded registry's ISP, ISU, OSU or OSF
std::string sock_name(const Id& id);   // ID.sock: the daemon's control socket
std::string app_name(const Id& id);    // ID.app: a supervised command's process, or how it ended
std::string turn_name(const Id& id);   // ID.turn: who runs a restore, remove or recover script
std::string check_name(const Id& id);  // ID.check: who runs a quickCheck script
std::string lock_name(const Id& id);   // ID.lock: held while files above are made or taken away

// A monitor's (monitor/run_files.hpp): RUN_DIR/monitors/ID/pid and sock,
// RUN_DIR/monitors/.locks/ID.
inline constexpr char kMonitors[] = "monitors";
inline constexpr char kMonitorLocks[] = ".locks";
inline constexpr char kMonitorPid[] = "pid";
inline constexpr char kMonitorSock[] = "sock";

// The agent's: RUN_DIR/agent/pid, sock and .lock, agent/resources/TAG (agent/record.hpp) and
// agent/tasks/TAG (agent/run/task_file.hpp).
inline constexpr char kAgent[] = "agent";
inline constexpr char kAgentTasks[] = "tasks";
inline constexpr char kAgentResources[] = "resources";
inline constexpr char kAgentPid[] = "pid";
inline constexpr char kAgentSock[] = "sock";
inline constexpr char kAgentLock[] = ".lock";
// The agent's: RUN_DIR/agent/events, what it told (agent/notice_log.hpp), and what it told before
// that, in events.1.
inline constexpr char kAgentEvents[] = "events";

// The appserver's: RUN_DIR/appserver/pid and .lock, and for each session
// appserver/sessions/ID/: session (what it is, remote/session_file.hpp), pid (its keeper's), sock
// (its keeper's), app (the command's pid and start time), ended.
inline constexpr char kAppserver[] = "appserver";
inline constexpr char kAppserverPid[] = "pid";
inline constexpr char kAppserverLock[] = ".lock";
inline constexpr char kSessions[] = "sessions";
inline constexpr char kSession[] = "session";
inline constexpr char kKeeperPid[] = "pid";
inline constexpr char kKeeperLock[] = ".lock";
inline constexpr char kKeeperSock[] = "sock";
inline constexpr char kSessionApp[] = "app";
inline constexpr char kSessionEnded[] = "ended";

// Settings and keys of the remote pair, in the configuration directory: CONFIG_DIR/appmgr.toml,
// appserver.toml; CONFIG_DIR/tls/appmgr.crt, appmgr.key, appserver.crt, appserver.key, ca.crt; the
// private authority's own key and certificates in CONFIG_DIR/ca.
std::string appmgr_file();
std::string appserver_file();
std::string tls_dir();
std::string authority_dir();

// What a writer fills before it renames it to `name`; a leading dot keeps it out of listings.
std::string temporary_name(const std::string& name);

}  // namespace genapp::common::paths
