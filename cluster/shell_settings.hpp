#pragma once

// A file of KEY=value lines that a shell reads, such as /etc/default/LifeKeeper. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace genapp::cluster {

struct Assignment {
  std::string value;
  int line = 0;
};

// The last assignment to `name`, as a shell would read it: blanks and "export" before it, quotes,
// backslashes, comments, several on one line. Nothing is expanded: $ and ` stand for themselves.
// What is no plain assignment (a command, `NAME = value`, a variable for one command) is passed
// over.
std::optional<Assignment> find_assignment(std::string_view text, std::string_view name);

}  // namespace genapp::cluster
