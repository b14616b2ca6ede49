#include "script/line_limit.hpp"

#include <utility>

namespace genapp::script {

LineLimit::Verdict LineLimit::take(std::size_t bytes, common::Clock::time_point now) {
  Verdict verdict;
  if (now >= end_) {
    end_ = now + period_;
    taken_ = 0;
    verdict.dropped_before = std::exchange(dropped_, 0);
  }
  verdict.log = bytes <= bytes_ - taken_;
  if (verdict.log) {
    taken_ += bytes;
  } else {
    ++dropped_;
  }
  return verdict;
}

}  // namespace genapp::script
