#pragma once

// The states of a resource under the agent, and the one table of what leads from one to another
// (seed 003, "Agent State Change"). Everything that decides is in here and in machine.hpp; both are
// pure. docs/states.md and its picture are printed from the table.

#include <span>
#include <string_view>

namespace genapp::agent {

enum class State {
  detached,  // not enabled: neither watched nor commanded
  opening,   // enabled; its description is read
  probing,   // watched; what it is, is not known yet
  online,
  offline,
  going_online,        // the start command runs, or a clean before it
  going_online_wait,   // the start command has ended; not seen online yet
  going_offline,       // the stop command runs, or a clean
  going_offline_wait,  // the stop command has ended; not seen offline yet
};

// What happened, with what the attributes make of it: machine.hpp turns a monitor's verdict into
// one of these.
enum class Event {
  enable,
  disable,
  command_online,
  command_offline,
  clear,
  opened,
  open_failed,
  seen_online,
  seen_offline,
  seen_nothing,        // the monitor could not tell, or did not end in time
  offline_tolerated,   // seen offline without a command, within ToleranceLimit
  offline_restart,     // beyond it, within RestartLimit
  offline_fault,       // beyond both
  hung_restart,        // FaultOnMonitorTimeouts time-outs in a row, within RestartLimit
  hung_fault,          // beyond it
  online_unwanted,     // seen online on a standby, without a command
  watch_restart,       // a monitor beside has failed, within its own restart count (seed 001)
  watch_fallover,      // beyond it, where its failure action is to fall over
  start_ended,         // the start command, with 0
  start_failed_retry,  // another code or its time-out, within OnlineRetryLimit
  start_failed_fault,  // beyond it
  wait_on,             // not yet as commanded, within OnlineWaitLimit or OfflineWaitLimit
  wait_over_retry,     // OnlineWaitLimit is over, within OnlineRetryLimit
  wait_over_fault,     // OnlineWaitLimit is over, OnlineRetryLimit too
  wait_over_clean,     // OfflineWaitLimit is over: it is cleaned
  wait_over_stuck,     // and that did not help
  stop_ended,          // the stop command, with whatever code: the monitor tells
  stop_timed_out,
  cleaned,
  clean_failed,  // or not ended in time
};

enum class Action {
  none,
  open,
  monitor,  // at once
  start,
  stop,
  clean,
  note_fault,  // faulted from now on
  clear_fault,
  clean_and_note_fault,
  report_not_stopped,  // the stop did not work; it is still online
};

struct Row {
  std::string_view name;
  State from;
  Event event;
  State to;
  Action action;
};

std::span<const Row> rows();
// Nothing when the state does not take the event.
const Row* find_row(State from, Event event);

std::string_view name_of(State state);  // "GoingOnlineWait", as the seed writes it
std::string_view name_of(Event event);  // "start_failed_retry"
std::string_view name_of(Action action);

// One that the resource leaves by itself; each has a time-out (machine.hpp).
bool is_unstable(State state);

}  // namespace genapp::agent
