#pragma once

// What a monitor is told on its command line (options.hpp reads it).

#include <cstddef>
#include <string>

#include "common/clock.hpp"
#include "monitor/events.hpp"
#include "monitor/http_check.hpp"
#include "monitor/smtp_check.hpp"

namespace genapp::monitor {

struct Settings {
  Protocol protocol = Protocol::http;
  HttpSettings http{};  // of httpmon
  SmtpSettings smtp{};  // of smtpmon
  common::Clock::duration interval = std::chrono::seconds(60);
  std::size_t retries = 3;
  common::Clock::duration wait = std::chrono::seconds(10);
  std::size_t rise = 1;
  bool retry_on_timeout = true;
  common::Clock::duration initial_delay{};
  bool json = false;
  std::string metrics{};      // a port or a path; empty: none
  int certificate_days = 14;  // a warning when fewer are left; 0: none
};

// "http://localhost:80/", "smtp://[::1]:25": what is monitored, for people; without credentials.
std::string server_text(const Settings& settings);

}  // namespace genapp::monitor
