#include "monitor/command.hpp"

#include <stdio.h>

#include <array>
#include <boost/asio/io_context.hpp>

#include "common/error.hpp"
#include "common/program.hpp"
#include "monitor/control.hpp"
#include "monitor/monitor.hpp"
#include "monitor/options.hpp"
#include "monitor/report.hpp"
#include "monitor/resolver.hpp"
#include "monitor/run_files.hpp"
#include "monitor/tls_program.hpp"

namespace genapp::monitor {
namespace {

using common::Error;
using common::ExitCode;

// The TLS that was asked for; nothing when none was.
const TlsSettings* tls_settings(const Settings& settings) {
  if (settings.protocol == Protocol::http) return settings.http.tls ? &*settings.http.tls : nullptr;
  return settings.smtp.how == SmtpSettings::Tls::none ? nullptr : &settings.smtp.tls;
}

// All that a check needs besides the event loop; outlives the checks.
class Checks {
 public:
  Checks(boost::asio::io_context& io, const Settings& settings)
      : io_(io), settings_(settings), resolver_(io) {
    if (const TlsSettings* tls = tls_settings(settings)) {
      try {
        tls_.emplace(*tls);
      } catch (const Error& problem) {
        throw Error(problem.what(), ExitCode::usage);
      }
    }
  }

  std::unique_ptr<Check> start(CheckDone done) {
    const TlsContext* tls = tls_ ? &*tls_ : nullptr;
    if (settings_.protocol == Protocol::http) {
      return start_http_check(io_, resolver_, settings_.http, tls, settings_.wait, std::move(done));
    }
    return start_smtp_check(io_, resolver_, settings_.smtp, tls, settings_.wait, std::move(done));
  }

 private:
  boost::asio::io_context& io_;
  const Settings& settings_;
  Resolver resolver_;
  std::optional<TlsContext> tls_{};
};

std::string milliseconds(common::Clock::duration length) {
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%.1f",
                std::chrono::duration<double, std::milli>(length).count());
  return out.data();
}

std::string result_text(const CheckResult& result) {
  if (result.fault) {
    return "failed: " + result.fault->reason + " (event " +
           std::to_string(static_cast<int>(result.fault->event)) + ")\n";
  }
  return "ok: " + result.seen + " from " + result.address + " in " + milliseconds(result.took) +
         " ms" +
         (result.certificate_days
              ? ", certificate: " + std::to_string(*result.certificate_days) + " days left"
              : "") +
         "\n";
}

ExitCode check_once(const CommandLine& line) {
  boost::asio::io_context io{1};
  Checks checks(io, line.settings);
  std::optional<CheckResult> found;
  const auto check = checks.start([&](const CheckResult& result) { found = result; });
  io.run();
  const std::string text = line.json ? once_json(line.settings, *found) : result_text(*found);
  ::fwrite(text.data(), 1, text.size(), stdout);
  if (::fflush(stdout) != 0) throw Error("writing to standard output failed");
  return found->fault ? ExitCode::failed : ExitCode::ok;
}

ExitCode code_of(End end) {
  switch (end) {
    case End::stopped:
      return ExitCode::ok;
    case End::server_failed:
      return ExitCode::server_failed;
    case End::blind:
    case End::lost:
      break;
  }
  return ExitCode::failed;
}

ExitCode monitor(const CommandLine& line, Reporter& reporter) {
  boost::asio::io_context io{1};
  Checks checks(io, line.settings);
  hold_ending_signals();
  auto identity = Identity::take(*line.id, command_name(reporter.protocol()));
  if (!identity) {
    reporter.tell({Event::id_in_use, "see --disp and --list", 0, false, ""});
    return ExitCode::failed;
  }
  try {
    const End end = run_monitor({io, line.settings, *identity, reporter, [&checks](CheckDone done) {
                                   return checks.start(std::move(done));
                                 }});
    // Lost ones may by now be another's.
    if (end != End::lost) identity->release();
    return code_of(end);
  } catch (const Error&) {
    identity->release();
    throw;
  }
}

// A start that failed is told as an event, as everything that a monitor has to say.
ExitCode start(const CommandLine& line) {
  Reporter reporter(line.settings.protocol, line.id->text(), line.json);
  try {
    return monitor(line, reporter);
  } catch (const Error& problem) {
    if (problem.exit_code() == ExitCode::usage) throw;
    reporter.tell({Event::system_error, problem.what(), problem.error_number(), true, "start"});
    return problem.exit_code();
  }
}

ExitCode run(Protocol protocol, const CommandLine& line) {
  switch (line.verb) {
    case Verb::start:
      return start(line);
    case Verb::once:
      return check_once(line);
    case Verb::stop:
      return stop_monitor(protocol, *line.id, line.stop_wait);
    case Verb::pause:
      return pause_monitor(protocol, *line.id);
    case Verb::resume:
      return resume_monitor(protocol, *line.id);
    case Verb::disp:
      return display_monitor(*line.id, line.json);
    case Verb::del:
      return delete_monitor(*line.id);
    case Verb::list:
      return list_monitors(line.json);
  }
  return ExitCode::failed;
}

}  // namespace

int run_command(Protocol protocol, int argc, const char* const* argv) {
  const std::string name(command_name(protocol));
  const std::string usage = usage_text(protocol);
  const std::string summary = "watches " +
                              std::string(protocol == Protocol::http ? "an HTTP" : "an SMTP") +
                              " server, and ends when it fails";
  const common::Program program{command_name(protocol), summary, usage, false};
  return common::run_program(program, argc, argv, [&] {
    const auto refuse = [&](Event event, const Error& problem) {
      const std::string reason = std::string(problem.what()) + "; see " + name + " --help";
      // On standard error, whether --json was given or not.
      Reporter(protocol, id_for_report(argc, argv), false).tell({event, reason, 0, false, ""});
      return ExitCode::usage;
    };
    try {
      const CommandLine line = parse_command_line(protocol, argc, argv);
      if (tls_settings(line.settings)) become_tls_program(argc, argv, name.c_str());
      return run(protocol, line);
    } catch (const NoIdentifier& problem) {
      return refuse(Event::no_id, problem);
    } catch (const Error& problem) {
      if (problem.exit_code() != ExitCode::usage) throw;
      return refuse(Event::bad_parameter, problem);
    }
  });
}

}  // namespace genapp::monitor
