#include "remote/appserver/sessions.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "common/account.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "remote/keeper_start.hpp"

namespace genapp::remote {
namespace {

namespace log = common::log;
namespace paths = common::paths;
using common::Error;

constexpr std::size_t kMostRecordBytes = 256 * 1024;

std::string words(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + common::quoted(word);
  return text;
}

std::string in_quotes(const common::Id& id) { return "\"" + id.text() + "\""; }

// What is asked for, for the log.
struct Wording {
  std::string operator()(const Start& start) const {
    return "start " + in_quotes(start.session) + ": " + words(start.command);
  }
  std::string operator()(const Attach& attach) const {
    return "attach to " + in_quotes(attach.session);
  }
  std::string operator()(const Stop& stop) const {
    return std::string(stop.forget ? "stop and forget " : "stop ") + in_quotes(stop.session);
  }
  std::string operator()(const Signal& signal) const {
    return "signal " + common::quoted(signal.signal) + " for " + in_quotes(signal.session);
  }
  std::string operator()(const Acknowledge& acknowledge) const {
    return "acknowledge the end of " + in_quotes(acknowledge.session);
  }
  std::string operator()(const AskSession& ask) const {
    return "ask for " + in_quotes(ask.session);
  }
  std::string operator()(const AskSessions&) const { return "ask for all sessions"; }
  std::string operator()(const Taken&) const { return "taken"; }
};

// Throws common::Error.
common::Account account_for(const Rule& rule) {
  if (rule.user.empty()) return common::account_of(::geteuid());
  common::Account account = common::find_account(rule.user);
  if (::geteuid() != 0 && account.identity.user != ::geteuid()) {
    throw Error("the appserver is not root and can run nothing as " + rule.user);
  }
  return account;
}

}  // namespace

struct Sessions::Call {
  Asker asker;
  std::uint64_t ref = 0;
  std::string what;
  Viewer* viewer = nullptr;
  std::function<void(std::chrono::seconds)> set_timeout;
  Answer answer;

  void log_done(const std::string& how) const {
    log::info(asker.certificate + " at " + asker.from + ": " + what + (how.empty() ? "" : ": ") +
              how);
  }
  void reply(const Session& session, bool started = false) const {
    reply_with(session.view(), started);
  }
  // It is told before anything that comes of being attached.
  void reply_attached(const Session& session, bool started) const {
    SessionView view = session.view();
    view.attached = true;
    reply_with(std::move(view), started);
  }
  void reply_with(SessionView view, bool started) const {
    Reply reply;
    reply.ref = ref;
    reply.session = std::move(view);
    reply.started = started;
    answer(std::move(reply));
  }
};

Sessions::Sessions(boost::asio::io_context& io, common::Directory folders, std::string keeper,
                   std::optional<std::uint64_t> open_files, const ServerConfig& config)
    : io_(io),
      folders_(std::move(folders)),
      keeper_(std::move(keeper)),
      open_files_(open_files),
      config_(config) {}

void Sessions::adopt() {
  for (const std::string& name : folders_.names()) {
    if (!common::is_identifier(name)) continue;
    try {
      const auto folder = folders_.subdirectory_if_there(name);
      const auto text = folder ? folder->read(paths::kSession, kMostRecordBytes) : std::nullopt;
      auto record = text ? parse_session_record(*text) : std::nullopt;
      if (!record) {
        // A start that was killed before it could note what it starts has started nothing.
        throw Error("no session is noted there");
      }
      const auto session = Session::make(
          {io_, folders_, common::Id(name), std::move(*record), [this, name] { gone(name); }});
      if (!session->adopt()) continue;
      sessions_.emplace(name, session);
      log::info("session \"" + name + "\": taken over, " + std::string(name_of(session->state())) +
                ": " + words(session->record().command));
    } catch (const Error& problem) {
      log::error("session \"" + name + "\" is not taken over: " + problem.what());
    }
  }
}

void Sessions::refuse(const Call& call, Refusal refusal, const std::string& text) const {
  log::warn(call.asker.certificate + " at " + call.asker.from + ": " + call.what + ": refused, " +
            std::string(name_of(refusal)) + ": " + text);
  Reply reply;
  reply.ref = call.ref;
  reply.refusal = refusal;
  reply.text = text;
  call.answer(std::move(reply));
}

std::shared_ptr<Session> Sessions::find(const common::Id& id) const {
  const auto found = sessions_.find(id.text());
  return found == sessions_.end() ? nullptr : found->second;
}

// A session that this certificate may do something with; else it is refused. One that is there is
// never told not to be: whoever stops it would take it for ended.
std::shared_ptr<Session> Sessions::need(const common::Id& id, const Call& call,
                                        const Rule** rule) const {
  const auto session = find(id);
  if (!session) {
    refuse(call, Refusal::unknown_session, "there is no session " + in_quotes(id));
    return nullptr;
  }
  const Rule* found = find_rule(config_.policy, call.asker.certificate, session->record().command);
  if (!found) {
    refuse(call, Refusal::denied, "no rule allows what session " + in_quotes(id) + " runs");
    return nullptr;
  }
  if (rule) *rule = found;
  return session;
}

class Sessions::Doer {
 public:
  Doer(Sessions& sessions, Call& call) : all_(sessions), call_(call) {}

  void operator()(const Start& start) { all_.start(start, std::move(call_)); }
  void operator()(const Attach& attach) { all_.attach(attach, std::move(call_)); }

  void operator()(const Stop& stop) {
    const Rule* rule = nullptr;
    const auto session = all_.need(stop.session, call_, &rule);
    if (!session) return;
    if (session->state() == SessionState::starting) {
      return all_.refuse(call_, Refusal::busy, "it is being started");
    }
    call_.log_done("");
    const auto kill_after = std::min(std::chrono::seconds(stop.kill_after_s), rule->kill_after);
    session->stop(kill_after, [session, forget = stop.forget, call = call_](const Outcome&) {
      if (!forget) return call.reply(*session);
      finish(session, call);
    });
  }

  void operator()(const Signal& signal) {
    const Rule* rule = nullptr;
    const auto session = all_.need(signal.session, call_, &rule);
    if (!session) return;
    const auto number = signal_number(signal.signal);
    if (!number) {
      return all_.refuse(call_, Refusal::bad_request,
                         common::quoted(signal.signal) + " is no signal");
    }
    if (!allows_signal(*rule, *number)) {
      return all_.refuse(call_, Refusal::denied,
                         "signals of [allow." + rule->name + "] does not have it");
    }
    if (session->state() != SessionState::running) {
      return all_.refuse(call_, Refusal::not_running, "its command does not run");
    }
    call_.log_done("");
    session->signal(*number);
    call_.reply(*session);
  }

  void operator()(const Acknowledge& acknowledge) {
    const auto session = all_.need(acknowledge.session, call_, nullptr);
    if (!session) return;
    if (session->state() != SessionState::ended) {
      return all_.refuse(call_, Refusal::not_ended, "its command has not ended");
    }
    call_.log_done("");
    finish(session, call_);
  }

  void operator()(const AskSession& ask) {
    const auto session = all_.need(ask.session, call_, nullptr);
    if (!session) return;
    call_.log_done("");
    call_.reply(*session);
  }

  void operator()(const AskSessions&) {
    call_.log_done("");
    Reply reply;
    reply.ref = call_.ref;
    for (const auto& [name, session] : all_.sessions_) {
      if (find_rule(all_.config_.policy, call_.asker.certificate, session->record().command)) {
        reply.sessions.push_back(session->view());
      }
    }
    call_.answer(std::move(reply));
  }

  void operator()(const Taken& taken) {
    const auto found = all_.attached_.find(call_.viewer);
    if (found != all_.attached_.end()) found->second->taken(taken.offsets);
  }

 private:
  // The reply shows the session as it was at last.
  static void finish(const std::shared_ptr<Session>& session, const Call& call) {
    session->forget([session, call](const Outcome& outcome) {
      if (!outcome.refusal) return call.reply(*session);
      Reply reply;
      reply.ref = call.ref;
      reply.refusal = outcome.refusal;
      reply.text = outcome.text;
      log::error(call.what + ": " + outcome.text);
      call.answer(std::move(reply));
    });
  }

  Sessions& all_;
  Call& call_;
};

void Sessions::ask(const Asker& asker, const NumberedRequest& request, Viewer& viewer,
                   const std::function<void(std::chrono::seconds)>& set_timeout, Answer answer) {
  Call call{asker,   request.ref, std::visit(Wording(), request.request),
            &viewer, set_timeout, std::move(answer)};
  std::visit(Doer(*this, call), request.request);
}

void Sessions::leave(Viewer& viewer) {
  const auto found = attached_.find(&viewer);
  if (found == attached_.end()) return;
  found->second->leave(viewer);
  attached_.erase(found);
}

void Sessions::gone(const std::string& name) {
  const auto found = sessions_.find(name);
  if (found == sessions_.end()) return;
  std::erase_if(attached_, [&](const auto& entry) { return entry.second == found->second; });
  sessions_.erase(found);
}

void Sessions::attach(const Attach& attach, Call call) {
  const auto session = need(attach.session, call, nullptr);
  if (!session) return;
  if (session->state() == SessionState::starting) {
    return session->when_started([this, attach, call](const Outcome& outcome) {
      if (outcome.refusal) return refuse(call, *outcome.refusal, outcome.text);
      this->attach(attach, call);
    });
  }
  attach_to(session, attach.manager, std::chrono::seconds(attach.timeout_s), call);
}

void Sessions::attach_to(const std::shared_ptr<Session>& session, const std::string& manager,
                         std::chrono::seconds timeout, const Call& call) {
  if (!call.viewer->here()) return;
  if (!session->manager().empty() && session->manager() != manager) {
    return refuse(call, Refusal::busy, "another manager is attached to it");
  }
  const auto mine = attached_.find(call.viewer);
  if (mine != attached_.end() && mine->second != session) {
    return refuse(call, Refusal::bad_request, "this connection is attached to another session");
  }
  call.log_done("attached, " + std::string(name_of(session->state())));
  call.set_timeout(timeout);
  call.reply_attached(*session, false);
  std::erase_if(attached_, [&](const auto& entry) { return entry.second == session; });
  attached_[call.viewer] = session;
  session->attach(*call.viewer, manager);
}

void Sessions::started(const std::shared_ptr<Session>& session, const Start& start,
                       const Call& call) {
  call.log_done("allowed by [allow." + session->record().rule + "], runs as " +
                session->record().user + ", process " + std::to_string(session->view().pid));
  // A manager that has gone meanwhile comes again and finds it.
  if (!start.attach || !call.viewer->here()) session->hold();
  if (!call.viewer->here()) return;
  if (!start.attach) return call.reply(*session, true);
  call.set_timeout(std::chrono::seconds(start.timeout_s));
  call.reply_attached(*session, true);
  attached_[call.viewer] = session;
  session->attach(*call.viewer, start.manager);
}

void Sessions::start(const Start& start, Call call) {
  const Rule* rule = find_rule(config_.policy, call.asker.certificate, start.command);
  if (!rule) return refuse(call, Refusal::denied, "no rule allows it");
  if (const std::string why = refused_environment(*rule, start.environment); !why.empty()) {
    return refuse(call, Refusal::denied, why);
  }
  if (const auto session = find(start.session)) {
    if (session->record().command != start.command) {
      return refuse(call, Refusal::other_command, "the session has another command");
    }
    if (session->state() == SessionState::starting) {
      return session->when_started([this, start, call](const Outcome& outcome) {
        if (outcome.refusal) return refuse(call, *outcome.refusal, outcome.text);
        this->start(start, call);
      });
    }
    const std::chrono::seconds timeout(start.timeout_s);
    if (start.attach) return attach_to(session, start.manager, timeout, call);
    call.log_done("it is there already");
    return call.reply(*session);
  }
  if (sessions_.size() >= config_.max_sessions) {
    return refuse(call, Refusal::limit,
                  "there are " + std::to_string(sessions_.size()) +
                      " sessions, of max_sessions = " + std::to_string(config_.max_sessions));
  }
  const auto of_rule = std::count_if(sessions_.begin(), sessions_.end(), [rule](const auto& entry) {
    return entry.second->record().rule == rule->name &&
           entry.second->state() != SessionState::ended;
  });
  if (rule->max_sessions && static_cast<std::size_t>(of_rule) >= *rule->max_sessions) {
    return refuse(call, Refusal::limit,
                  "[allow." + rule->name + "] has its max_sessions = " +
                      std::to_string(*rule->max_sessions) + " already");
  }
  KeeperStart keeper;
  SessionRecord record;
  try {
    const common::Account account = account_for(*rule);
    const Person person{account.name, account.home, account.shell};
    keeper.session_dir = folders_.full(start.session.text());
    keeper.session = start.session;
    keeper.command = start.command;
    keeper.environment =
        command_environment(*rule, person, start.session.text(), start.environment);
    if (::geteuid() == 0) keeper.identity = account.identity;
    keeper.umask = rule->umask;
    keeper.limits = rule->limits;
    keeper.buffer = config_.buffer_bytes;
    keeper.stall = config_.stall;
    keeper.kill_after = rule->kill_after;
    keeper.directory = rule->directory;
    keeper.leftovers = rule->end_leftovers ? Leftovers::end : Leftovers::leave;
    const auto now = common::WallClock::now().time_since_epoch();
    record = {
        start.manager, call.asker.certificate,
        rule->name,    account.name.empty() ? std::to_string(account.identity.user) : account.name,
        start.command, std::chrono::duration_cast<std::chrono::seconds>(now).count()};
  } catch (const Error& problem) {
    return refuse(call, Refusal::failed, "[allow." + rule->name + "]: " + problem.what());
  }
  const std::string name = start.session.text();
  const auto session = Session::make(
      {io_, folders_, start.session, std::move(record), [this, name] { gone(name); }});
  sessions_.emplace(name, session);
  // Its standard output is the session's to give.
  common::Spawn spawn = keeper_spawn(keeper_, keeper, ::getpid(), -1);
  if (open_files_) spawn.limits.push_back({RLIMIT_NOFILE, *open_files_, true});
  session->start(std::move(spawn), [this, session, start, call](const Outcome& outcome) {
    if (outcome.refusal) return refuse(call, *outcome.refusal, outcome.text);
    started(session, start, call);
  });
}

}  // namespace genapp::remote
