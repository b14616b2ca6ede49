// monitor-tls: httpmon and smtpmon with TLS. Both become it when they need TLS
// (monitor/tls_program.hpp), so the name that it is called by is theirs.

#include <string_view>

#include "common/error.hpp"
#include "common/program.hpp"
#include "monitor/command.hpp"

int main(int argc, char** argv) {
  using namespace genapp;
  const std::string_view name = argc > 0 ? argv[0] : "";
  for (const auto protocol : {monitor::Protocol::http, monitor::Protocol::smtp}) {
    if (name == monitor::command_name(protocol)) return monitor::run_command(protocol, argc, argv);
  }
  const common::Program program{"monitor-tls", "httpmon and smtpmon where they use TLS",
                                "Usage: none by hand; httpmon and smtpmon call it.\n"};
  return common::run_program(program, argc, argv, []() -> common::ExitCode {
    throw common::Error("it is called by httpmon and smtpmon, not by hand",
                        common::ExitCode::usage);
  });
}
