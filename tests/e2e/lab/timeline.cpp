#include "tests/e2e/lab/timeline.hpp"

#include <algorithm>
#include <sstream>

namespace genapp::tests {
namespace {

constexpr std::ptrdiff_t kEnough = 5;

struct Span {
  Moment begin;
  Moment end;
};

Samples::const_iterator first_since(const Samples& samples, Moment from) {
  return std::lower_bound(
      samples.begin(), samples.end(), from,
      [](const Sample& sample, Moment moment) { return sample.begin < moment; });
}

// When it answered for certain.
std::vector<Span> answering(const Samples& samples, Moment from) {
  std::vector<Span> spans;
  bool on = false;
  for (auto sample = first_since(samples, from); sample != samples.end(); ++sample) {
    if (sample->good() && on) spans.back().end = sample->begin;
    if (sample->good() && !on) spans.push_back({sample->end, sample->end});
    on = sample->good();
  }
  return spans;
}

}  // namespace

void Timeline::add(std::string_view text) {
  rest_ += text;
  std::size_t at = 0;
  for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', at)) {
    std::istringstream line(rest_.substr(at, end - at));
    std::string target;
    std::int64_t begin = 0;
    std::int64_t finish = 0;
    Sample sample{};
    if (line >> target >> begin >> finish >> sample.answer) {
      sample.begin = Moment(begin);
      sample.end = Moment(finish);
      samples_[target].push_back(sample);
    }
    at = end + 1;
  }
  rest_.erase(0, at);
}

const Samples& Timeline::of(const std::string& target) const {
  static const Samples kNone;
  const auto found = samples_.find(target);
  return found == samples_.end() ? kNone : found->second;
}

Errors errors_since(const Samples& samples, Moment from) {
  Errors errors;
  bool failing = false;
  Moment begin{0};
  const auto close = [&](Moment end) {
    if (!failing) return;
    errors.all += end - begin;
    errors.longest = std::max(errors.longest, end - begin);
    failing = false;
  };
  for (auto sample = first_since(samples, from); sample != samples.end(); ++sample) {
    if (sample->good()) {
      close(sample->end);
    } else if (!failing) {
      failing = true;
      begin = sample->begin;
    }
  }
  if (!samples.empty()) close(samples.back().end);
  return errors;
}

Overlap overlap_since(const Samples& one, const Samples& other, Moment from) {
  Overlap overlap;
  const std::vector<Span> others = answering(other, from);
  for (const Span& a : answering(one, from)) {
    for (const Span& b : others) {
      const Moment begin = std::max(a.begin, b.begin);
      const Moment end = std::min(a.end, b.end);
      if (end <= begin) continue;
      overlap.longest = std::max(overlap.longest, end - begin);
      overlap.last = std::max(overlap.last, end);
    }
  }
  return overlap;
}

Moment first_good_since(const Samples& samples, Moment from) {
  const auto spans = answering(samples, from);
  return spans.empty() ? Moment(0) : spans.front().begin;
}

Moment last_good_since(const Samples& samples, Moment from) {
  const auto spans = answering(samples, from);
  return spans.empty() ? Moment(0) : spans.back().end;
}

bool all_since(const Samples& samples, Moment from, const std::string& answer) {
  const auto first = first_since(samples, from);
  return samples.end() - first >= kEnough &&
         std::all_of(first, samples.end(),
                     [&](const Sample& sample) { return sample.answer == answer; });
}

bool none_since(const Samples& samples, Moment from) {
  return std::none_of(first_since(samples, from), samples.end(),
                      [](const Sample& sample) { return sample.good(); });
}

}  // namespace genapp::tests
