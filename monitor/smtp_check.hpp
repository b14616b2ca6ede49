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
//
// A check always ends with QUIT once the server has greeted, or it would log a lost connection.
// After a verdict the connection lives on in the event loop, to read the reply, which is not
// judged: for 2 s, not beyond `wait`, and not beyond io; `tls` must be there while the loop runs. A
// check that is dropped, or whose time is up, says QUIT without waiting.
//
// What a server says beyond what it was asked is no fault of its own: it is taken as its next
// reply, and must be one. Only before a TLS handshake nothing may be left over (CVE-2011-0411).
std::unique_ptr<Check> start_smtp_check(boost::asio::io_context& io, Resolver& resolver,
                                        const SmtpSettings& settings, const TlsContext* tls,
                                        common::Clock::duration wait, CheckDone done);

}  // namespace genapp::monitor
