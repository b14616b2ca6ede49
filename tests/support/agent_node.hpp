#pragma once

// A node with script resources whose applications are real processes, and the agent that has them.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/node.hpp"

namespace genapp::tests {

class AgentNode {
 public:
  AgentNode();
  // Ends the agent and the applications.
  ~AgentNode();

  Node& node() { return node_; }
  const Node& node() const { return node_; }

  // A resource TAG with id TAG1 whose restore starts a process named app-TAG, whose quickCheck
  // looks for it and whose remove ends it; each writes its name to journal(TAG). `keys`: lines
  // under [agent], and whole tables after them.
  void app(const std::string& tag, const std::string& keys = "");
  // Unlike that of any other test, since process monitors count all of a name on the machine.
  static std::string app_name(const std::string& tag);
  // One of its scripts anew: /bin/sh with this body, in which $here is path(TAG), and `alive` and
  // `app` are commands: whether the application runs, and that which starts it.
  void script(const std::string& tag, const std::string& action, const std::string& body) const;
  std::string path(const std::string& name) const { return folder_ / name; }
  // genapp.toml: `text` before a page on a free port of its own.
  void settings(const std::string& tables);

  void start();  // and waits until it answers
  bool answers() const;
  void kill();  // SIGKILL
  Result stop();
  Process& agent() { return *agent_; }
  Result genapp(std::vector<std::string> arguments) const;

  // What `genapp status --json` says of it: an object's member as text, e.g. "state", "faulted".
  std::string view(const std::string& tag, const std::string& member) const;
  bool comes_to(const std::string& tag, const std::string& state) const;
  // Words that its scripts have written, one an action.
  std::vector<std::string> journal(const std::string& tag) const;
  std::size_t count(const std::string& tag, const std::string& word) const;
  // Processes of the application, by its name.
  std::vector<pid_t> processes(const std::string& tag) const;

 private:
  TempDir folder_;
  Node node_;
  std::vector<std::string> tags_{};
  std::optional<Process> agent_{};
};

}  // namespace genapp::tests
