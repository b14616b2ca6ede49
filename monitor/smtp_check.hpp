#pragma once

// Talks to a mail server: greeting, EHLO or HELO, NOOP, QUIT (seed 004; RFC 5321), and judges its
// replies.

#include <memory>
#include <optional>
#include <string>

#include "common/clock.hpp"
#include "monitor/check.hpp"
#include "monitor/stream.hpp"

namespace genapp::monitor {

struct SmtpSettings {
  Server server{"localhost", 25};
  std::string helo{};  // what we call ourselves; empty: the host's name
  enum class Tls { none, starttls, from_start } how = Tls::none;
  TlsSettings tls{};
};

// Starts a check; `wait` from now it has failed. `tls` is needed unless how is none, and, as io,
// resolver and settings, outlives the check.
std::unique_ptr<Check> start_smtp_check(boost::asio::io_context& io, Resolver& resolver,
                                        const SmtpSettings& settings, const TlsContext* tls,
                                        common::Clock::duration wait, CheckDone done);

}  // namespace genapp::monitor
