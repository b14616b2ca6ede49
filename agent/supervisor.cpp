#include "agent/supervisor.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/dependency_graph.hpp"
#include "agent/managed.hpp"

namespace genapp::agent {
namespace {

std::string quote(const std::string& name) { return "\"" + name + "\""; }

std::string verb(Goal goal) { return goal == Goal::online ? "started" : "stopped"; }

// What was under way towards its goal with an earlier agent still is.
bool is_on_its_way(const Managed& one, Goal goal) {
  const State state = one.state();
  return goal == Goal::online ? state == State::going_online || state == State::going_online_wait
                              : state == State::going_offline || state == State::going_offline_wait;
}

}  // namespace

class Supervisor::Impl {
 public:
  explicit Impl(Effects& effects) : effects_(effects) {}

  void set_resources(std::vector<Known> resources, std::map<std::string, GroupConfig> groups,
                     Clock::time_point now);
  Answer request(Request request, const std::string& tag, Clock::time_point now);
  Answer request_group(Request request, const std::string& group, Clock::time_point now);
  void ended(const std::string& tag, Task task, Ended how, const std::string& reason,
             Clock::time_point now);
  void monitor_saw(const std::string& tag, const std::string& monitor, const Verdict& verdict,
                   Clock::time_point now);
  std::optional<Clock::time_point> due() const;
  void tick(Clock::time_point now);
  View view() const;
  std::optional<ResourceView> view(const std::string& tag) const;
  std::uint64_t version() const { return version_; }

 private:
  struct Group {
    GroupConfig config{};
    bool standby = false;
    std::set<std::string> members{};
  };
  // What the supervisor itself knows of a resource.
  struct Resource {
    std::unique_ptr<Managed> managed;
    bool commanded = false;   // its machine has been told of its goal
    bool auto_start = false;  // it is to be started once it is found offline
    std::optional<Clock::time_point> scheduled{};
  };
  using Resources = std::map<std::string, Resource>;

  void drop_missing(const std::vector<Known>& resources);
  void drop(const std::string& tag, const std::string& why);
  void take(Known known, Clock::time_point now);
  void make_groups(const std::vector<Known>& resources, std::map<std::string, GroupConfig> groups);
  void set_standby(const std::string& group, bool standby);
  void apply_standby();
  bool is_standby(const std::string& tag) const;

  Answer online(const std::set<std::string>& tags, Clock::time_point now);
  Answer offline(const std::set<std::string>& tags, Clock::time_point now);
  Answer command(Command command, Resource& resource, Clock::time_point now);
  std::optional<std::string> why_not_online(const std::string& tag) const;
  void set_goal(const std::string& tag, Goal goal, Clock::time_point now);
  void end_goal(Resource& resource);
  void give_up_goal(Resource& resource, const std::string& why);

  void follow(const std::string& tag, Clock::time_point now);
  void on_fault(Resource& resource, Clock::time_point now);
  void start_by_itself(const std::string& tag, Clock::time_point now);
  std::optional<std::string> why_not_by_itself(const std::string& tag) const;
  void clear_the_way(const std::string& tag, Clock::time_point now);
  bool progress(Resource& resource, Clock::time_point now);
  bool progress_online(Resource& resource, Clock::time_point now);
  bool progress_offline(Resource& resource, Clock::time_point now);
  bool tell_machine(Resource& resource, Command command, Clock::time_point now);
  void settle(Clock::time_point now);
  void fall_over(Managed& one);
  void finish(Clock::time_point now);
  void schedule(const std::string& tag, Resource& resource);
  void tell(const Managed& one, NoticeKind kind, Severity severity, std::string text);
  Managed& managed(const std::string& tag) { return *resources_.at(tag).managed; }

  Effects& effects_;
  Resources resources_{};
  std::map<std::string, Group> groups_{};
  DependencyGraph dependencies_{};
  std::set<std::pair<Clock::time_point, std::string>> due_{};
  std::set<std::string> goals_{};      // tags that have one
  std::set<std::string> giving_up_{};  // tags that are given up
  std::set<std::string> touched_{};    // to be kept and scheduled anew
  std::uint64_t version_ = 0;
};

// ---- the resources

void Supervisor::Impl::set_resources(std::vector<Known> resources,
                                     std::map<std::string, GroupConfig> groups,
                                     Clock::time_point now) {
  for (Known& known : resources) {
    // That which had the tag before is another.
    if (known.record && known.record->id != known.config.id.text()) known.record.reset();
  }
  drop_missing(resources);
  make_groups(resources, std::move(groups));
  for (Known& known : resources) take(std::move(known), now);
  std::vector<const ResourceConfig*> configs;
  for (const auto& [tag, resource] : resources_) configs.push_back(&resource.managed->config());
  dependencies_ = DependencyGraph(configs);
  apply_standby();
  finish(now);
  ++version_;  // it may be that nothing is left
}

void Supervisor::Impl::drop_missing(const std::vector<Known>& resources) {
  std::map<std::string, common::Id> there;
  for (const Known& known : resources) there.emplace(known.config.tag.text(), known.config.id);
  std::vector<std::string> tags;
  for (const auto& [tag, resource] : resources_) tags.push_back(tag);
  for (const std::string& tag : tags) {
    const auto at = there.find(tag);
    if (at == there.end()) {
      drop(tag, "it is not in the registry any more: it is left as it is");
    } else if (at->second != managed(tag).config().id) {
      drop(tag, "its id is now " + quote(at->second.text()) + ": the one before is left as it is");
    }
  }
}

void Supervisor::Impl::drop(const std::string& tag, const std::string& why) {
  const auto entry = resources_.find(tag);
  Resource& resource = entry->second;
  if (resource.scheduled) due_.erase({*resource.scheduled, tag});
  goals_.erase(tag);
  giving_up_.erase(tag);
  touched_.erase(tag);
  const bool gives_up = resource.managed->giving_up;
  tell(*resource.managed, NoticeKind::settings, gives_up ? Severity::error : Severity::warning,
       why + (gives_up ? "; no on_fallover is run for its fault" : ""));
  resource.managed->drop();
  resources_.erase(entry);
}

void Supervisor::Impl::make_groups(const std::vector<Known>& resources,
                                   std::map<std::string, GroupConfig> groups) {
  std::map<std::string, Group> made;
  for (auto& [name, config] : groups) made[name] = {config, config.standby};
  for (const Known& known : resources) {
    if (known.config.group.empty()) continue;
    Group& group = made[known.config.group];
    group.members.insert(known.config.tag.text());
    // Of one that is known already the record is of no use, and one that came from another group
    // says nothing of this.
    const bool news = !resources_.count(known.config.tag.text());
    if (news && known.record && known.record->group == known.config.group) {
      group.standby = known.record->standby;
    }
  }
  for (auto& [name, group] : made) {
    const auto before = groups_.find(name);
    if (before != groups_.end() && before->second.config.standby == group.config.standby) {
      group.standby = before->second.standby;
    }
  }
  groups_ = std::move(made);
}

void Supervisor::Impl::take(Known known, Clock::time_point now) {
  const std::string tag = known.config.tag.text();
  touched_.insert(tag);
  const auto before = resources_.find(tag);
  if (before != resources_.end()) {
    Managed& one = *before->second.managed;
    const bool same_fall =
        one.config().group == known.config.group && one.config().critical == known.config.critical;
    if (one.giving_up && !same_fall) {
      tell(one, NoticeKind::fallover, Severity::error,
           "it has other settings of its group now, so no on_fallover is run for its fault");
      one.giving_up = false;
      giving_up_.erase(tag);
    }
    if (!known.config.auto_start) before->second.auto_start = false;
    one.configure(std::move(known.config), now);
    return;
  }
  const auto group = groups_.find(known.config.group);
  const bool wanted = group == groups_.end() || !group->second.standby;
  Resource& resource = resources_[tag];
  resource.auto_start = known.config.auto_start && !known.record && wanted;
  resource.managed = std::make_unique<Managed>(std::move(known.config), effects_);
  Managed& one = *resource.managed;
  one.set_wanted(wanted);
  one.begin(known.record, now);
  resource.commanded = one.goal && is_on_its_way(one, *one.goal);
  if (one.goal) goals_.insert(tag);
  if (one.giving_up) giving_up_.insert(tag);
}

void Supervisor::Impl::set_standby(const std::string& name, bool standby) {
  if (std::exchange(groups_.at(name).standby, standby) == standby) return;
  effects_.tell({NoticeKind::command, Severity::info, "",
                 "the group " + quote(name) + " is to be online on " +
                     (standby ? "another" : "this") + " node from now on"});
  apply_standby();
}

void Supervisor::Impl::apply_standby() {
  for (auto& [tag, resource] : resources_) {
    const bool wanted = !is_standby(tag);
    if (resource.managed->wanted() == wanted) continue;
    resource.managed->set_wanted(wanted);
    touched_.insert(tag);
  }
}

bool Supervisor::Impl::is_standby(const std::string& tag) const {
  const auto group = groups_.find(resources_.at(tag).managed->config().group);
  return group != groups_.end() && group->second.standby;
}

// ---- what people ask for

Answer Supervisor::Impl::request(Request request, const std::string& tag, Clock::time_point now) {
  const auto found = resources_.find(tag);
  if (found == resources_.end()) {
    return {false, "no resource " + quote(tag) +
                       " is known to the agent; after a change of the "
                       "files: genapp reload"};
  }
  Resource& resource = found->second;
  touched_.insert(tag);
  Answer answer{true};
  switch (request) {
    case Request::online:
      answer = online({tag}, now);
      break;
    case Request::offline:
      answer = offline({tag}, now);
      break;
    case Request::enable:
      answer = command(Command::enable, resource, now);
      break;
    case Request::disable:
      answer = command(Command::disable, resource, now);
      break;
    case Request::clear:
      answer = command(Command::clear, resource, now);
      break;
    case Request::suspend:
      resource.managed->suspend(now);
      break;
    case Request::resume:
      resource.managed->resume(now);
      break;
  }
  finish(now);
  return answer;
}

Answer Supervisor::Impl::request_group(Request request, const std::string& name,
                                       Clock::time_point now) {
  const auto found = groups_.find(name);
  if (found == groups_.end() || found->second.members.empty()) {
    return {false, "no group " + quote(name) + " is known to the agent: no resource names it"};
  }
  Group& group = found->second;
  Answer answer{true};
  if (request == Request::online) {
    answer = online(group.members, now);
  } else if (request == Request::offline) {
    answer = offline(group.members, now);
    if (group.config.standby) set_standby(name, true);
  } else {
    for (const std::string& tag : group.members) {
      const Answer one = this->request(request, tag, now);
      if (!one.accepted) answer = {false, quote(tag) + ": " + one.text};
    }
  }
  finish(now);
  return answer;
}

std::optional<std::string> Supervisor::Impl::why_not_online(const std::string& tag) const {
  const Managed& one = *resources_.at(tag).managed;
  if (one.machine().faulted()) {
    return quote(tag) + " is faulted (" + one.fault() + "): see to it, then genapp clear " + tag;
  }
  if (one.state() == State::detached) {
    return quote(tag) + " is not enabled: genapp enable " + tag;
  }
  return std::nullopt;
}

Answer Supervisor::Impl::online(const std::set<std::string>& tags, Clock::time_point now) {
  std::set<std::string> all;
  for (const std::string& tag : tags) all.merge(dependencies_.with_needs(tag));
  for (const std::string& tag : all) {
    if (const auto why = why_not_online(tag)) return {false, *why};
  }
  for (const std::string& tag : all) {
    if (is_standby(tag)) set_standby(managed(tag).config().group, false);
    set_goal(tag, Goal::online, now);
  }
  return {true};
}

Answer Supervisor::Impl::offline(const std::set<std::string>& tags, Clock::time_point now) {
  // Of what is detached nothing is known, so nothing may be claimed.
  const auto is_detached = [this](const std::string& tag) {
    return managed(tag).state() == State::detached;
  };
  if (std::ranges::all_of(tags, is_detached)) {
    return {false, quote(*tags.begin()) + " is not enabled: genapp enable " + *tags.begin()};
  }
  std::set<std::string> all;
  for (const std::string& tag : tags) all.merge(dependencies_.with_dependents(tag));
  Answer answer{true};
  for (const std::string& tag : all) {
    if (is_detached(tag)) {
      answer.text = quote(tag) + " is not enabled, and left as it is";
    } else {
      set_goal(tag, Goal::offline, now);
    }
  }
  return answer;
}

Answer Supervisor::Impl::command(Command command, Resource& resource, Clock::time_point now) {
  Managed& one = *resource.managed;
  if (command == Command::enable && one.state() != State::detached) {
    // A disable that has not been followed yet is taken back.
    if (one.machine().waiting() != Command::disable) return {true, "it is enabled already"};
  }
  if (command == Command::clear && !one.machine().faulted()) return {true, "it has no fault"};
  const Step step = one.command(command, now);
  if (command == Command::disable && step.refused && one.state() == State::detached) {
    return {true, "it is disabled already"};
  }
  if (step.refused) {
    return {false, "it is " + std::string(name_of(one.state())) +
                       ", where that can't be done: try again when it is Online or Offline"};
  }
  if (command == Command::disable) {
    end_goal(resource);
    resource.auto_start = false;
  }
  if (command == Command::clear) {
    one.giving_up = false;
    giving_up_.erase(one.tag());
  }
  return {true};
}

void Supervisor::Impl::set_goal(const std::string& tag, Goal goal, Clock::time_point) {
  Resource& resource = resources_.at(tag);
  resource.auto_start = false;
  touched_.insert(tag);
  if (resource.managed->goal == goal) return;
  resource.managed->goal = goal;
  resource.commanded = false;
  goals_.insert(tag);
}

void Supervisor::Impl::end_goal(Resource& resource) {
  resource.managed->goal.reset();
  resource.commanded = false;
  goals_.erase(resource.managed->tag());
  touched_.insert(resource.managed->tag());
}

void Supervisor::Impl::give_up_goal(Resource& resource, const std::string& why) {
  Managed& one = *resource.managed;
  tell(one, NoticeKind::command, Severity::error, "it is not " + verb(*one.goal) + ": " + why);
  end_goal(resource);
}

// ---- what has happened

void Supervisor::Impl::ended(const std::string& tag, Task task, Ended how,
                             const std::string& reason, Clock::time_point now) {
  const auto found = resources_.find(tag);
  if (found == resources_.end()) return;
  if (task == Task::monitor && how == Ended::done) clear_the_way(tag, now);
  found->second.managed->ended(task, how, reason, now);
  follow(tag, now);
}

// Rule 8: of what was seen online and is to be online on another node only. What depends on it is
// taken offline first; until that is out, it is let be.
void Supervisor::Impl::clear_the_way(const std::string& tag, Clock::time_point now) {
  Managed& one = managed(tag);
  if (one.wanted() || (is_unstable(one.state()) && one.state() != State::probing)) return;
  std::set<std::string> others = dependencies_.with_dependents(tag);
  others.erase(tag);
  std::erase_if(others, [this](const std::string& other) { return managed(other).is_out(); });
  one.let_be(!others.empty());
  for (const std::string& other : others) {
    if (managed(other).goal == Goal::offline) continue;
    tell(managed(other), NoticeKind::state, Severity::warning,
         "it is taken offline, since " + quote(tag) +
             ", on which it depends, is to be online on "
             "another node only");
    set_goal(other, Goal::offline, now);
  }
}

void Supervisor::Impl::monitor_saw(const std::string& tag, const std::string& monitor,
                                   const Verdict& verdict, Clock::time_point now) {
  const auto found = resources_.find(tag);
  if (found == resources_.end()) return;
  found->second.managed->monitor_saw(monitor, verdict, now);
  follow(tag, now);
}

void Supervisor::Impl::tick(Clock::time_point now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string tag = due_.begin()->second;
    due_.erase(due_.begin());
    Resource& resource = resources_.at(tag);
    resource.scheduled.reset();
    resource.managed->tick(now);
    follow(tag, now);
  }
}

std::optional<Supervisor::Clock::time_point> Supervisor::Impl::due() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

// ---- what follows

void Supervisor::Impl::follow(const std::string& tag, Clock::time_point now) {
  touched_.insert(tag);
  finish(now);
}

// Until nothing follows from anything any more.
void Supervisor::Impl::finish(Clock::time_point now) {
  std::set<std::string> faults;
  for (bool more = true; more;) {
    more = false;
    for (const std::string& tag : std::set<std::string>(touched_)) {
      Resource& resource = resources_.at(tag);
      if (resource.managed->new_fault() && faults.insert(tag).second) {
        on_fault(resource, now);
        more = true;
      }
      if (resource.auto_start) start_by_itself(tag, now);
    }
    for (const std::string& tag : std::set<std::string>(goals_)) {
      Resource& resource = resources_.at(tag);
      if (resource.managed->goal && progress(resource, now)) more = true;
    }
  }
  settle(now);
  for (const std::string& tag : touched_) {
    Resource& resource = resources_.at(tag);
    // Whether it is to be started by itself would be forgotten with a record.
    if (!resource.auto_start) resource.managed->keep();
    schedule(tag, resource);
  }
  // After all others: an agent that is killed before leaves it to the next to begin with them.
  for (const std::string& tag : faults) {
    managed(tag).forget_new_fault();
    managed(tag).keep();
  }
  if (!touched_.empty()) ++version_;
  touched_.clear();
}

void Supervisor::Impl::on_fault(Resource& resource, Clock::time_point now) {
  Managed& one = *resource.managed;
  if (one.goal == Goal::online) end_goal(resource);
  std::set<std::string> others = dependencies_.with_dependents(one.tag());
  const auto group = groups_.find(one.config().group);
  const bool whole_group = one.config().critical && group != groups_.end();
  if (whole_group) {
    for (const std::string& tag : group->second.members) {
      others.merge(dependencies_.with_dependents(tag));
    }
    tell(one, NoticeKind::fallover, Severity::error,
         "it is critical: the group " + quote(group->first) + " is given up on this node");
  }
  others.erase(one.tag());
  for (const std::string& tag : others) {
    if (managed(tag).is_out()) {
      if (managed(tag).goal) give_up_goal(resources_.at(tag), quote(one.tag()) + " is faulted");
      continue;
    }
    tell(managed(tag), NoticeKind::fallover, Severity::warning,
         "it is taken offline, since " + quote(one.tag()) + " is faulted");
    set_goal(tag, Goal::offline, now);
  }
  const bool has_more = whole_group || !one.config().on_fallover.empty();
  if (!has_more) return;
  one.giving_up = true;
  giving_up_.insert(one.tag());
}

void Supervisor::Impl::start_by_itself(const std::string& tag, Clock::time_point now) {
  Resource& resource = resources_.at(tag);
  const State state = resource.managed->state();
  if (state == State::opening || state == State::probing) return;
  resource.auto_start = false;
  if (state != State::offline) return;
  auto why = why_not_by_itself(tag);
  if (!why) {
    const Answer answer = online({tag}, now);
    if (!answer.accepted) why = answer.text;
  }
  if (!why) return;
  tell(*resource.managed, NoticeKind::command, Severity::error,
       "it is not started by itself: " + *why);
}

// A person may say that a group is to be online here; nobody else.
std::optional<std::string> Supervisor::Impl::why_not_by_itself(const std::string& tag) const {
  for (const std::string& one : dependencies_.with_needs(tag)) {
    if (is_standby(one)) return quote(one) + " is to be online on another node";
  }
  return std::nullopt;
}

// True when it has changed something that others may have waited for.
bool Supervisor::Impl::progress(Resource& resource, Clock::time_point now) {
  return *resource.managed->goal == Goal::online ? progress_online(resource, now)
                                                 : progress_offline(resource, now);
}

bool Supervisor::Impl::tell_machine(Resource& resource, Command command, Clock::time_point now) {
  resource.commanded = true;
  touched_.insert(resource.managed->tag());
  resource.managed->command(command, now);
  return true;
}

bool Supervisor::Impl::progress_online(Resource& resource, Clock::time_point now) {
  Managed& one = *resource.managed;
  if (one.state() == State::online && !one.machine().waiting()) {
    end_goal(resource);
    return true;
  }
  if (const auto why = why_not_online(one.tag())) {
    give_up_goal(resource, *why);
    return true;
  }
  // A command would wait for a monitor that runs, and what others are could be otherwise by then.
  if (one.state() != State::offline || one.machine().running()) return false;
  if (resource.commanded) {
    give_up_goal(resource, "its start came to nothing");
    return true;
  }
  for (const std::string& tag : dependencies_.needs(one.tag())) {
    const Managed& other = managed(tag);
    if (other.state() == State::online) continue;
    const auto why = why_not_online(tag);
    if (!why && (other.goal == Goal::online || is_unstable(other.state()))) return false;
    give_up_goal(resource, why ? "it depends on another: " + *why
                               : "it depends on " + quote(tag) + ", which is offline");
    return true;
  }
  return tell_machine(resource, Command::online, now);
}

bool Supervisor::Impl::progress_offline(Resource& resource, Clock::time_point now) {
  Managed& one = *resource.managed;
  if (one.state() == State::detached) {
    give_up_goal(resource, "it is not enabled any more, and left as it is");
    return true;
  }
  if (one.is_out() && !one.machine().waiting()) {
    end_goal(resource);
    return true;
  }
  if (one.machine().running()) return false;
  const bool known = one.state() == State::online || one.state() == State::probing;
  if (resource.commanded && known) {
    give_up_goal(resource, "its stop came to nothing");
    return true;
  }
  if (one.state() != State::online) return false;
  for (const std::string& tag : dependencies_.needed_by(one.tag())) {
    const Managed& other = managed(tag);
    if (other.is_out()) continue;
    if (other.goal == Goal::offline || is_unstable(other.state())) return false;
    give_up_goal(resource, quote(tag) + ", which depends on it, is still online");
    return true;
  }
  return tell_machine(resource, Command::offline, now);
}

// Those that are given up and are offline by now, and so is their group, where that goes with them.
void Supervisor::Impl::settle(Clock::time_point) {
  for (const std::string& tag : std::set<std::string>(giving_up_)) {
    Managed& one = managed(tag);
    const auto group = groups_.find(one.config().group);
    const bool whole_group = one.config().critical && group != groups_.end();
    const auto is_out = [this](const std::string& member) { return managed(member).is_out(); };
    // Of one that was disabled meanwhile nobody knows.
    if (one.state() != State::offline ||
        (whole_group && !std::ranges::all_of(group->second.members, is_out))) {
      continue;
    }
    giving_up_.erase(tag);
    one.giving_up = false;
    touched_.insert(tag);
    fall_over(one);
  }
}

void Supervisor::Impl::fall_over(Managed& one) {
  const auto run = [&](const std::string& of, const Argv& argv, const std::string& group) {
    tell(one, NoticeKind::fallover, Severity::error,
         of + " is offline on this node" +
             (argv.empty() ? "; there is no on_fallover" : "; on_fallover is run"));
    if (argv.empty()) return;
    effects_.run_method(one.config(),
                        {"on_fallover of " + of, argv, "fallover", "", group, one.fault()});
  };
  const auto group = groups_.find(one.config().group);
  if (!one.config().on_fallover.empty()) {
    run(quote(one.tag()), one.config().on_fallover, one.config().group);
  }
  if (!one.config().critical || group == groups_.end()) return;
  if (group->second.config.standby) set_standby(group->first, true);
  run("the group " + quote(group->first), group->second.config.on_fallover, group->first);
}

void Supervisor::Impl::schedule(const std::string& tag, Resource& resource) {
  const auto due = resource.managed->due();
  if (due == resource.scheduled) return;
  if (resource.scheduled) due_.erase({*resource.scheduled, tag});
  resource.scheduled = due;
  if (due) due_.insert({*due, tag});
}

void Supervisor::Impl::tell(const Managed& one, NoticeKind kind, Severity severity,
                            std::string text) {
  effects_.tell({kind, severity, one.tag(), std::move(text)});
}

// ---- what is shown

View Supervisor::Impl::view() const {
  View view;
  for (const auto& [tag, resource] : resources_) view.resources.push_back(resource.managed->view());
  for (const auto& [name, group] : groups_) {
    const bool falling = std::ranges::any_of(group.members, [this](const std::string& tag) {
      const Managed& one = *resources_.at(tag).managed;
      return one.giving_up && one.config().critical;
    });
    view.groups.push_back({name, group.standby, falling});
  }
  return view;
}

std::optional<ResourceView> Supervisor::Impl::view(const std::string& tag) const {
  const auto found = resources_.find(tag);
  if (found == resources_.end()) return std::nullopt;
  return found->second.managed->view();
}

// ----

Supervisor::Supervisor(Effects& effects) : impl_(std::make_unique<Impl>(effects)) {}
Supervisor::~Supervisor() = default;

void Supervisor::set_resources(std::vector<Known> resources,
                               std::map<std::string, GroupConfig> groups, Clock::time_point now) {
  impl_->set_resources(std::move(resources), std::move(groups), now);
}
Answer Supervisor::request(Request request, const common::Tag& tag, Clock::time_point now) {
  return impl_->request(request, tag.text(), now);
}
Answer Supervisor::request_group(Request request, const std::string& group, Clock::time_point now) {
  return impl_->request_group(request, group, now);
}
void Supervisor::ended(const std::string& tag, Task task, Ended how, const std::string& reason,
                       Clock::time_point now) {
  impl_->ended(tag, task, how, reason, now);
}
void Supervisor::monitor_saw(const std::string& tag, const std::string& monitor,
                             const Verdict& verdict, Clock::time_point now) {
  impl_->monitor_saw(tag, monitor, verdict, now);
}
std::optional<Supervisor::Clock::time_point> Supervisor::due() const { return impl_->due(); }
void Supervisor::tick(Clock::time_point now) { impl_->tick(now); }
View Supervisor::view() const { return impl_->view(); }
std::optional<ResourceView> Supervisor::view(const std::string& tag) const {
  return impl_->view(tag);
}
std::uint64_t Supervisor::version() const { return impl_->version(); }

}  // namespace genapp::agent
