#pragma once

// What httpmon and smtpmon report: the events of the Internet Server Agent's alert tables (seed
// 004) with their numbers, and ours from 101 on. The manual pages list them all, and a test
// compares. Pure.

#include <span>
#include <string>
#include <string_view>

#include "common/log.hpp"

namespace genapp::monitor {

enum class Protocol { http, smtp };
std::string_view command_name(Protocol protocol);   // "httpmon"
std::string_view protocol_name(Protocol protocol);  // "HTTP"

enum class Event : int {
  started = 1,
  starting = 2,
  stopping = 3,
  judged_failed = 6,
  paused = 7,
  resumed = 8,
  bad_parameter = 11,
  no_id = 13,
  id_in_use = 14,
  not_stopped = 15,
  system_error = 42,
  socket_error = 71,
  connect_error = 72,
  send_error = 73,
  select_error = 74,  // no answer in time
  recv_error = 75,
  no_address = 81,
  invalid_response = 82,
  invalid_status = 83,
  tls_error = 101,
  certificate_expires = 102,
  unexpected_body = 103,
  answers_again = 104,
  not_running = 105,  // the monitor itself was stopped for a while
};

struct EventRow {
  Event event;
  common::log::Level severity;
  std::string_view text;  // %c the command, %p the protocol, %n the error or status, %f what failed
};

// The table, by number.
std::span<const EventRow> event_rows();
const EventRow& event_row(Event event);

// The text with its places filled: "httpmon has detected network error(connect error[111])." `code`
// is an errno, a getaddrinfo error or a status code; `function` what failed in system_error.
std::string event_text(Event event, Protocol protocol, int code = 0,
                       std::string_view function = {});

// "connect error: ECONNREFUSED (Connection refused)" without the first words; for an errno that has
// no name its number.
std::string errno_words(int error);
// "ECONNREFUSED"; empty when there is none.
std::string errno_name(int error);

}  // namespace genapp::monitor
