#pragma once

// From the checks' results to a verdict on the server. Checks may overlap; they are judged in the
// order in which they started, so that a late result of an early check counts before the others
// that have come meanwhile. Pure.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "common/clock.hpp"
#include "monitor/check.hpp"
#include "monitor/threshold.hpp"

namespace genapp::monitor {

class Judge {
 public:
  struct Rules {
    Threshold::Limits limits{};
    bool retry_on_timeout = true;
    common::Clock::duration wait{};  // a check's deadline after its start
  };
  struct Verdict {
    CheckResult result;
    Threshold::Change change = Threshold::Change::unchanged;
    std::size_t pending_before = 0;
    std::size_t pending = 0;  // failures so far; of a changed one: how many made it
    // Checks in a row, this one the last, that could not be made since this node had no socket for
    // them (event 71): they say nothing of the server and count neither way.
    std::size_t without_socket = 0;
  };
  using Number = std::uint64_t;

  explicit Judge(Rules rules) : rules_(rules), threshold_(rules.limits) {}

  // A check starts.
  Number begin();
  // Its result. Returns what can be judged now, in order; after `changed` nothing more.
  std::vector<Verdict> put(Number check, CheckResult result);
  // Whether a result says something of the server. Not when it is bad and came more than a second
  // after its deadline: then this process was itself not running (SIGSTOP, a suspended machine).
  // That is granted once; a second time in a row the result counts, so that a machine that is
  // always late does not hide a dead server.
  bool says_nothing(const CheckResult& result) const;
  // Forgets the checks under way, which will get no verdict; after one that says nothing.
  void drop_all();
  // As drop_all(), and forgets the failures so far and what was granted.
  void reset();

  std::size_t pending() const { return threshold_.pending(); }

 private:
  Verdict judge(CheckResult result);

  Rules rules_;
  Threshold threshold_;
  std::deque<std::optional<CheckResult>> under_way_{};  // from the check first_ on
  Number first_ = 0;
  bool granted_ = false;
  std::size_t without_socket_ = 0;
};

}  // namespace genapp::monitor
