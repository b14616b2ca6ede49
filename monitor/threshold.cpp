#include "monitor/threshold.hpp"

namespace genapp::monitor {

Threshold::Change Threshold::put(Outcome outcome) {
  return (outcome == Outcome::failure) == failed_ ? in_favour() : against();
}

Threshold::Change Threshold::fail_at_once() {
  if (failed_) return in_favour();
  failed_ = true;
  forget();
  return Change::changed;
}

void Threshold::forget() {
  against_ = 0;
  in_favour_ = 0;
}

Threshold::Change Threshold::against() {
  in_favour_ = 0;
  if (++against_ < (failed_ ? limits_.rise : limits_.fall)) return Change::pending;
  failed_ = !failed_;
  forget();
  return Change::changed;
}

Threshold::Change Threshold::in_favour() {
  if (against_ == 0) return Change::unchanged;
  // A failed server has to succeed in a row: one failure starts that over.
  if (++in_favour_ < (failed_ ? 1 : limits_.rise)) return Change::pending;
  forget();
  return Change::unchanged;
}

}  // namespace genapp::monitor
