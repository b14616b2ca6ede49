// What a daemon says on its control socket, as genapp reads it; from a daemon that lies, too.

#include "lbhc/status.hpp"

#include <algorithm>

#include "ctl/status_view.hpp"
#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

void check_parsed(const lbhc::Status& status) {
  require(status.pid > 0, "a pid is above 0");
  require(status.port >= 1, "a port is from 1 to 65535");
  require(status.hc_timeout_ms >= 0 && status.uptime_ms >= 0, "no time is negative");
  require(!status.last_probe || status.last_probe->age_ms >= 0, "nor a probe's age");
}

void check_half(std::string_view text) {
  while (!text.empty() && text.back() != '}') text.remove_suffix(1);
  for (std::size_t size = 0; size < text.size(); ++size) {
    require(!lbhc::parse_status(text.substr(0, size)), "half a status is no status");
  }
}

ctl::Observed observed(const lbhc::Status& status) {
  ctl::Observed seen;
  seen.tag = "lb";
  seen.id = "app1";
  seen.type = "lbhc";
  seen.alive = seen.flag = true;
  seen.pid = status.pid;
  seen.daemon = status;
  seen.cause = status.no_probe;
  return seen;
}

void check_shown(const lbhc::Status& status) {
  const std::vector<ctl::Observed> all{observed(status)};
  const auto table = lines_of(ctl::status_table(all));
  require(table.size() == 3 && table[2].empty(), "the table has a head and a line");
  require_one_line(table[1]);
  const auto json = lines_of(ctl::status_json(all));
  require(json.size() == 2 && json[1].empty(), "the JSON is one line");
  require(std::none_of(json[0].begin(), json[0].end(), [](char c) { return c >= 0 && c < 0x20; }),
          "without control bytes");
}

}  // namespace

void check(std::string_view input) {
  const auto status = lbhc::parse_status(input);
  if (!status) return;
  check_parsed(*status);
  check_half(input);
  require(lbhc::parse_status(lbhc::format_status(*status)) == status,
          "a status is read back as written");
  check_shown(*status);
}

}  // namespace genapp::fuzz
