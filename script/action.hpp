#pragma once

// The four actions as the script runner knows them: their names, defaults and what becomes of what
// a script leaves running. The one table.

#include <array>
#include <string_view>

#include "common/clock.hpp"

namespace genapp::script {

enum class Action { restore, remove, quick_check, recover };

// Processes that a script has started and that still run when it has ended.
enum class Leftovers {
  keep,   // they are the application
  await,  // they are part of a stop: it has ended when they have
  end,    // a check starts nothing
};

struct ActionRow {
  Action action;
  std::string_view name;  // the executable's, the folder's file's and GENAPP_ACTION
  std::string_view key;   // in the table [script]
  std::chrono::seconds timeout;
  Leftovers leftovers;
  std::string_view event;  // GENAPP_EVENT, unless the caller says another
};

// A quickCheck's time is less than LifeKeeper's 22 s, after which it would not count as a failure
// (facts: lifekeeper.md).
inline constexpr std::array kActions{
    ActionRow{Action::restore, "restore", "restore", std::chrono::seconds(300), Leftovers::keep,
              "START"},
    ActionRow{Action::remove, "remove", "remove", std::chrono::seconds(300), Leftovers::await,
              "STOP"},
    ActionRow{Action::quick_check, "quickCheck", "quickcheck", std::chrono::seconds(20),
              Leftovers::end, "CHECK"},
    ActionRow{Action::recover, "recover", "recover", std::chrono::seconds(300), Leftovers::keep,
              "RECOVER"},
};

const ActionRow& row_of(Action action);

}  // namespace genapp::script
