#include "ctl/observe.hpp"

#include <poll.h>
#include <unistd.h>

#include <functional>

#include "cluster/cluster.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/flag_file.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/settings.hpp"
#include "ctl/flag_cause.hpp"
#include "ctl/list.hpp"
#include "lbhc/config.hpp"
#include "lbhc/control.hpp"
#include "remote/resource/config.hpp"
#include "remote/resource/manager_call.hpp"
#include "remote/resource/remote_command.hpp"
#include "script/app_file.hpp"
#include "script/config.hpp"
#include "script/supervisor.hpp"
#include "script/turn.hpp"

namespace genapp::ctl {
namespace {

namespace paths = common::paths;
using common::Clock;
using common::Directory;
using common::Error;
using common::Id;

constexpr auto kControlTime = std::chrono::seconds(1);
constexpr auto kGuestTime = std::chrono::seconds(2);
constexpr int kPauseMilliseconds = 20;
constexpr std::size_t kMostFlagBytes = 64 * 1024;

void attempt(Observed& seen, const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& problem) {
    seen.error += (seen.error.empty() ? "" : "; ") + std::string(problem.what());
  }
}

// Asks the living daemon. One that has only just taken its lock has no control socket yet, so a
// refusal is taken for an answer only when it lasts.
void ask_daemon(const Directory& run_dir, const Id& id, Observed& seen) {
  const auto deadline = Clock::now() + kControlTime;
  for (;;) {
    try {
      seen.daemon = lbhc::ask_status(run_dir, id, deadline - Clock::now());
      return;
    } catch (const Error&) {
      seen.alive = common::is_alive(run_dir, id);
      if (!seen.alive) return seen.pid.reset();
      if (Clock::now() >= deadline) throw;
    }
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
}

void observe_daemon(const Directory& run_dir, const Id& id, Observed& seen) {
  attempt(seen, [&] { seen.alive = common::is_alive(run_dir, id); });
  if (!seen.alive) return;
  attempt(seen, [&] {
    const auto living = common::find_living(run_dir, id);
    if (living) seen.pid = living->pid;
  });
  attempt(seen, [&] { ask_daemon(run_dir, id, seen); });
}

void observe_flag(const Directory& run_dir, const Id& id, Observed& seen) {
  if (seen.daemon) seen.cause = seen.daemon->no_probe;
  attempt(seen, [&] {
    seen.flag = common::flag_is_up(run_dir, id);
    if (!seen.flag || seen.cause) return;
    const auto line = run_dir.read(paths::flag_name(id), kMostFlagBytes);
    if (line) seen.cause = flag_cause(*line);
  });
}

// The settings, or why they can't be read.
struct ReadSettings {
  common::Settings settings;
  std::string problem;
};

ReadSettings try_settings() {
  try {
    return {common::read_settings(), ""};
  } catch (const Error& problem) {
    return {{}, problem.what()};
  }
}

// What is wrong here fails every action.
void check_config(const ReadSettings& read, const cluster::Resource& resource) {
  if (!read.problem.empty()) throw Error(read.problem);
  const auto& file = read.settings.file;
  const common::TomlFile* defaults = file ? &*file : nullptr;
  if (resource.type == cluster::kScript) {
    script::read_config(defaults, resource.file);
  } else if (resource.type == cluster::kRemote) {
    remote::read_remote_config(defaults, resource.file, resource.id);
  } else {
    lbhc::read_config(defaults, resource.file, resource.info);
  }
}

// The command of a script resource with start = "async".
void observe_command(const Directory& run_dir, const Id& id, Observed& seen) {
  attempt(seen, [&] {
    if (seen.alive || script::why_not_running(run_dir, id)) return;
    seen.alive = true;
    if (const auto app = script::read_app_record(run_dir, id)) seen.pid = app->process.pid;
  });
}

// Neither a script resource nor a remote one has a daemon; they have whoever runs an action.
void observe_runner(const Directory& run_dir, const Id& id, Observed& seen) {
  for (const std::string& name : {paths::turn_name(id), paths::check_name(id)}) {
    attempt(seen, [&] {
      const auto runner = common::find_living(run_dir, name);
      if (!runner || seen.alive) return;
      seen.alive = true;
      seen.pid = runner->pid;
      seen.at_work = runner->word;
    });
  }
}

// The guest is asked for a resource that an action has worked on: another one's may be down.
void observe_guest(const Directory& run_dir, const ReadSettings& read,
                   const cluster::Resource& resource, Observed& seen) {
  const auto& file = read.settings.file;
  remote::RemoteConfig config;
  try {
    config = remote::read_remote_config(file ? &*file : nullptr, resource.file, resource.id);
  } catch (const Error&) {
    return;  // check_config() tells
  }
  seen.node = remote::node_text(config);
  const bool in_service = seen.state && common::in_service(*seen.state);
  if (seen.alive || !(in_service || script::has_trace(run_dir, resource.id))) return;
  attempt(seen, [&] {
    const remote::GuestLook look = remote::look_at_guest(config, kGuestTime);
    seen.alive = look.runs;
    if (look.pid > 0) seen.guest_pid = look.pid;
  });
}

// Nothing when there is none: check_config() says why.
std::optional<std::uint16_t> port_in(const std::string& info) {
  try {
    return lbhc::parse_info(info).port;
  } catch (const Error&) {
    return std::nullopt;
  }
}

Observed observe_entry(const Directory& run_dir, const ReadSettings& read,
                       const cluster::Cluster& cluster, const cluster::Entry& entry) {
  Observed seen;
  seen.tag = entry.tag;
  if (const auto* problem = std::get_if<std::string>(&entry.resource)) {
    seen.error = *problem;
    return seen;
  }
  const auto& resource = std::get<cluster::Resource>(entry.resource);
  seen.id = resource.id.text();
  seen.type = resource.type;
  seen.info = resource.info;
  attempt(seen, [&] { check_config(read, resource); });
  attempt(seen, [&] { seen.state = cluster.states(run_dir, resource)->read(); });
  if (resource.type == cluster::kScript) {
    observe_runner(run_dir, resource.id, seen);
    observe_command(run_dir, resource.id, seen);
    return seen;
  }
  if (resource.type == cluster::kRemote) {
    observe_runner(run_dir, resource.id, seen);
    observe_guest(run_dir, read, resource, seen);
    return seen;
  }
  seen.port = port_in(resource.info);
  observe_daemon(run_dir, resource.id, seen);
  observe_flag(run_dir, resource.id, seen);
  return seen;
}

// One that can't be read throws only when it is not there: then there is nothing to show.
Entries find_entries(const cluster::Cluster& cluster, const std::optional<common::Tag>& only) {
  if (!only) return cluster.list();
  try {
    return {{only->text(), cluster.find(*only)}};
  } catch (const Error& problem) {
    if (::access(paths::resource_file(*only).c_str(), F_OK) != 0) throw;
    return {{only->text(), std::string(problem.what())}};
  }
}

}  // namespace

std::vector<Observed> observe(const std::optional<common::Tag>& only) {
  const Directory run_dir = common::open_run_dir();
  const ReadSettings read = try_settings();
  const auto cluster = cluster::open_cluster(read.settings);
  std::vector<Observed> all;
  for (const auto& entry : find_entries(*cluster, only)) {
    all.push_back(observe_entry(run_dir, read, *cluster, entry));
  }
  return all;
}

}  // namespace genapp::ctl
