#include "agent/states.hpp"

#include <algorithm>
#include <array>

namespace genapp::agent {
namespace {

using enum State;
using A = Action;
using E = Event;

// Sorted by state, in the order of its enumeration.
constexpr std::array kRows{
    Row{"enabled", detached, E::enable, opening, A::open},
    Row{"cleared while detached", detached, E::clear, detached, A::clear_fault},

    Row{"opened", opening, E::opened, probing, A::monitor},
    Row{"not opened", opening, E::open_failed, detached, A::note_fault},

    Row{"found online", probing, E::seen_online, online, A::none},
    Row{"found offline", probing, E::seen_offline, offline, A::none},
    Row{"not found out yet", probing, E::seen_nothing, probing, A::none},
    Row{"found online on a standby", probing, E::online_unwanted, going_offline, A::stop},
    Row{"disabled while probing", probing, E::disable, detached, A::none},

    Row{"goes on", online, E::seen_online, online, A::none},
    Row{"cannot be told", online, E::seen_nothing, online, A::none},
    Row{"offline, as it is to be", online, E::seen_offline, offline, A::none},
    Row{"offline, tolerated", online, E::offline_tolerated, online, A::none},
    Row{"offline, restarted", online, E::offline_restart, going_online, A::clean},
    Row{"offline, faulted", online, E::offline_fault, offline, A::note_fault},
    Row{"hung, restarted", online, E::hung_restart, going_online, A::clean},
    Row{"hung, faulted", online, E::hung_fault, going_offline, A::clean_and_note_fault},
    Row{"a monitor failed, restarted", online, E::watch_restart, going_online, A::clean},
    Row{"a monitor failed, faulted", online, E::watch_fallover, going_offline,
        A::clean_and_note_fault},
    Row{"online on a standby", online, E::online_unwanted, going_offline, A::stop},
    Row{"told to go offline", online, E::command_offline, going_offline, A::stop},
    Row{"is online already", online, E::command_online, online, A::none},
    Row{"cleared while online", online, E::clear, online, A::clear_fault},
    Row{"disabled while online", online, E::disable, detached, A::none},

    Row{"stays offline", offline, E::seen_offline, offline, A::none},
    Row{"cannot be told, offline", offline, E::seen_nothing, offline, A::none},
    Row{"came online by itself", offline, E::seen_online, online, A::none},
    Row{"came online on a standby", offline, E::online_unwanted, going_offline, A::stop},
    Row{"told to go online", offline, E::command_online, going_online, A::start},
    Row{"is offline already", offline, E::command_offline, offline, A::none},
    Row{"cleared", offline, E::clear, offline, A::clear_fault},
    Row{"disabled while offline", offline, E::disable, detached, A::none},

    Row{"cleaned, to be started", going_online, E::cleaned, going_online, A::start},
    Row{"not cleaned, not started", going_online, E::clean_failed, probing, A::note_fault},
    Row{"started", going_online, E::start_ended, going_online_wait, A::monitor},
    Row{"start failed, tried again", going_online, E::start_failed_retry, going_online, A::clean},
    Row{"start failed", going_online, E::start_failed_fault, going_offline,
        A::clean_and_note_fault},

    Row{"came online", going_online_wait, E::seen_online, online, A::none},
    Row{"not online yet", going_online_wait, E::wait_on, going_online_wait, A::none},
    Row{"never came online, tried again", going_online_wait, E::wait_over_retry, going_online,
        A::clean},
    Row{"never came online", going_online_wait, E::wait_over_fault, going_offline,
        A::clean_and_note_fault},

    Row{"stopped", going_offline, E::stop_ended, going_offline_wait, A::monitor},
    Row{"stop cancelled", going_offline, E::stop_timed_out, online, A::report_not_stopped},
    Row{"cleaned", going_offline, E::cleaned, going_offline_wait, A::monitor},
    Row{"not cleaned", going_offline, E::clean_failed, going_offline_wait, A::monitor},

    Row{"went offline", going_offline_wait, E::seen_offline, offline, A::none},
    Row{"not offline yet", going_offline_wait, E::wait_on, going_offline_wait, A::none},
    Row{"never went offline, cleaned", going_offline_wait, E::wait_over_clean, going_offline,
        A::clean},
    Row{"never went offline", going_offline_wait, E::wait_over_stuck, probing,
        A::report_not_stopped},
};

constexpr std::array kStateNames{"Detached",        "Opening",      "Probing",
                                 "Online",          "Offline",      "GoingOnline",
                                 "GoingOnlineWait", "GoingOffline", "GoingOfflineWait"};

constexpr std::array kEventNames{"enable",
                                 "disable",
                                 "command_online",
                                 "command_offline",
                                 "clear",
                                 "opened",
                                 "open_failed",
                                 "seen_online",
                                 "seen_offline",
                                 "seen_nothing",
                                 "offline_tolerated",
                                 "offline_restart",
                                 "offline_fault",
                                 "hung_restart",
                                 "hung_fault",
                                 "online_unwanted",
                                 "watch_restart",
                                 "watch_fallover",
                                 "start_ended",
                                 "start_failed_retry",
                                 "start_failed_fault",
                                 "wait_on",
                                 "wait_over_retry",
                                 "wait_over_fault",
                                 "wait_over_clean",
                                 "wait_over_stuck",
                                 "stop_ended",
                                 "stop_timed_out",
                                 "cleaned",
                                 "clean_failed"};

constexpr std::array kActionNames{"-",
                                  "open",
                                  "monitor",
                                  "start",
                                  "stop",
                                  "clean",
                                  "note fault",
                                  "clear fault",
                                  "clean, note fault",
                                  "report: not stopped"};

constexpr auto kStates = kStateNames.size();
constexpr auto kEvents = kEventNames.size();
static_assert(kEvents == static_cast<std::size_t>(E::clean_failed) + 1);
static_assert(kStates == static_cast<std::size_t>(going_offline_wait) + 1);
static_assert(kActionNames.size() == static_cast<std::size_t>(A::report_not_stopped) + 1);

constexpr std::size_t at(State state) { return static_cast<std::size_t>(state); }
constexpr std::size_t at(Event event) { return static_cast<std::size_t>(event); }

constexpr bool no_row_twice() {
  for (const Row& one : kRows) {
    for (const Row& other : kRows) {
      const bool same = one.from == other.from && one.event == other.event;
      if (&one != &other && (same || one.name == other.name)) return false;
    }
  }
  return true;
}
static_assert(no_row_twice(), "a state and an event have one row, and a row has its own name");

constexpr bool every_state_is_reached() {
  std::array<bool, kStates> reached{};
  reached[at(detached)] = true;
  for (std::size_t round = 0; round < kStates; ++round) {
    for (const Row& row : kRows) {
      if (reached[at(row.from)]) reached[at(row.to)] = true;
    }
  }
  return std::ranges::all_of(reached, [](bool yes) { return yes; });
}
static_assert(every_state_is_reached(), "every state can be reached");

constexpr bool every_event_is_taken() {
  std::array<bool, kEvents> taken{};
  for (const Row& row : kRows) taken[at(row.event)] = true;
  return std::ranges::all_of(taken, [](bool yes) { return yes; });
}
static_assert(every_event_is_taken(), "every event is taken somewhere");

// Offline is believed after a monitor has said so, and never otherwise.
constexpr bool offline_is_seen() {
  return std::ranges::all_of(kRows, [](const Row& row) {
    return row.to != offline || row.from == offline || row.event == E::seen_offline ||
           row.event == E::offline_fault;
  });
}
static_assert(offline_is_seen(), "a resource that is believed offline was seen offline");

constexpr bool unstable(State state) {
  return state != detached && state != online && state != offline;
}

// What ends a wait that nothing else ends: the time-out of what runs in that state, as an event.
constexpr bool has_time_out(State state) {
  return std::ranges::any_of(kRows, [state](const Row& row) {
    if (row.from != state) return false;
    switch (row.event) {
      case E::open_failed:
      case E::seen_nothing:
      case E::start_failed_fault:
      case E::wait_over_fault:
      case E::stop_timed_out:
      case E::wait_over_stuck:
        return true;
      default:
        return false;
    }
  });
}
constexpr bool every_unstable_state_has_a_time_out() {
  for (std::size_t i = 0; i < kStates; ++i) {
    if (unstable(static_cast<State>(i)) && !has_time_out(static_cast<State>(i))) return false;
  }
  return true;
}
static_assert(every_unstable_state_has_a_time_out());

}  // namespace

std::span<const Row> rows() { return kRows; }

const Row* find_row(State from, Event event) {
  const auto row = std::ranges::find_if(
      kRows, [&](const Row& one) { return one.from == from && one.event == event; });
  return row == kRows.end() ? nullptr : &*row;
}

std::string_view name_of(State state) { return kStateNames[at(state)]; }
std::string_view name_of(Event event) { return kEventNames[at(event)]; }
std::string_view name_of(Action action) { return kActionNames[static_cast<std::size_t>(action)]; }

bool is_unstable(State state) { return unstable(state); }

}  // namespace genapp::agent
