// lbhcd: the health-check daemon in the foreground, for systemd (Type=notify) and containers.

#include "cluster/cluster.hpp"
#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/log.hpp"
#include "common/notify.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/program.hpp"
#include "common/resource_args.hpp"
#include "common/settings.hpp"
#include "lbhc/daemon.hpp"

namespace genapp::lbhcd {
namespace {

namespace log = common::log;
using common::Error;
using common::ExitCode;
using common::State;

constexpr char kName[] = "lbhcd";
constexpr char kSummary[] = "answers a load balancer's health checks, in the foreground";
constexpr char kUsage[] =
    "Usage: lbhcd -t TAG -i ID\n"
    "  -t, --tag TAG   the resource's name\n"
    "  -i, --id ID     its identity on this node\n"
    "  --help, --version\n"
    "Ends on TERM (after the resource's drain) and INT. Tells systemd when it is ready.\n"
    "Exit status: 0 ended in order, 1 failed, 64 wrong command line.\n";

void set_up_log(const common::Settings& settings) {
  if (settings.log_file.empty()) {
    log::to_stderr_unwaited(kName, settings.log_level);
  } else {
    log::to_file(kName, settings.log_file, settings.log_level);
  }
}

// run_program prints the failure on standard error, which is the log unless there is a log file.
void log_failure(const common::Settings& settings, const Error& problem) {
  if (!settings.log_file.empty()) log::error(problem.what());
}

void warn_about_timeout(const lbhc::Config& config) {
  if (!config.lb_profile) return;
  const auto warning = lbhc::hc_timeout_warning(*config.lb_profile, config.hc_timeout);
  if (warning) log::warn(*warning);
}

ExitCode run(const common::ResourceArgs& args) {
  const common::Settings settings = common::read_settings();
  set_up_log(settings);
  for (const std::string& argument : args.ignored) {
    log::warn("ignoring the argument " + common::quoted(argument));
  }
  const common::Directory run_dir = common::open_run_dir();
  const auto cluster = cluster::open_cluster(settings);
  const cluster::Resource resource = cluster->read(args.tag, args.id);
  lbhc::Config config =
      lbhc::read_config(settings.file ? &*settings.file : nullptr, resource.file, resource.info);
  warn_about_timeout(config);
  const auto states = cluster->states(run_dir, resource);
  const bool wait_first_probe = config.wait_first_probe;
  const auto ready = [&] {
    const auto lock = common::LockFile::acquire(run_dir, common::paths::lock_name(args.id));
    states->write(State::in_service_protected);
    common::notify_systemd("READY=1\nSTATUS=answering probes");
  };
  bool recorded = false;
  const auto ended = [&](lbhc::DaemonSetup::End end) {
    common::notify_systemd("STOPPING=1");
    states->write(end == lbhc::DaemonSetup::End::failed ? State::out_failed
                                                        : State::out_unimpaired);
    recorded = true;
  };
  try {
    lbhc::run_daemon({
        .run_dir = run_dir,
        .tag = args.tag,
        .id = args.id,
        .config = std::move(config),
        .wait_first_probe = wait_first_probe,
        .drain_on_term = true,
        .confinement = lbhc::Confinement{settings.user, settings.log_file},
        .before_start = [] {},
        .ready = ready,
        .ended = ended,
        .starter = {},
    });
    // The log says why. ISP stands, and nothing serves.
    if (!recorded) {
      throw Error("the end could not be recorded in " +
                  run_dir.full(common::paths::state_name(args.id)) + ": run remove");
    }
  } catch (const Error& problem) {
    log_failure(settings, problem);
    throw;
  }
  return ExitCode::ok;
}

}  // namespace
}  // namespace genapp::lbhcd

int main(int argc, char** argv) {
  using namespace genapp;
  return common::run_program({lbhcd::kName, lbhcd::kSummary, lbhcd::kUsage}, argc, argv,
                             [&] { return lbhcd::run(common::parse_resource_args(argc, argv)); });
}
