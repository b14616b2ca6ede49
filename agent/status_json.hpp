#pragma once

// What the agent shows, as JSON: for `genapp status --json`, /api/status and the status page. Pure.
// Keys are only ever added; version goes up when one goes or changes its meaning.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

#include "agent/view.hpp"
#include "common/clock.hpp"

namespace genapp::agent {

// The same moment by both clocks: the view's times are steady ones, people read the wall's.
struct ClockPair {
  common::Clock::time_point steady{};
  common::WallClock::time_point wall{};

  static ClockPair now() { return {common::Clock::now(), common::WallClock::now()}; }
  common::WallClock::time_point to_wall(common::Clock::time_point when) const {
    return wall + std::chrono::round<common::WallClock::duration>(when - steady);
  }
};

struct AgentInfo {
  pid_t pid = 0;
  common::Clock::time_point since{};  // it runs
};

enum class Past { left_out, included };  // stays and probes

// One line with its end:
// {"version":1,"now","agent":{"version","pid","since"},
//  "groups":[{"name","standby","falling_over"}],
//  "resources":[{"tag","id","type","group","critical","depends_on":[],"state","faulted","fault",
//    "suspended","wanted","running","waiting","goal","since","last_reason","last_probe",
//    "counts":{"monitor_timeouts","tolerated","restarts","retries","waits"},
//    "monitors":[{"name","kind","mode","state","restarts","reason"}],
//    "stays":[{"since","state","faulted"}],"probes":[{"at","how","took_ms"}]}]}
// Times are UTC text. What there is not is null; texts are UTF-8 without control characters.
std::string status_json(const View& view, const AgentInfo& agent, const ClockPair& now, Past past);

// The same in parts, so that a page is told what has changed alone: each resource that has gets the
// next number, and a reader says up to which one it has read.
class StatusFeed {
 public:
  // Compares `view` with the one before.
  void update(const View& view);

  struct Part {
    // As above, without its end, and with nothing but the resources, with their past, that have
    // changed; "groups" only when they have, too. "whole":true: what the reader has and is not told
    // again by the end, which is the first part without "more":true, is gone. Empty: nothing is
    // new.
    std::string json{};
    std::uint64_t read = 0;  // for the next call
    bool more = false;       // there is more to be read now
  };
  // What is new beyond `read` (0: all of it), up to a resource beyond `most_bytes`. `view` is the
  // one that was compared last.
  Part after(std::uint64_t read, std::size_t most_bytes, const View& view, const AgentInfo& agent,
             const ClockPair& now) const;

 private:
  struct Seen {
    std::string print{};  // what it was then
    std::uint64_t change = 0;
    bool there = false;
  };
  std::map<std::string, Seen> resources_{};  // by tag
  Seen groups_{};
  std::uint64_t change_ = 0;  // the last number
  std::uint64_t forget_ = 0;  // who has read less than this has resources that are gone
};

}  // namespace genapp::agent
