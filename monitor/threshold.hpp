#pragma once

// When checks change what is believed of a server: after how many failures in a row it counts as
// failed, after how many successes as healthy. The one engine for every protocol, and for the
// agent's monitors. Pure.

#include <cstddef>

namespace genapp::monitor {

class Threshold {
 public:
  struct Limits {
    std::size_t fall = 1;  // failures that make it failed; 1 or more
    std::size_t rise = 1;  // successes in a row that wipe failures away, or make it healthy again
  };
  enum class Outcome { success, failure };
  enum class Change {
    unchanged,  // nothing speaks against what is believed
    pending,    // something does, not enough yet
    changed,    // what is believed is now the other
  };

  // Begins in the belief that the server is healthy.
  explicit Threshold(Limits limits) : limits_(limits) {}

  Change put(Outcome outcome);
  // As one failure, and no others are waited for.
  Change fail_at_once();

  bool failed() const { return failed_; }
  // Checks that speak against the belief so far: failures, or, once it is failed, successes.
  std::size_t pending() const { return against_; }
  // Forgets what is pending; the belief stays.
  void forget();

 private:
  Change against();
  Change in_favour();

  Limits limits_;
  bool failed_ = false;
  std::size_t against_ = 0;
  std::size_t in_favour_ = 0;  // in a row
};

}  // namespace genapp::monitor
