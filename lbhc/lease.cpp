#include "lbhc/lease.hpp"

namespace genapp::lbhc {

bool Lease::renew(Time now, common::Clock::duration length) {
  if (has_run_out(now)) return false;
  end_.reset();
  if (length > common::Clock::duration::zero()) end_ = now + length;
  return true;
}

}  // namespace genapp::lbhc
