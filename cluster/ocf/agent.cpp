#include "cluster/ocf/agent.hpp"

#include <stdio.h>
#include <stdlib.h>

#include "cluster/ocf/lbhc_agent.hpp"
#include "cluster/ocf/metadata.hpp"
#include "cluster/ocf/script_agent.hpp"
#include "common/log.hpp"
#include "common/printable.hpp"
#include "common/program.hpp"

namespace genapp::ocf {
namespace {

namespace log = common::log;
using common::Error;

constexpr char kUsage[] =
    "Called by a cluster manager (OCF resource agent API 1.1), with its parameters in the\n"
    "environment; meta-data describes them.\n"
    "Usage: %s ACTION\n"
    "  ACTION: start, stop, monitor, status, reload-agent, validate-all, meta-data\n"
    "  --help, --version\n"
    "Exit status: 0 done or healthy, 7 not running, 1 failed or not healthy, 2 called wrongly,\n"
    "3 no such action, 5 something is not installed here, 6 a parameter is wrong.\n";

std::string name_of(Kind kind) {
  return kind == Kind::lbhc ? "ocf:genapp:lbhc" : "ocf:genapp:script";
}

std::optional<std::string> from_own_environment(const std::string& name) {
  const char* value = ::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

// What is wrong with genapp.toml is wrong on this node alone.
common::Settings read_settings() {
  try {
    return common::read_settings();
  } catch (const Error& problem) {
    throw Refusal(Code::arguments, problem.what());
  }
}

Answer act(Action action, Agent& agent) {
  switch (action) {
    case Action::start:
      return agent.start();
    case Action::stop:
      return agent.stop();
    case Action::monitor:
      return agent.monitor();
    case Action::validate:
      return agent.validate();
    case Action::reload:
      return agent.reload();
    case Action::metadata:
      break;
  }
  return {};
}

Answer print_metadata(Kind kind) {
  const std::string text = metadata(kind);
  const bool written =
      ::fwrite(text.data(), 1, text.size(), stdout) == text.size() && ::fflush(stdout) == 0;
  if (written) return {};
  return {Code::generic, "the meta-data could not be written"};
}

// A stop does not depend on the settings: what they would add is the log.
common::Settings settings_for(Action action) {
  try {
    return read_settings();
  } catch (const Error&) {
    if (action != Action::stop) throw;
    return common::Settings();
  }
}

Answer work(Kind kind, int argc, const char* const* argv) {
  if (argc < 2) throw Refusal(Code::arguments, "no action given: see --help");
  const Action action = parse_action(argv[1]);
  if (action == Action::metadata) return print_metadata(kind);
  Surroundings about{read_call(from_own_environment), from_own_environment, settings_for(action)};
  log::to_stderr(name_of(kind), about.settings.log_level);
  const auto agent =
      kind == Kind::lbhc ? make_lbhc_agent(std::move(about)) : make_script_agent(std::move(about));
  return act(action, *agent);
}

// Pacemaker shows what follows "ocf-exit-reason:" beside the failed operation.
void report(Kind kind, const Answer& answer) {
  if (answer.reason.empty()) return;
  const std::string text = common::printable(answer.reason, 1000);
  const std::string line = answer.code == Code::success ? name_of(kind) + ": " + text + "\n"
                                                        : "ocf-exit-reason:" + text + "\n";
  ::fwrite(line.data(), 1, line.size(), stderr);
}

Answer run_action(Kind kind, int argc, const char* const* argv) {
  try {
    return work(kind, argc, argv);
  } catch (const Refusal& refusal) {
    return {refusal.code(), refusal.what()};
  } catch (const Error& problem) {
    return {Code::generic, problem.what()};
  }
}

}  // namespace

Answer answer_of(const common::Outcome& outcome) {
  return {outcome.exit_code == common::ExitCode::ok ? Code::success : Code::generic,
          outcome.reason};
}

int run_agent(Kind kind, int argc, const char* const* argv) {
  const std::string name = name_of(kind);
  std::string usage = kUsage;
  usage.replace(usage.find("%s"), 2, name.substr(name.rfind(':') + 1));
  // What stays for --help and --version.
  Code code = Code::success;
  const int exit_code = common::run_program({name, "OCF resource agent", usage}, argc, argv, [&] {
    const Answer answer = run_action(kind, argc, argv);
    report(kind, answer);
    code = answer.code;
    return common::ExitCode::ok;
  });
  return exit_code == static_cast<int>(common::ExitCode::ok) ? static_cast<int>(code) : exit_code;
}

}  // namespace genapp::ocf
