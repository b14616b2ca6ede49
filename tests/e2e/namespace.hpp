#pragma once

// Linux namespaces of the test's own: mounts and processes, and a network if it is asked for. What
// the test changes there touches nothing outside, and all that runs there ends with the object.

#include <string>

#include "tests/support/process.hpp"

namespace genapp::tests {

class Namespace {
 public:
  enum class Network { shared, own };

  // `setup` is shell commands that are run inside with all privileges, and must succeed. An own
  // network has its loopback up. Throws std::runtime_error when this host does not allow it.
  Namespace(Network network, const std::string& setup);
  ~Namespace();
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  // The same command, to be run inside.
  Command inside(Command command) const;
  // A shell command run inside; throws std::runtime_error when it fails. What it prints.
  std::string shell(const std::string& script) const;
  // The first process inside, by its number outside.
  pid_t init() const { return init_; }

 private:
  void find_init();

  Network network_;
  Process holder_;
  pid_t init_ = 0;
};

}  // namespace genapp::tests
