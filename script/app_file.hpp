#pragma once

// ID.app: which process a supervised command is and, once it has ended, how. Its supervisor writes
// it, under ID.pid's lock; whoever stops it takes it away.

#include <optional>
#include <string>

#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "common/pid_file.hpp"

namespace genapp::script {

struct AppRecord {
  common::PidRecord process;
  std::string ended{};  // one line for people; empty: it has not been seen to end
  friend bool operator==(const AppRecord&, const AppRecord&) = default;
};

// "PID START_TICKS\n", and then the line.
std::string format_app_record(const AppRecord& record);
std::optional<AppRecord> parse_app_record(std::string_view text);

// Throws common::Error.
void write_app_record(const common::Directory& run_dir, const common::Id& id,
                      const AppRecord& record);
// Nothing when there is none, or none that can be read. Throws common::Error.
std::optional<AppRecord> read_app_record(const common::Directory& run_dir, const common::Id& id);

}  // namespace genapp::script
