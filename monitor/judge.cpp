#include "monitor/judge.hpp"

#include <utility>

namespace genapp::monitor {
namespace {

constexpr auto kMostLate = std::chrono::seconds(1);

}  // namespace

Judge::Number Judge::begin() {
  under_way_.emplace_back();
  return first_ + under_way_.size() - 1;
}

std::vector<Judge::Verdict> Judge::put(Number check, CheckResult result) {
  std::vector<Verdict> verdicts;
  if (check < first_ || check - first_ >= under_way_.size()) return verdicts;
  under_way_[check - first_] = std::move(result);
  while (!under_way_.empty() && under_way_.front() && !threshold_.failed()) {
    CheckResult next = std::move(*under_way_.front());
    under_way_.pop_front();
    ++first_;
    verdicts.push_back(judge(std::move(next)));
  }
  return verdicts;
}

Judge::Verdict Judge::judge(CheckResult result) {
  granted_ = false;
  Verdict verdict;
  verdict.pending_before = threshold_.pending();
  const bool failed = result.fault.has_value();
  const bool no_socket = failed && result.fault->event == Event::socket_error;
  without_socket_ = no_socket ? without_socket_ + 1 : 0;
  verdict.without_socket = without_socket_;
  if (no_socket) {
    verdict.pending = threshold_.pending();
    verdict.result = std::move(result);
    return verdict;
  }
  if (failed && result.fault->timed_out && !rules_.retry_on_timeout) {
    verdict.change = threshold_.fail_at_once();
  } else {
    verdict.change =
        threshold_.put(failed ? Threshold::Outcome::failure : Threshold::Outcome::success);
  }
  const bool changed = verdict.change == Threshold::Change::changed;
  verdict.pending = changed ? verdict.pending_before + 1 : threshold_.pending();
  verdict.result = std::move(result);
  return verdict;
}

bool Judge::says_nothing(const CheckResult& result) const {
  return result.fault && result.took > rules_.wait + kMostLate && !granted_;
}

void Judge::drop_all() {
  first_ += under_way_.size();
  under_way_.clear();
  granted_ = true;
}

void Judge::reset() {
  drop_all();
  threshold_.forget();
  granted_ = false;
}

}  // namespace genapp::monitor
