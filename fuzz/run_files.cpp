// The small files of the run directory: ID.pid, ID.app, ID.state and the flag. What is read as one
// of them is what was written as one, wholly.

#include "common/pid_file.hpp"
#include "common/state.hpp"
#include "ctl/flag_cause.hpp"
#include "fuzz/property.hpp"
#include "script/app_file.hpp"

namespace genapp::fuzz {
namespace {

void check_pid_record(std::string_view text) {
  const auto record = common::parse_pid_record(text);
  if (!record) return;
  require(record->pid > 0, "a pid is above 0");
  require(common::parse_pid_record(common::format_pid_record(*record)) == record,
          "a record is read back as written");
  for (std::size_t size = 0; size < text.size(); ++size) {
    require(!common::parse_pid_record(text.substr(0, size)), "half a record is no record");
  }
  require(!common::parse_pid_record(std::string(text) + "\n") &&
              !common::parse_pid_record(std::string(text) + "1 1\n"),
          "nothing follows a record");
}

void check_app_record(std::string_view text) {
  const auto record = script::parse_app_record(text);
  if (!record) return;
  require(record->process.pid > 0, "a pid is above 0");
  require(record->ended.find('\n') == std::string::npos, "how it ended is one line");
  const std::string written = script::format_app_record(*record);
  const auto again = script::parse_app_record(written);
  require(again && again->process == record->process, "a process is read back as written");
  require(again->ended.empty() == record->ended.empty(), "an end stays an end");
}

void check_state(std::string_view text) {
  const auto state = common::parse_state_line(text);
  if (!state) return;
  require(common::state_line(*state) == text, "a state is what is written for it");
  for (std::size_t size = 0; size < text.size(); ++size) {
    require(!common::parse_state_line(text.substr(0, size)), "half a state is no state");
  }
}

void check_flag(std::string_view text) {
  if (!ctl::flag_cause(text)) return;
  while (!text.empty() && text.back() != '}') text.remove_suffix(1);
  for (std::size_t size = 0; size < text.size(); ++size) {
    require(!ctl::flag_cause(text.substr(0, size)), "half a flag line has no cause");
  }
}

}  // namespace

void check(std::string_view input) {
  check_pid_record(input);
  check_app_record(input);
  check_state(input);
  check_flag(input);
}

}  // namespace genapp::fuzz
