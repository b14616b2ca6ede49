#include "agent/status_json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "common/printable.hpp"

namespace genapp::agent {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostReasonBytes = 1000;

// A monitor's words may be no UTF-8, which JSON must be.
std::string words(const std::string& text) {
  return common::printable_utf8(text, kMostReasonBytes);
}

// name_of() an optional one.
template <typename Named>
json::value name_or_null(const std::optional<Named>& named) {
  return named ? json::value(name_of(*named)) : json::value(nullptr);
}

json::value words_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(words(text));
}

json::array array_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::object agent_object(const AgentInfo& agent, const ClockPair& now) {
  return {{"version", GENAPP_VERSION},
          {"pid", agent.pid},
          {"since", common::utc_text(now.to_wall(agent.since))}};
}

json::array groups_array(const View& view) {
  json::array out;
  for (const GroupView& group : view.groups) {
    out.push_back(
        {{"name", group.name}, {"standby", group.standby}, {"falling_over", group.falling_over}});
  }
  return out;
}

json::object counts_object(const Machine::Counts& counts) {
  return {{"monitor_timeouts", counts.monitor_timeouts},
          {"tolerated", counts.tolerated},
          {"restarts", counts.restarts},
          {"retries", counts.retries},
          {"waits", counts.waits}};
}

json::array monitors_array(const std::vector<MonitorView>& monitors) {
  json::array out;
  for (const MonitorView& monitor : monitors) {
    out.push_back({{"name", monitor.name},
                   {"kind", name_of(monitor.kind)},
                   {"mode", name_of(monitor.mode)},
                   {"state", name_of(monitor.state)},
                   {"restarts", monitor.restarts},
                   {"reason", words_or_null(monitor.reason)}});
  }
  return out;
}

json::array stays_array(const History& history, const ClockPair& now) {
  json::array out;
  for (const History::Stay& stay : history.stays()) {
    out.push_back({{"since", common::utc_text(now.to_wall(stay.since))},
                   {"state", name_of(stay.state)},
                   {"faulted", stay.faulted}});
  }
  return out;
}

json::array probes_array(const History& history, const ClockPair& now) {
  json::array out;
  for (const History::Probe& probe : history.probes()) {
    const auto took = std::chrono::round<std::chrono::microseconds>(probe.took);
    out.push_back({{"at", common::utc_text(now.to_wall(probe.at))},
                   {"how", name_of(probe.how)},
                   {"took_ms", std::chrono::duration<double, std::milli>(took).count()}});
  }
  return out;
}

json::object resource_object(const ResourceView& resource, const ClockPair& now, Past past) {
  const History::Probe* const probe = last_probe(resource);
  json::object out{{"tag", resource.tag},
                   {"id", resource.id},
                   {"type", resource.type},
                   {"group", words_or_null(resource.group)},
                   {"critical", resource.critical},
                   {"depends_on", array_of(resource.depends_on)},
                   {"state", name_of(resource.state)},
                   {"faulted", resource.faulted},
                   {"fault", words_or_null(resource.fault)},
                   {"suspended", resource.suspended},
                   {"wanted", resource.wanted},
                   {"running", name_or_null(resource.running)},
                   {"waiting", name_or_null(resource.waiting)},
                   {"goal", name_or_null(resource.goal)},
                   {"since", common::utc_text(now.to_wall(resource.since))},
                   {"last_reason", words_or_null(resource.last_reason)},
                   {"last_probe", probe ? json::value(name_of(probe->how)) : json::value(nullptr)},
                   {"counts", counts_object(resource.counts)},
                   {"monitors", monitors_array(resource.monitors)}};
  if (past == Past::included) {
    const History none;
    const History& history = resource.history ? *resource.history : none;
    out["stays"] = stays_array(history, now);
    out["probes"] = probes_array(history, now);
  }
  return out;
}

json::object head(const AgentInfo& agent, const ClockPair& now) {
  return {{"version", 1}, {"now", common::utc_text(now.wall)}, {"agent", agent_object(agent, now)}};
}

// What a resource is, in a form that is made fast and differs whenever its JSON would. Times are
// the view's own, so that a step of the wall clock changes nothing.
class Print {
 public:
  Print& operator<<(const std::string& text) {
    // Its length before it: two texts can't pass for others that are joined alike.
    *this << text.size();
    out_ += text;
    return *this;
  }
  Print& operator<<(std::size_t number) {
    out_ += std::to_string(number);
    out_ += ' ';
    return *this;
  }
  Print& operator<<(common::Clock::time_point when) {
    return *this << static_cast<std::size_t>(when.time_since_epoch().count());
  }
  template <typename Enum>
  Print& operator<<(const std::optional<Enum>& value) {
    return *this << (value ? static_cast<std::size_t>(*value) + 1 : std::size_t{0});
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_{};
};

void print_monitors(Print& print, const std::vector<MonitorView>& monitors) {
  print << monitors.size();
  for (const MonitorView& monitor : monitors) {
    print << monitor.name << static_cast<std::size_t>(monitor.kind)
          << static_cast<std::size_t>(monitor.mode) << static_cast<std::size_t>(monitor.state)
          << monitor.restarts << monitor.reason;
  }
}

// Its last entries: nothing else of a history changes.
void print_history(Print& print, const History* history) {
  if (!history) return;
  if (!history->stays().empty()) {
    const History::Stay& last = history->stays().back();
    print << last.since << static_cast<std::size_t>(last.state) << std::size_t{last.faulted};
  }
  if (!history->probes().empty()) print << history->probes().back().at;
  print << history->probes().size() << history->stays().size();
}

std::string print_of(const ResourceView& resource) {
  Print print;
  print << resource.id << resource.type << resource.group << std::size_t{resource.critical};
  print << resource.depends_on.size();
  for (const std::string& tag : resource.depends_on) print << tag;
  const Machine::Counts& counts = resource.counts;
  print << static_cast<std::size_t>(resource.state) << std::size_t{resource.faulted}
        << resource.fault << std::size_t{resource.suspended} << std::size_t{resource.wanted}
        << resource.running << resource.waiting << resource.goal << resource.since
        << resource.last_reason << counts.monitor_timeouts << counts.tolerated << counts.restarts
        << counts.retries << counts.waits;
  print_monitors(print, resource.monitors);
  print_history(print, resource.history);
  return print.take();
}

std::string print_of(const std::vector<GroupView>& groups) {
  Print print;
  for (const GroupView& group : groups) {
    print << group.name << std::size_t{group.standby} << std::size_t{group.falling_over};
  }
  return print.take();
}

}  // namespace

std::string status_json(const View& view, const AgentInfo& agent, const ClockPair& now, Past past) {
  json::object out = head(agent, now);
  out["groups"] = groups_array(view);
  json::array resources;
  for (const ResourceView& resource : view.resources) {
    resources.push_back(resource_object(resource, now, past));
  }
  out["resources"] = std::move(resources);
  return json::serialize(out) + "\n";
}

void StatusFeed::update(const View& view) {
  const auto compare = [this](Seen& seen, std::string print) {
    seen.there = true;
    if (seen.change != 0 && seen.print == print) return;
    seen.print = std::move(print);
    seen.change = ++change_;
  };
  for (auto& [tag, seen] : resources_) seen.there = false;
  compare(groups_, print_of(view.groups));
  for (const ResourceView& resource : view.resources) {
    compare(resources_[resource.tag], print_of(resource));
  }
  const auto gone = [](const auto& entry) { return !entry.second.there; };
  if (std::erase_if(resources_, gone) == 0) return;
  // Those that are gone can't be told one by one: readers begin anew, and so do the numbers.
  forget_ = ++change_;
  for (auto& [tag, seen] : resources_) seen.change = ++change_;
}

StatusFeed::Part StatusFeed::after(std::uint64_t read, std::size_t most_bytes, const View& view,
                                   const AgentInfo& agent, const ClockPair& now) const {
  if (read > change_ || read < forget_) read = 0;
  std::vector<std::pair<std::uint64_t, const ResourceView*>> changed;
  for (const ResourceView& resource : view.resources) {
    const auto seen = resources_.find(resource.tag);
    if (seen == resources_.end() || seen->second.change <= read) continue;
    changed.emplace_back(seen->second.change, &resource);
  }
  std::sort(changed.begin(), changed.end());

  Part part{.json = {}, .read = change_, .more = false};
  if (read != 0 && changed.empty() && groups_.change <= read) return part;
  json::object out = head(agent, now);
  if (read == 0) out["whole"] = true;
  if (groups_.change > read) out["groups"] = groups_array(view);
  std::string resources;
  for (const auto& [change, resource] : changed) {
    if (resources.size() > most_bytes) {
      part.more = true;
      break;
    }
    read = change;
    if (!resources.empty()) resources += ',';
    resources += json::serialize(resource_object(*resource, now, Past::included));
  }
  if (part.more) {
    part.read = read;
    out["more"] = true;
  }
  std::string text = json::serialize(out);
  text.pop_back();
  part.json = text + ",\"resources\":[" + resources + "]}";
  return part;
}

}  // namespace genapp::agent
