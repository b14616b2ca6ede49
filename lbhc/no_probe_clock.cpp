#include "lbhc/no_probe_clock.hpp"

namespace genapp::lbhc {

NoProbeClock::Change NoProbeClock::probe(Time now) {
  since_ = now;
  last_probe_ = now;
  ++probes_;
  if (!flag_up_) return Change::none;
  flag_up_ = false;
  return Change::cleared;
}

NoProbeClock::Change NoProbeClock::tick(Time now) {
  if (stopped_ || flag_up_ || now < deadline()) return Change::none;
  flag_up_ = true;
  return Change::raised;
}

}  // namespace genapp::lbhc
