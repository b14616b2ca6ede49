#include "monitor/control.hpp"

#include <signal.h>
#include <stdio.h>

#include "common/control_client.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/process.hpp"
#include "monitor/report.hpp"
#include "monitor/run_files.hpp"
#include "monitor/status.hpp"

namespace genapp::monitor {
namespace {

using common::Clock;
using common::Error;
using common::ExitCode;

constexpr auto kAnswerTime = std::chrono::seconds(2);
constexpr auto kKillTime = std::chrono::seconds(5);
// From its socket's end to its own.
constexpr auto kEndTime = std::chrono::milliseconds(200);

ExitCode print(const std::string& text) {
  const bool written =
      ::fwrite(text.data(), 1, text.size(), stdout) == text.size() && ::fflush(stdout) == 0;
  if (!written) throw Error("writing to standard output failed");
  return ExitCode::ok;
}

std::string named(const MonitorId& id) { return "the monitor " + common::quoted(id.text(), 260); }

std::string process(const common::LivingProcess& process) {
  return "process " + std::to_string(process.pid);
}

Found living(const MonitorId& id) {
  auto found = find_monitor(id);
  if (!found) throw Error(named(id) + " does not run");
  if (!found->process) {
    throw Error(named(id) +
                " does not run: it was killed, and what it left is taken over by the "
                "next start, or removed by --del");
  }
  return std::move(*found);
}

// Ids are unique over both commands; but who says httpmon means an httpmon.
void require_own(Protocol protocol, const MonitorId& id, const common::LivingProcess& process) {
  if (process.word.empty() || process.word == command_name(protocol)) return;
  throw Error(named(id) + " is one of " + process.word + ": use that command");
}

Status ask(const MonitorId& id, const Found& found, const std::string& request) {
  std::string answer;
  try {
    answer =
        common::ask_control(found.directory, common::paths::kMonitorSock, request, kAnswerTime);
  } catch (const Error& problem) {
    // An end while it was asked is none of the socket's troubles.
    if (common::wait_for_end(found.process->pidfd, kEndTime)) {
      throw Error(named(id) + " has just ended");
    }
    throw Error(named(id) + " (" + process(*found.process) + "): " + problem.what());
  }
  const auto status = parse_status(answer);
  if (!status || status->id != id.text()) {
    throw Error(named(id) + " (" + process(*found.process) + ") answered " +
                common::quoted(answer) + ", which is no status");
  }
  return *status;
}

ExitCode tell(Protocol protocol, const MonitorId& id, const std::string& request) {
  const Found found = living(id);
  require_own(protocol, id, *found.process);
  ask(id, found, request + "\n");
  return ExitCode::ok;
}

// What can be told of one that does not tell it itself.
Status unknown(const MonitorId& id) {
  Status status;
  status.id = id.text();
  status.state = "unknown";
  status.command = "-";
  return status;
}

Status silent(const MonitorId& id, const Found& found) {
  Status status = unknown(id);
  status.state = found.process ? "hung" : "dead";
  if (!found.process) return status;
  status.pid = found.process->pid;
  if (!found.process->word.empty()) status.command = found.process->word;
  return status;
}

std::optional<Status> listed(const MonitorId& id) {
  std::optional<Found> found;
  try {
    found = find_monitor(id);
  } catch (const Error&) {
    // Another user's, perhaps; the rest is still to be listed.
    return unknown(id);
  }
  if (!found) return std::nullopt;
  if (!found->process) return silent(id, *found);
  try {
    return ask(id, *found, "status\n");
  } catch (const Error&) {
    // It may have ended just now, which is not hanging.
    const auto again = find_monitor(id);
    return again ? std::optional(silent(id, *again)) : std::nullopt;
  }
}

void end_by_force(Protocol protocol, const MonitorId& id, const common::LivingProcess& process,
                  Clock::duration wait) {
  Reporter(protocol, id.text(), false)
      .tell({Event::not_stopped,
             "process " + std::to_string(process.pid) + " has not ended within " +
                 common::seconds_text(wait) + " s: it is killed",
             0, false, ""});
  common::send_signal(process.pidfd, SIGKILL);
  if (!common::wait_for_end(process.pidfd, kKillTime)) {
    throw Error(named(id) + " (process " + std::to_string(process.pid) +
                ") does not end though it was killed: look at it with ps");
  }
}

}  // namespace

ExitCode stop_monitor(Protocol protocol, const MonitorId& id, Clock::duration wait) {
  const auto found = find_monitor(id);
  if (found && found->process) {
    require_own(protocol, id, *found->process);
    common::send_signal(found->process->pidfd, SIGTERM);
    if (!common::wait_for_end(found->process->pidfd, wait)) {
      end_by_force(protocol, id, *found->process, wait);
    }
  }
  // What a killed one left; if another has just started under the id, that is its own affair.
  try {
    remove_files(id);
  } catch (const Error&) {
    // A run directory that can't be written, perhaps. The monitor is gone, and that was asked for.
  }
  return ExitCode::ok;
}

ExitCode pause_monitor(Protocol protocol, const MonitorId& id) {
  return tell(protocol, id, "pause");
}

ExitCode resume_monitor(Protocol protocol, const MonitorId& id) {
  return tell(protocol, id, "resume");
}

ExitCode display_monitor(const MonitorId& id, bool json) {
  const Status status = ask(id, living(id), "status\n");
  return print(json ? format_status(status) : disp_text(status));
}

ExitCode delete_monitor(const MonitorId& id) {
  if (!remove_files(id)) {
    throw Error(named(id) + " runs: end it with --stop first");
  }
  return ExitCode::ok;
}

ExitCode list_monitors(bool json) {
  std::vector<Status> monitors;
  for (const MonitorId& id : known_monitors()) {
    if (auto status = listed(id)) monitors.push_back(std::move(*status));
  }
  return print(json ? list_json(monitors) : list_text(monitors));
}

}  // namespace genapp::monitor
