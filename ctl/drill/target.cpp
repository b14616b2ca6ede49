#include "ctl/drill/target.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "cluster/cluster.hpp"
#include "cluster/registry.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/settings.hpp"
#include "ctl/drill/prober.hpp"
#include "ctl/drill/report.hpp"
#include "lbhc/control.hpp"

namespace genapp::ctl::drill {
namespace {

namespace paths = common::paths;
using common::Clock;
using common::Error;

constexpr auto kControlTime = std::chrono::seconds(1);
// Without a load balancer the flag is up until the drill's own probes come.
constexpr Clock::duration kFirstProbeTime = std::chrono::seconds(3);

std::string quoted(const common::Tag& tag) { return "\"" + tag.text() + "\""; }

void refuse_lifekeeper(const common::Settings& settings) {
  if (cluster::cluster_kind(settings) == common::ClusterKind::registry) return;
  throw Error(
      "this node's resources are LifeKeeper's, which would see the drill's faults and fail over: "
      "this version does not drill them");
}

void require_lbhc(const cluster::Resource& resource) {
  if (resource.type == cluster::kLbhc) return;
  throw Error(
      quoted(resource.tag) + " is of type " + resource.type +
      ": a drill makes the faults of a load-balancer health check, and so works on type lbhc "
      "alone");
}

// The resource's own file: it is there, and the lock goes with its last holder, SIGKILL or not.
common::Fd take_lock(const common::Tag& tag) {
  const std::string path = paths::resource_file(tag);
  common::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw common::system_error(path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno != EWOULDBLOCK) throw common::system_error("locking " + path, errno);
  throw Error("another drill of " + quoted(tag) + " is running, or is still putting things back");
}

void require_in_service(const common::Directory& run_dir, const cluster::Resource& resource) {
  const common::State state = cluster::StateFile(run_dir, resource.id).read();
  if (state == common::State::in_service_protected) return;
  throw Error(quoted(resource.tag) + " is not in service and watched: its state is " +
              std::string(common::state_text(state)) + ", not ISP");
}

lbhc::Status ask_daemon(const common::Directory& run_dir, const common::Tag& tag,
                        const common::Id& id) {
  if (!common::is_alive(run_dir, id)) {
    throw Error("the daemon of " + quoted(tag) +
                " is not running, and a drill starts from health: run recover first");
  }
  lbhc::Status daemon = lbhc::ask_status(run_dir, id, kControlTime);
  if (daemon.phase != lbhc::Phase::serving) {
    throw Error("the daemon of " + quoted(tag) + " is " +
                std::string(lbhc::phase_text(daemon.phase)) + ": a drill needs one that serves");
  }
  if (daemon.foreground) {
    throw Error("the daemon of " + quoted(tag) +
                " is an lbhcd, which systemd or a container looks after: a drill works on what "
                "restore started");
  }
  return daemon;
}

void require_same_settings(const lbhc::Config& config, const lbhc::Status& daemon) {
  if (daemon.port == config.port && daemon.protocol == lbhc::protocol_text(config.protocol)) return;
  throw Error("the resource was changed since its daemon was started (" + daemon.protocol +
              " on port " + std::to_string(daemon.port) +
              "): recover would start another one; run remove and restore first");
}

// What recover will need, and could not get: then the drill would only take the resource down.
void require_recoverable(const Args& args, const lbhc::Config& config, const lbhc::Status& daemon) {
  if (config.recover == lbhc::Recover::none) {
    throw Error("recover = \"none\": the cluster is to fail over, so there is no recovery to try");
  }
  if (!args.probe && !daemon.last_probe) {
    throw Error(
        "no probe has come yet, and recover needs one: is a load balancer configured? With --probe "
        "the drill plays one");
  }
  if (!args.probe) return;
  const std::string address = probe_address(config);
  if (config.allow.allows(parse_address(address))) return;
  throw Error("--probe: `allow` does not name " + address +
              ", so the daemon would not count the drill's probes");
}

}  // namespace

Target find_target(const Args& args) {
  const common::Settings settings = common::read_settings();
  refuse_lifekeeper(settings);
  const auto resource = cluster::Registry(paths::resources_dir()).read(args.tag);
  require_lbhc(resource);
  lbhc::Config config =
      lbhc::read_config(settings.file ? &*settings.file : nullptr, resource.file, resource.info);
  common::Directory run_dir = common::open_run_dir();
  common::Fd lock = take_lock(args.tag);
  require_in_service(run_dir, resource);
  const lbhc::Status daemon = ask_daemon(run_dir, args.tag, resource.id);
  require_same_settings(config, daemon);
  require_recoverable(args, config, daemon);
  const std::chrono::milliseconds hc_timeout(daemon.hc_timeout_ms);
  return {.tag = args.tag,
          .id = resource.id,
          .run_dir = std::move(run_dir),
          .config = std::move(config),
          .daemon = daemon,
          .programs = Programs(args.programs, args.tag, resource.id, hc_timeout),
          .hc_timeout = hc_timeout,
          .probe = args.probe,
          .lock = std::move(lock)};
}

void require_health(Target& target, const Programs::Wait& wait) {
  std::optional<Prober> prober;
  if (target.probe) prober.emplace(probe_address(target.config), target.config);
  const auto deadline = Clock::now() + (target.probe ? kFirstProbeTime : Clock::duration::zero());
  Answer answer = target.programs.run("quickCheck", wait);
  while (answer.exit_code != 0 && Clock::now() < deadline) {
    answer = target.programs.run("quickCheck", wait);
  }
  target.daemon = ask_daemon(target.run_dir, target.tag, target.id);
  if (answer.exit_code == 0) return;
  throw Error(quoted(target.tag) + " is not healthy, and a drill starts from health: " +
              reason_in(target.tag.text(), answer.err));
}

common::State state_of(const Target& target) {
  return cluster::StateFile(target.run_dir, target.id).read();
}

std::string probe_address(const lbhc::Config& config) {
  if (config.listen == "ipv6") return "::1";
  if (config.listen == "any" || config.listen == "ipv4") return "127.0.0.1";
  return config.listen == "0.0.0.0" ? "127.0.0.1" : config.listen == "::" ? "::1" : config.listen;
}

}  // namespace genapp::ctl::drill
