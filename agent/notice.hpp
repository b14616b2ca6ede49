#pragma once

// What the agent tells people: a line each of its log, of `genapp events` and of the status page.

#include <string>
#include <string_view>

namespace genapp::agent {

enum class Severity { info, warning, error };

enum class NoticeKind {
  state,     // a resource's state has changed
  command,   // somebody commanded something
  fault,     // a resource has become faulted, or its fault was cleared
  restart,   // a restart was begun after a failure
  monitor,   // a monitor's verdict has changed, or a monitor of its own was suspended or resumed
  fallover,  // a resource or its group is given up on this node
  method,    // a notify or fall-over command was run, or failed
  adopted,   // what an earlier agent had begun goes on
  settings,  // resources were read, added, changed or dropped
  agent,     // of the agent itself
};

struct Notice {
  NoticeKind kind = NoticeKind::agent;
  Severity severity = Severity::info;
  std::string tag{};   // empty: of no one resource
  std::string text{};  // one line
};

std::string_view name_of(NoticeKind kind);
std::string_view name_of(Severity severity);

}  // namespace genapp::agent
