#pragma once

// What an action acts on. One interface with the four verbs, whatever the resource's type.

#include <string>

#include "common/clock.hpp"
#include "common/exit_code.hpp"
#include "common/state.hpp"

namespace genapp::common {

// How an action ended: the exit code and, when it did not go well, why.
struct Outcome {
  ExitCode exit_code = ExitCode::ok;
  std::string reason;  // one line; may be empty with ok

  static Outcome ok(std::string reason = "") { return {ExitCode::ok, std::move(reason)}; }
  static Outcome failed(std::string reason) { return {ExitCode::failed, std::move(reason)}; }
};

// The resource's state as the cluster keeps it. write() does nothing under a cluster manager that
// records states itself (LifeKeeper). Both throw Error.
class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual State read() const = 0;
  virtual void write(State state) = 0;
};

class Application {
 public:
  virtual ~Application() = default;

  // Each may throw Error instead of returning a failure. They block as long as the application's
  // own settings say.
  virtual Outcome restore() = 0;
  virtual Outcome remove() = 0;
  virtual Outcome quick_check() = 0;
  virtual Outcome recover() = 0;

  // A quick_check() that takes longer hangs, and counts as a failure.
  virtual Clock::duration longest_quick_check() const = 0;
};

}  // namespace genapp::common
