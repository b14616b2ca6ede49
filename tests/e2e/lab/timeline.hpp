#pragma once

// What lab_client saw, and what follows from it. Pure.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace genapp::tests {

// Of the steady clock, which all namespaces of the lab share.
using Moment = std::chrono::microseconds;

// One attempt: an answer came at some time between begin and end.
struct Sample {
  Moment begin;
  Moment end;
  std::string answer;
  bool good() const { return answer != "-"; }
};
using Samples = std::vector<Sample>;

class Timeline {
 public:
  // More of lab_client's output; a line that is not complete yet waits for its rest.
  void add(std::string_view text);
  const Samples& of(const std::string& target) const;

 private:
  std::string rest_;
  std::map<std::string, Samples> samples_;
};

// A window of errors lasts from the beginning of an attempt that failed to the end of the next good
// one, or of the last attempt.
struct Errors {
  Moment all{0};
  Moment longest{0};
};
Errors errors_since(const Samples& samples, Moment from);

// Two targets that both answered: of each, the time between two good attempts that have no failed
// one between them counts as answering. What only may have been is left out, so an overlap of more
// than zero is one, however slow the machine was; one shorter than two attempts is not seen.
struct Overlap {
  Moment longest{0};
  Moment last{0};  // when the last one was over
};
Overlap overlap_since(const Samples& one, const Samples& other, Moment from);

// When a good attempt ended first, and began last; zero without any.
Moment first_good_since(const Samples& samples, Moment from);
Moment last_good_since(const Samples& samples, Moment from);

// Whether every attempt since then had this answer, and there were enough of them.
bool all_since(const Samples& samples, Moment from, const std::string& answer);
// Whether no attempt since then was good.
bool none_since(const Samples& samples, Moment from);

}  // namespace genapp::tests
