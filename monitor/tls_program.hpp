#pragma once

namespace genapp::monitor {

// OpenSSL costs a process half a megabyte of its own before it is used at all, and most monitors
// need none: so TLS is in a program of its own, LIBEXEC/genapp/monitor-tls, which is httpmon or
// smtpmon by the name that it is called by. Here, in httpmon and smtpmon, this becomes that
// program, with the same arguments, process and id; there it returns at once. Throws common::Error
// when the program is not there or can't be executed.
void become_tls_program(int argc, const char* const* argv, const char* command);

}  // namespace genapp::monitor
