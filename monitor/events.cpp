#include "monitor/events.hpp"

#include <string.h>

#include <algorithm>
#include <array>

#include "common/error.hpp"

namespace genapp::monitor {
namespace {

using common::log::Level;

constexpr std::array kRows{
    EventRow{Event::started, Level::info, "%c started monitoring the %p daemon."},
    EventRow{Event::starting, Level::info, "%c will start monitoring the %p daemon."},
    EventRow{Event::stopping, Level::info, "%c will stop monitoring the %p daemon."},
    EventRow{Event::judged_failed, Level::error, "%c detected an error and will be terminated."},
    EventRow{Event::paused, Level::info, "%c will stop monitoring."},
    EventRow{Event::resumed, Level::info, "%c will start monitoring."},
    EventRow{Event::bad_parameter, Level::error, "The parameter value of the %c is invalid."},
    EventRow{Event::no_id, Level::error, "An identifier is not specified in the %c command."},
    EventRow{Event::id_in_use, Level::error, "The specified identifier is already used."},
    EventRow{Event::not_stopped, Level::error, "%c could not perform the end processing."},
    EventRow{Event::system_error, Level::error, "%c has detected system error (%f %n)."},
    EventRow{Event::socket_error, Level::warn, "%c has detected network error(socket error[%n])."},
    EventRow{Event::connect_error, Level::warn,
             "%c has detected network error(connect error[%n])."},
    EventRow{Event::send_error, Level::warn, "%c has detected network error(send error[%n])."},
    EventRow{Event::select_error, Level::warn, "%c has detected network error(select error[%n])."},
    EventRow{Event::recv_error, Level::warn, "%c has detected network error(recv error[%n])."},
    EventRow{Event::no_address, Level::warn, "Failed to obtain the IP address.(error[%n])."},
    EventRow{Event::invalid_response, Level::warn,
             "%c has detected an error in %p(invalid response)."},
    EventRow{Event::invalid_status, Level::warn,
             "%c has detected an error in %p(invalid status code[%n])."},
    EventRow{Event::tls_error, Level::warn, "%c has detected a TLS error."},
    EventRow{Event::certificate_expires, Level::warn,
             "The certificate of the %p daemon expires in %n days."},
    EventRow{Event::unexpected_body, Level::warn,
             "%c has detected an error in %p(unexpected body)."},
    EventRow{Event::answers_again, Level::info, "The %p daemon answers again."},
    EventRow{Event::not_running, Level::warn,
             "%c was itself not running; the checks of that time do not count."},
};

constexpr bool ascending() {
  for (std::size_t i = 1; i < kRows.size(); ++i) {
    if (kRows[i - 1].event >= kRows[i].event) return false;
  }
  return true;
}
static_assert(ascending(), "by number, none twice");

}  // namespace

std::string_view command_name(Protocol protocol) {
  return protocol == Protocol::http ? "httpmon" : "smtpmon";
}

std::string_view protocol_name(Protocol protocol) {
  return protocol == Protocol::http ? "HTTP" : "SMTP";
}

std::span<const EventRow> event_rows() { return kRows; }

const EventRow& event_row(Event event) {
  return *std::find_if(kRows.begin(), kRows.end(),
                       [event](const EventRow& row) { return row.event == event; });
}

std::string event_text(Event event, Protocol protocol, int code, std::string_view function) {
  std::string text;
  const std::string_view form = event_row(event).text;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '%') {
      text += form[i];
      continue;
    }
    switch (form[++i]) {
      case 'c':
        text += command_name(protocol);
        break;
      case 'p':
        text += protocol_name(protocol);
        break;
      case 'n':
        text += std::to_string(code);
        break;
      case 'f':
        text += function;
        break;
    }
  }
  return text;
}

std::string errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name ? name : "";
}

std::string errno_words(int error) {
  const std::string name = errno_name(error);
  return (name.empty() ? "error " + std::to_string(error) : name) + " (" +
         common::errno_text(error) + ")";
}

}  // namespace genapp::monitor
