#include "action/run_action.hpp"

#include <array>
#include <optional>
#include <string>

#include "action/open_application.hpp"
#include "action/run_time_limit.hpp"
#include "cluster/cluster.hpp"
#include "cluster/registry.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/program.hpp"
#include "common/resource_args.hpp"
#include "common/settings.hpp"
#include "lbhc/health_check.hpp"
#include "lbhc/stop.hpp"
#include "script/turn.hpp"

namespace genapp::action {
namespace {

namespace log = common::log;
using common::Application;
using common::Clock;
using common::Error;
using common::ExitCode;
using common::Outcome;
using common::ResourceArgs;
using common::Settings;

// For a quickCheck to find out what it is to look at.
constexpr auto kReadingTime = std::chrono::milliseconds(4500);

constexpr char kUsage[] =
    "Usage: %s -t TAG -i ID\n"
    "  -t, --tag TAG   the resource's name\n"
    "  -i, --id ID     its identity on this node\n"
    "  --help, --version\n"
    "Further arguments are ignored with a warning.\n"
    "Exit status: 0 done or healthy, 1 failed or not healthy, 64 wrong command line.\n";

struct Row {
  Action action;
  std::string_view name;
  std::string_view summary;
  Outcome (Application::*verb)();
};

constexpr std::array kActions{
    Row{Action::restore, "restore", "brings a resource in service", &Application::restore},
    Row{Action::remove, "remove", "takes a resource out of service", &Application::remove},
    Row{Action::quick_check, "quickCheck", "tells whether a resource is healthy",
        &Application::quick_check},
    Row{Action::recover, "recover", "tries to recover a resource on this node",
        &Application::recover},
};

const Row& row_of(Action action) {
  for (const Row& row : kActions) {
    if (row.action == action) return row;
  }
  return kActions[0];
}

std::string usage(const Row& row) {
  std::string text = kUsage;
  return text.replace(text.find("%s"), 2, row.name);
}

Outcome act(const Row& row, const ResourceArgs& args, const Settings& settings) {
  const common::Directory run_dir = common::open_run_dir();
  OpenedApplication opened = open_application(args, settings, run_dir);
  if (row.action == Action::quick_check) {
    limit_quick_check(opened.application->longest_quick_check());
  }
  return (opened.application.get()->*row.verb)();
}

// Whether it is of a type that its description alone can stop, whatever else is wrong with that, or
// with the settings: a state may be all that there is of it in the run directory, and would do for
// an LBHC's trace.
bool needs_its_description(const ResourceArgs& args) {
  Settings settings;
  try {
    settings = common::read_settings();
  } catch (const Error&) {
  }
  try {
    return cluster::open_cluster(settings)->type(args.tag, args.id) != cluster::kLbhc;
  } catch (const Error&) {
    return false;
  }
}

// What was started can be told from the run directory, or from the resource though its keys are
// wrong; else there is no knowing what to take out. Only an LBHC can be taken out without its
// description: what stops another resource is in it.
bool is_removable_by_id(const ResourceArgs& args, const common::Directory& run_dir) {
  if (script::has_trace(run_dir, args.id) || needs_its_description(args)) return false;
  if (lbhc::has_trace(run_dir, args.id)) return true;
  require_known_lbhc(args, common::read_settings());
  return true;
}

// remove must be nearly infallible: under LifeKeeper its failure can stop a switch-over or reboot
// the node. So a description that can't be read any more does not keep a daemon from being stopped.
Outcome remove(const ResourceArgs& args) {
  const auto run_dir = common::open_run_dir_if_there();
  if (!run_dir) {
    return Outcome::ok(common::paths::run_dir() + " does not exist, so nothing was started here");
  }
  std::optional<OpenedApplication> opened;
  try {
    opened = open_application(args, common::read_settings(), *run_dir);
  } catch (const Error& problem) {
    if (!is_removable_by_id(args, *run_dir)) throw;
    log::warn(std::string(problem.what()) + "; going by the id alone, without a drain");
    cluster::StateFile states(*run_dir, args.id);
    return lbhc::remove_by_id(*run_dir, states, args.id, Clock::duration::zero());
  }
  return opened->application->remove();
}

Settings settings_for(const Row& row) {
  try {
    return common::read_settings();
  } catch (const Error&) {
    // remove tells of it itself, once the log is set up.
    if (row.action != Action::remove) throw;
    return Settings();
  }
}

std::string described(const ResourceArgs& args) { return "\"" + args.tag.text() + "\""; }

void log_begin(const Row& row, const ResourceArgs& args) {
  log::info("BEGIN " + std::string(row.name) + " of " + described(args) + " (id " + args.id.text() +
            ")");
  for (const std::string& argument : args.ignored) {
    log::warn("ignoring the argument " + common::quoted(argument));
  }
}

void log_end(const Row& row, const ResourceArgs& args, const Outcome& outcome,
             Clock::duration took) {
  const bool well = outcome.exit_code == ExitCode::ok;
  if (!well) log::error(described(args) + ": " + outcome.reason);
  log::info(std::string("END ") + (well ? "successful " : "unsuccessful ") + std::string(row.name) +
            " of " + described(args) + " (id " + args.id.text() + ", " +
            common::seconds_text(took) + " s, exit " +
            std::to_string(static_cast<int>(outcome.exit_code)) + ")" +
            (well && !outcome.reason.empty() ? ": " + outcome.reason : ""));
}

Outcome outcome_of(const Row& row, const ResourceArgs& args, const Settings& settings) {
  try {
    return row.action == Action::remove ? remove(args) : act(row, args, settings);
  } catch (const Error& problem) {
    return {problem.exit_code(), problem.what()};
  }
}

ExitCode work(const Row& row, int argc, const char* const* argv) {
  const ResourceArgs args = common::parse_resource_args(argc, argv);
  if (row.action == Action::quick_check) limit_quick_check(kReadingTime);
  const Settings settings = settings_for(row);
  log::to_stderr(row.name, settings.log_level);
  const auto began = Clock::now();
  log_begin(row, args);
  const Outcome outcome = outcome_of(row, args, settings);
  log_end(row, args, outcome, Clock::now() - began);
  return outcome.exit_code;
}

}  // namespace

int run_action(Action action, int argc, const char* const* argv) {
  const Row& row = row_of(action);
  const std::string help = usage(row);
  return common::run_program({row.name, row.summary, help}, argc, argv,
                             [&] { return work(row, argc, argv); });
}

}  // namespace genapp::action
