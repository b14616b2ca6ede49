#include "tests/sweep/points.hpp"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <map>

namespace genapp::tests {
namespace {

std::vector<Point> numbered(const Trace& trace, Who who) {
  // The first call of genapp's own code; a forked daemon has nothing before it.
  const auto main_began = std::find_if(trace.begin(), trace.end(), [](const TracedCall& call) {
    return call.text.starts_with("rt_sigaction(SIGPIPE,");
  });
  std::map<std::string, int> seen;
  std::vector<Point> points;
  for (auto call = trace.begin(); call != trace.end(); ++call) {
    const bool before_main = who == Who::command && call < main_began;
    points.push_back(
        {who, call->number, call->name, ++seen[call->name], 0, before_main, call->text});
  }
  return points;
}

// What a spread has one point of. Each epoll_ctl watches something else (the timer, the signals),
// and Asio notices the failure of some alone; one errno shows that.
std::string kind_of(const Point& point) {
  const bool each = point.call == "epoll_ctl" && point.error == ENOSPC;
  return each ? point.call + std::to_string(point.nth) : point.call;
}

}  // namespace

std::string Point::text() const {
  return std::string(who == Who::command ? "command " : "daemon ") + call + "#" +
         std::to_string(nth) + " " + (error ? strerrorname_np(error) : "KILL");
}

std::vector<Point> kill_points(const Trace& trace, Who who, Choice choice) {
  std::vector<Point> all = numbered(trace, who);
  if (choice == Choice::every) return all;
  std::map<std::string, int> last;
  for (const Point& point : all) last[point.call] = point.nth;
  std::vector<Point> some;
  for (const Point& point : all) {
    if (point.nth == 1 || point.nth == last[point.call]) some.push_back(point);
  }
  return some;
}

std::vector<Point> errno_points(const Trace& trace, Who who, Choice choice) {
  std::vector<Point> all;
  std::map<std::pair<std::string, int>, Point> last;
  const std::vector<Point> calls = numbered(trace, who);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    for (const int error : errnos_of(trace[i])) {
      Point point = calls[i];
      point.error = error;
      last[{kind_of(point), error}] = point;
      all.push_back(std::move(point));
    }
  }
  if (choice == Choice::every) return all;
  std::vector<Point> some;
  for (auto& [key, point] : last) some.push_back(std::move(point));
  return some;
}

}  // namespace genapp::tests
