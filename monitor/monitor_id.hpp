#pragma once

// The name of one monitor on this node, over both commands. Seed 004: alphanumeric, at most 255
// bytes, case sensitive. So it is a file name that leads nowhere else, and one that NAME_MAX holds.

#include <string>
#include <string_view>

namespace genapp::monitor {

bool is_monitor_id(std::string_view text);

class MonitorId {
 public:
  // Throws common::Error (exit code 64) that names the rule.
  explicit MonitorId(std::string_view text);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace genapp::monitor
