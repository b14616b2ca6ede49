#pragma once

// httpmon and smtpmon as their users run them, in a run directory of the test's own.

#include <string>
#include <vector>

#include "tests/support/node.hpp"

namespace genapp::tests {

class Monitors {
 public:
  using Arguments = std::vector<std::string>;

  explicit Monitors(std::string program) : program_(std::move(program)) {}
  // By Process: what start() gave ends with it.

  // A monitor named "watch" in the foreground, its events on standard output.
  Process start(Arguments arguments) const;
  // `PROGRAM watch ARGUMENTS`
  Result run(Arguments arguments) const;
  // One check.
  Result once(Arguments arguments) const;
  Command command(Arguments arguments) const;

  // Of the monitor's status: a number, -1 for none; a text, empty for none. A name with a dot is
  // that of an object's member.
  double number(const std::string& name) const;
  std::string text(const std::string& name) const;
  // Waits until so many checks have been judged since the start.
  bool has_checked(int times) const;

  // What it leaves in the run directory: paths from there on. Locks that nobody holds do not count.
  std::vector<std::string> left() const;
  const Node& node() const { return node_; }

 private:
  std::string program_;
  Node node_;
};

struct Told {
  int event = 0;
  std::string id;
  std::string reason;
};
// The events that a monitor has told, by its output; and their numbers alone.
std::vector<Told> told(const std::string& output);
std::vector<int> numbers(const std::string& output);

}  // namespace genapp::tests
