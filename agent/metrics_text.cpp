#include "agent/metrics_text.hpp"

#include <functional>
#include <utility>

#include "agent/notice.hpp"
#include "common/prometheus.hpp"

namespace genapp::agent {
namespace {

using common::PrometheusText;

constexpr std::array kAllStates{
    State::detached,          State::opening,      State::probing,           State::online,
    State::offline,           State::going_online, State::going_online_wait, State::going_offline,
    State::going_offline_wait};
constexpr std::array kSeverities{Severity::info, Severity::warning, Severity::error};

std::string labels_of(const ResourceView& resource) {
  return PrometheusText::label("tag", resource.tag) + "," +
         PrometheusText::label("group", resource.group);
}

double unix_seconds(common::WallClock::time_point when) {
  return std::chrono::duration<double>(when.time_since_epoch()).count();
}

// A family with one sample for each resource that `value` has one for.
void add_family(PrometheusText& text, const View& view, const std::string& name, const char* help,
                const std::function<std::optional<double>(const ResourceView&)>& value) {
  text.family("genapp_resource_" + name, "gauge", help);
  for (const ResourceView& resource : view.resources) {
    if (const auto number = value(resource)) text.sample(*number, labels_of(resource));
  }
}

void add_states(PrometheusText& text, const View& view) {
  text.family("genapp_resource_state", "gauge", "1 for the state that the resource is in, else 0.");
  for (const ResourceView& resource : view.resources) {
    for (const State state : kAllStates) {
      text.sample(resource.state == state ? 1 : 0,
                  labels_of(resource) + "," + PrometheusText::label("state", name_of(state)));
    }
  }
}

void add_resources(PrometheusText& text, const View& view, const ClockPair& now) {
  using Value = std::optional<double>;
  add_states(text, view);
  add_family(text, view, "faulted", "1 when a fault keeps the resource from being started, else 0.",
             [](const ResourceView& one) -> Value { return one.faulted ? 1 : 0; });
  add_family(text, view, "suspended", "1 when the resource's monitors are suspended, else 0.",
             [](const ResourceView& one) -> Value { return one.suspended ? 1 : 0; });
  add_family(text, view, "wanted", "1 when the resource is to be online on this node, else 0.",
             [](const ResourceView& one) -> Value { return one.wanted ? 1 : 0; });
  add_family(
      text, view, "restarts", "Restarts that count against restart_limit at the moment.",
      [](const ResourceView& one) -> Value { return static_cast<double>(one.counts.restarts); });
  // It keeps its state while nobody can tell: that alone would look well.
  add_family(text, view, "known",
             "1 when the last look told how the resource is, 0 when it could not or took too long.",
             [](const ResourceView& one) -> Value {
               const auto* probe = last_probe(one);
               if (!probe || one.suspended || one.state == State::detached) return std::nullopt;
               return probe->how == Ended::done || probe->how == Ended::failed ? 1 : 0;
             });
  add_family(text, view, "last_probe_seconds", "How long the last look at the resource took.",
             [](const ResourceView& one) -> Value {
               const auto* probe = last_probe(one);
               if (!probe) return std::nullopt;
               return std::chrono::duration<double>(probe->took).count();
             });
  add_family(text, view, "last_probe_timestamp_seconds",
             "When the last look at the resource ended.", [&now](const ResourceView& one) -> Value {
               const auto* probe = last_probe(one);
               if (!probe) return std::nullopt;
               return unix_seconds(now.to_wall(probe->at));
             });
}

void add_monitors(PrometheusText& text, const View& view) {
  text.family("genapp_monitor_healthy", "gauge",
              "1 when the monitor watches and sees nothing wrong, 0 when it has failed.");
  for (const ResourceView& resource : view.resources) {
    for (const MonitorView& monitor : resource.monitors) {
      const bool failed = monitor.state == MonitorState::failed;
      // One that does not look knows nothing.
      if (!failed && monitor.state != MonitorState::watching) continue;
      text.sample(failed ? 0 : 1, PrometheusText::label("tag", resource.tag) + "," +
                                      PrometheusText::label("monitor", monitor.name) + "," +
                                      PrometheusText::label("kind", name_of(monitor.kind)));
    }
  }
}

}  // namespace

std::string metrics_text(const View& view, const AgentInfo& agent, const ClockPair& now,
                         const NoticeCounts& notices) {
  PrometheusText text;
  text.family("genapp_agent_info", "gauge", "1; the agent's version is a label.");
  text.sample(1, PrometheusText::label("version", GENAPP_VERSION));
  text.family("genapp_agent_start_timestamp_seconds", "gauge", "When the agent was started.");
  text.sample(unix_seconds(now.to_wall(agent.since)));
  text.family("genapp_agent_notices_total", "counter", "What the agent has told, by severity.");
  for (std::size_t i = 0; i < notices.size(); ++i) {
    text.sample(static_cast<double>(notices[i]),
                PrometheusText::label("severity", name_of(kSeverities[i])));
  }
  add_resources(text, view, now);
  add_monitors(text, view);
  return text.take();
}

}  // namespace genapp::agent
