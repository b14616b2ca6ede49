#pragma once

// How appmgr is called for a resource, and what its end means. Pure.

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"
#include "common/spawn.hpp"
#include "remote/resource/config.hpp"

namespace genapp::remote {

// Arguments of appmgr's, without its own name. `silence`: for how long the guest may be silent.
std::vector<std::string> start_call(const RemoteConfig& config, std::chrono::seconds silence);
std::vector<std::string> stop_call(const RemoteConfig& config, std::chrono::seconds silence);
std::vector<std::string> status_call(const RemoteConfig& config, std::chrono::seconds silence);
std::vector<std::string> acknowledge_call(const RemoteConfig& config, std::chrono::seconds silence);

// The guest may be silent for so long when the call may last `left` in all: as configured, or less,
// so that appmgr itself still says what is wrong. Whole seconds, 1 at least.
std::chrono::seconds silence_within(const RemoteConfig& config, common::Clock::duration left);

// How a call ended.
struct CallEnd {
  bool timed_out = false;  // it was ended at its limit; `ending` says nothing then
  common::Ending ending{};
  std::string out{};    // what appmgr printed
  std::string words{};  // and said on standard error
  common::Clock::duration limit{};
};

// What is known of the command after a call.
enum class Meaning {
  done,         // the request was done; of a status call: it runs
  not_running,  // of a status call: it has ended, or was never started
  unreachable,  // the guest could not be reached, or not any more, or did not answer in time
  unknown,      // the appserver knows no such session
  refused,      // the appserver was there and did not do it
  failed,       // anything else: appmgr itself
};
// appmgr's exit code alone would not do: 1 is also that of an appmgr without keys, and 0 that of
// any program.
Meaning meaning_of_status(const RemoteConfig& config, const CallEnd& end);
Meaning meaning_of(const RemoteConfig& config, const CallEnd& end);  // of the other calls

// What appmgr prints for --status --json.
struct SessionSeen {
  std::string state;  // "starting", "running", "ended", "unknown"
  pid_t pid = 0;      // on the guest; 0: not told
  std::string end{};  // ended: "exit code 3", "signal 9 (KILL)"; empty: nobody saw how
};
// Nothing when it is something else.
std::optional<SessionSeen> parse_session_seen(std::string_view text);

// For a stop that ended so: nobody was there to be asked. One whose connection was lost, or that
// took too long, is none: the guest was up.
bool was_never_reached(const RemoteConfig& config, const CallEnd& end);

// Whether a start that ended so may have started the command all the same.
bool may_have_started(const CallEnd& end);

// One line for people: how it is with a command that does not run.
std::string not_running_text(const RemoteConfig& config, const CallEnd& end);

// One line for people: what went wrong, on which guest, and appmgr's own words.
std::string call_text(const RemoteConfig& config, const CallEnd& end);

// The last line of what appmgr said that is not empty, for people: bounded, without its name.
std::string last_words_of(const std::string& words);

// "guest1", "guest1:5316", "[2001:db8::1]:5316"
std::string node_text(const RemoteConfig& config);

}  // namespace genapp::remote
