#pragma once

// The faults of a drill, and what is expected of each. Pure.

#include <array>
#include <optional>
#include <string_view>

namespace genapp::ctl::drill {

enum class Fault { no_probe, killed, hung, port_taken, disk_full };

// What the first recover may answer while the fault lasts.
enum class FirstRecover {
  succeeds,
  is_refused,      // it must fail, for the reason of this fault
  may_be_refused,  // it may fail, for the reason of this fault
};

struct Row {
  Fault fault;
  std::string_view name;
  std::string_view summary;
  std::string_view seen_words;  // quickCheck must say so: another reason is another fault
  FirstRecover first_recover;
  std::string_view refusal_words;  // recover must say so when it is refused
  bool by_flag;                    // seen HC_TIMEOUT later, and only with on_no_probe = "fail"
  bool answers;                    // until recover starts the daemon anew
};

// In the order in which --all makes them.
inline constexpr std::array kFaults{
    Row{Fault::no_probe, "no-probe", "probes come and do not count", "no probe for HC_TIMEOUT",
        FirstRecover::succeeds, "", true, true},
    Row{Fault::killed, "killed", "the daemon is killed (SIGKILL)", "is not running",
        FirstRecover::succeeds, "", false, false},
    Row{Fault::hung, "hung", "the daemon is stopped (SIGSTOP)", "the daemon runs but",
        FirstRecover::succeeds, "", false, false},
    Row{Fault::port_taken, "port-taken", "the daemon is killed and its port taken",
        "is not running", FirstRecover::is_refused, "is in use by another program", false, false},
    Row{Fault::disk_full, "disk-full", "probes do not count, and the run directory is full",
        "no probe for HC_TIMEOUT", FirstRecover::may_be_refused, "No space left on device", true,
        true},
};

const Row& row_of(Fault fault);
// Nothing when there is no fault of that name.
std::optional<Fault> parse_fault(std::string_view name);

}  // namespace genapp::ctl::drill
