#include "ctl/observe.hpp"

#include <poll.h>

#include <boost/json.hpp>
#include <functional>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/flag_file.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/settings.hpp"
#include "ctl/list.hpp"
#include "lbhc/config.hpp"
#include "lbhc/control.hpp"

namespace genapp::ctl {
namespace {

namespace json = boost::json;
namespace paths = common::paths;
using common::Clock;
using common::Directory;
using common::Error;
using common::Id;

constexpr auto kControlTime = std::chrono::seconds(1);
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
  lbhc::read_config(file ? &*file : nullptr, resource.file, resource.info);
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
                       const cluster::Registry::Entry& entry) {
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
  seen.port = port_in(resource.info);
  attempt(seen, [&] { check_config(read, resource); });
  attempt(seen, [&] { seen.state = cluster::StateFile(run_dir, resource.id).read(); });
  observe_daemon(run_dir, resource.id, seen);
  observe_flag(run_dir, resource.id, seen);
  return seen;
}

Entries find_entries(const std::optional<common::Tag>& only) {
  const cluster::Registry registry(paths::resources_dir());
  Entries entries = registry.list();
  if (!only) return entries;
  std::erase_if(entries, [&](const auto& entry) { return entry.tag != only->text(); });
  // A resource that is not there throws in words of its own.
  if (entries.empty()) entries.push_back({only->text(), registry.read(*only)});
  return entries;
}

}  // namespace

std::vector<Observed> observe(const std::optional<common::Tag>& only) {
  const Directory run_dir = common::open_run_dir();
  const ReadSettings read = try_settings();
  std::vector<Observed> all;
  for (const auto& entry : find_entries(only)) all.push_back(observe_entry(run_dir, read, entry));
  return all;
}

std::optional<std::string> flag_cause(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* cause = object ? object->if_contains("cause") : nullptr;
  const auto* text = cause ? cause->if_string() : nullptr;
  return text ? std::optional<std::string>(std::string_view(*text)) : std::nullopt;
}

}  // namespace genapp::ctl
