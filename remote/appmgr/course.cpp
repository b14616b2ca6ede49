#include "remote/appmgr/course.hpp"

#include <string.h>

#include <utility>

#include "common/exit_code.hpp"
#include "common/printable.hpp"
#include "remote/appmgr/view.hpp"

namespace genapp::remote {
namespace {

using common::ExitCode;

constexpr int kSignalBase = 128;

Verdict verdict(ExitCode code, std::string line = {}) {
  return {static_cast<int>(code), std::move(line), {}};
}

Step note(std::string text, bool warn = false) {
  Step step;
  step.news = true;
  step.note = std::move(text);
  step.warn = warn;
  return step;
}

Step ended(Verdict how) {
  Step step;
  step.verdict = std::move(how);
  return step;
}

// What the refusal of a first request means for whoever called us.
std::string refusal_text(const Reply& reply) {
  const std::string text = common::printable_utf8(reply.text);
  const std::string name(name_of(*reply.refusal));
  return text.empty() ? name : text + " (" + name + ")";
}

// What all courses have.
class Common : public Course {
 public:
  Common(const CommandLine& line, const Settings& settings)
      : line_(line), settings_(settings), session_(line.session) {}

 protected:
  NumberedRequest number(Request request) { return {++last_ref_, std::move(request)}; }

  std::string session() const {
    return session_ ? "session \"" + session_->text() + "\"" : std::string("the sessions");
  }
  // "appmgr --node guest1 --status --session web"
  std::string call(const std::string& verb) const {
    return "appmgr --node " + settings_.node + " " + verb + " --session " + session_->text();
  }
  std::string look() const { return "see `" + call("--status") + "`"; }

  const CommandLine line_;
  const Settings settings_;
  const std::optional<common::Id> session_;

 private:
  std::uint64_t last_ref_ = 0;
};

// Starts a command, or finds it, and stays with it to its end.
class Stay final : public Common {
 public:
  Stay(const CommandLine& line, const Settings& settings, std::string manager)
      : Common(line, settings), manager_(std::move(manager)) {}

  bool stays() const override { return true; }
  bool saw_start() const override { return saw_start_; }
  bool end_known() const override { return end_known_; }
  bool stopping() const override { return stopping_ != 0; }

  Step connected() override {
    Step step;
    if (acknowledging_) {
      step.send.push_back(acknowledge());
    } else if (must_start()) {
      start_sent_ = true;
      Start start{*session_, manager_, line_.command, line_.environment, true, timeout_s()};
      step.send.push_back(number(std::move(start)));
      asked_ = step.send.back().ref;
    } else {
      step.send.push_back(number(Attach{*session_, manager_, timeout_s()}));
      asked_ = step.send.back().ref;
    }
    return step;
  }

  Step take(const Answer& answer) override {
    if (const auto* reply = std::get_if<Reply>(&answer)) return take_reply(*reply);
    if (const auto* end = std::get_if<Ended>(&answer)) return take_end(end->session, end->end);
    return {};
  }

  Step lost(const Trouble& why) override {
    asked_ = stop_asked_ = acknowledge_asked_ = 0;
    attached_ = false;
    switch (why.kind) {
      case Trouble::Kind::nonsense:
        return ended(give_up(why));
      case Trouble::Kind::replaced:
        // Only who has our own name replaces us.
        return ended(give_up(why));
      case Trouble::Kind::stranger:
      case Trouble::Kind::refused:
        if (start_sent_ || ever_attached_) break;
        return ended(
            verdict(why.kind == Trouble::Kind::refused ? ExitCode::refused : ExitCode::unreachable,
                    settings_.node + ": " + why.text + "; nothing was started"));
      case Trouble::Kind::passing:
      case Trouble::Kind::unreachable:
        break;
    }
    return {};
  }

  Verdict give_up(const Trouble& why) const override {
    if (end_known_) {
      Verdict how = known_end();
      how.line = "the command of " + session() + " on " + settings_.node + " " + words_of(end_) +
                 ", but the connection was lost (" + why.text +
                 ") before this could be acknowledged" +
                 (acknowledging_ ? "" : ", and output is missing") + ": do it with `" +
                 call("--acknowledge") + "`";
      return how;
    }
    if (!start_sent_ && !ever_attached_) {
      return verdict(ExitCode::unreachable,
                     settings_.node + ": " + why.text + "; nothing was started");
    }
    return verdict(ExitCode::connection_lost, settings_.node + ": " + why.text +
                                                  ": the command of " + session() +
                                                  " may still run there; " + look());
  }

  Step interrupted(int signal, bool connected) override {
    if (stopping_ != 0) {
      Verdict how = end_known_ ? known_end() : verdict(ExitCode::connection_lost);
      how.line = end_known_ ? "left at once; " + session() + " on " + settings_.node +
                                  " is not acknowledged: do it with `" + call("--acknowledge") + "`"
                            : "left at once: the command of " + session() + " may still run on " +
                                  settings_.node + "; " + look();
      return ended(std::move(how));
    }
    stopping_ = signal;
    if (!start_sent_ && !ever_attached_) return ended(not_begun());
    if (end_known_) return {};
    Step step = note("ending the command of " + session() + ", KILL after " +
                     std::to_string(settings_.kill_after.count()) + " seconds");
    if (connected && attached_) step.send.push_back(stop());
    return step;
  }

  Step output_over(bool connected) override {
    if (!end_known_ || std::exchange(acknowledging_, true)) return {};
    Step step;
    if (connected && attached_) step.send.push_back(acknowledge());
    return step;
  }

 private:
  bool must_start() const {
    // Of a start whose reply was lost, and that is not wanted any more, it is only seen whether it
    // was done.
    return line_.verb == Verb::run && !ever_attached_ && stopping_ == 0;
  }
  int timeout_s() const { return static_cast<int>(settings_.timeout.count()); }

  NumberedRequest stop() {
    auto request = number(Stop{*session_, static_cast<int>(settings_.kill_after.count()), false});
    stop_asked_ = request.ref;
    return request;
  }
  NumberedRequest acknowledge() {
    auto request = number(Acknowledge{*session_});
    acknowledge_asked_ = request.ref;
    return request;
  }

  Verdict known_end() const {
    Verdict how;
    how.code = exit_code_of(end_);
    const bool silent = end_ && (!end_->signalled || stopping_ != 0);
    if (!silent) {
      how.line = "the command of " + session() + " on " + settings_.node + " " + words_of(end_);
    }
    return how;
  }

  Verdict not_begun() const {
    Verdict how;
    how.code = kSignalBase + stopping_;
    how.line = line_.verb == Verb::run
                   ? "stopped; nothing was started on " + settings_.node
                   : "stopped; " + session() + " on " + settings_.node + " was left as it is";
    return how;
  }

  Step take_reply(const Reply& reply) {
    // Refused without a number: not even that was understood.
    if (reply.ref == 0) return asked_ != 0 && reply.refusal ? take_attached(reply) : Step();
    if (reply.ref == asked_) return take_attached(reply);
    if (reply.ref == stop_asked_) return take_stopped(reply);
    if (reply.ref == acknowledge_asked_) return take_acknowledged(reply);
    return {};
  }

  Step take_attached(const Reply& reply) {
    if (reply.refusal) return ended(not_attached(reply));
    asked_ = 0;
    Step step;
    if (!ever_attached_) {
      saw_start_ = reply.started;
      step = note(first_words(reply), !reply.started && line_.verb == Verb::run);
    }
    ever_attached_ = attached_ = step.useful = true;
    if (stopping_ != 0 && !end_known_) step.send.push_back(stop());
    return step;
  }

  std::string first_words(const Reply& reply) const {
    const std::string who =
        "the command of " + session() + " on " + settings_.node +
        (reply.session ? ", process " + std::to_string(reply.session->pid) : std::string());
    if (reply.started) return who + ": started";
    std::string words = who + ": was there already";
    if (reply.session && reply.session->dropped > 0) {
      words += "; " + std::to_string(reply.session->dropped) + " bytes of its output were lost";
    }
    return words;
  }

  Verdict not_attached(const Reply& reply) const {
    const Refusal why = *reply.refusal;
    const std::string text = refusal_text(reply);
    if (why == Refusal::unknown_session) return not_there();
    if (ever_attached_) {
      return verdict(ExitCode::refused, settings_.node + ": " + text + ": the command of " +
                                            session() + " may still run there; " + look());
    }
    if (why == Refusal::could_not_start) {
      return verdict(ExitCode::could_not_start,
                     settings_.node + ": " + common::quoted(line_.command[0]) +
                         " could not be started: " + common::printable_utf8(reply.text));
    }
    const bool busy = why == Refusal::busy;
    return verdict(ExitCode::refused,
                   settings_.node + ": refused: " + text +
                       (busy ? ": " + session() + " has a manager already; nothing was started"
                        : line_.verb == Verb::run ? "; nothing was started"
                                                  : ""));
  }

  Verdict not_there() const {
    if (end_known_) return known_end();  // somebody else has acknowledged it
    if (stopping_ != 0 && !ever_attached_) return not_begun();
    const std::string where = settings_.node + ": the appserver there ";
    if (!ever_attached_) {
      return verdict(ExitCode::server_gone, where + "has no " + session() + " of ours");
    }
    return verdict(ExitCode::server_gone,
                   where + "does not know " + session() +
                       " any more: how its command has ended, or whether it runs, is not known");
  }

  Step take_stopped(const Reply& reply) {
    stop_asked_ = 0;
    if (!reply.refusal) {
      if (reply.session && reply.session->state == SessionState::ended) {
        return take_end(session_->text(), reply.session->end);
      }
      return {};
    }
    if (*reply.refusal == Refusal::unknown_session) return ended(not_there());
    return note(settings_.node + ": the command is not ended: " + refusal_text(reply) +
                    "; a second signal leaves it",
                true);
  }

  Step take_acknowledged(const Reply& reply) {
    acknowledge_asked_ = 0;
    Verdict how = known_end();
    // Unknown: an earlier one was heard, whose reply was lost.
    if (reply.refusal && *reply.refusal != Refusal::unknown_session) {
      how.line = "the command of " + session() + " on " + settings_.node + " " + words_of(end_) +
                 ", but the session can't be forgotten there: " + refusal_text(reply);
    }
    return ended(std::move(how));
  }

  Step take_end(const std::string& of, const SessionEnd& end) {
    if (of != session_->text() || std::exchange(end_known_, true)) return {};
    end_ = end;
    return note("the command of " + session() + " " + words_of(end));
  }

  const std::string manager_;
  bool start_sent_ = false;     // on any connection
  bool ever_attached_ = false;  // on any connection
  bool attached_ = false;       // on this one
  bool saw_start_ = false;
  bool end_known_ = false;
  SessionEnd end_{};
  bool acknowledging_ = false;
  int stopping_ = 0;  // the signal
  // Of this connection; 0: not asked.
  std::uint64_t asked_ = 0;
  std::uint64_t stop_asked_ = 0;
  std::uint64_t acknowledge_asked_ = 0;
};

// One request and its reply.
class Ask final : public Common {
 public:
  Ask(const CommandLine& line, const Settings& settings, std::string manager)
      : Common(line, settings), manager_(std::move(manager)) {}

  Step connected() override {
    Step step;
    step.useful = true;
    step.send.push_back(number(request()));
    asked_ = step.send.back().ref;
    sent_ = true;
    return step;
  }

  Step take(const Answer& answer) override {
    const auto* reply = std::get_if<Reply>(&answer);
    // Refused without a number: not even that was understood.
    const bool ours = reply && (reply->ref == asked_ || (reply->ref == 0 && reply->refusal));
    if (!ours || asked_ == 0) return {};
    return ended(reply->refusal ? refused(*reply) : done(*reply));
  }

  Step lost(const Trouble& why) override {
    asked_ = 0;
    const bool hopeless =
        why.kind != Trouble::Kind::passing && why.kind != Trouble::Kind::unreachable;
    // What only asks, or must not be done twice, is not tried again.
    if (hopeless || !is_persistent()) return ended(give_up(why));
    return {};
  }

  Verdict give_up(const Trouble& why) const override {
    const std::string text = settings_.node + ": " + why.text;
    if (why.kind == Trouble::Kind::refused) return verdict(ExitCode::refused, text);
    if (!sent_ || line_.verb == Verb::status || line_.verb == Verb::list) {
      return verdict(ExitCode::unreachable, text + nothing_done());
    }
    return verdict(ExitCode::connection_lost,
                   text + ": whether " + what() + " was heard is not known; " + look());
  }

  Step interrupted(int signal, bool /*connected*/) override {
    Verdict how;
    how.code = kSignalBase + signal;
    how.line = sent_ && line_.verb != Verb::status && line_.verb != Verb::list
                   ? "stopped while " + what() + " was under way; " + look()
                   : std::string("stopped");
    return ended(std::move(how));
  }

  std::optional<std::chrono::seconds> deadline() const override {
    return line_.verb == Verb::stop ? settings_.timeout + settings_.kill_after : settings_.timeout;
  }

 private:
  Request request() const {
    switch (line_.verb) {
      case Verb::detach:
        return Start{*session_,         manager_, line_.command,
                     line_.environment, false,    static_cast<int>(settings_.timeout.count())};
      case Verb::signal:
        return Signal{*session_, line_.signal};
      case Verb::stop:
        return Stop{*session_, static_cast<int>(settings_.kill_after.count()), line_.forget};
      case Verb::acknowledge:
        return Acknowledge{*session_};
      case Verb::list:
        return AskSessions{};
      default:
        return AskSession{*session_};
    }
  }

  // What may be done again until it was heard.
  bool is_persistent() const {
    return line_.verb == Verb::detach || line_.verb == Verb::stop ||
           line_.verb == Verb::acknowledge;
  }

  std::string what() const {
    switch (line_.verb) {
      case Verb::detach:
        return "the start";
      case Verb::signal:
        return "the signal";
      case Verb::stop:
        return "the stop";
      default:
        return "the acknowledgement";
    }
  }
  std::string nothing_done() const {
    return line_.verb == Verb::detach ? "; nothing was started" : "";
  }

  Verdict refused(const Reply& reply) const {
    const Refusal why = *reply.refusal;
    const std::string text = settings_.node + ": " + refusal_text(reply);
    if (why == Refusal::unknown_session) return unknown(text);
    switch (why) {
      case Refusal::could_not_start:
        return verdict(ExitCode::could_not_start,
                       settings_.node + ": " + common::quoted(line_.command.at(0)) +
                           " could not be started: " + common::printable_utf8(reply.text));
      case Refusal::not_running:
      case Refusal::not_ended:
        return verdict(ExitCode::failed, text + "; " + look());
      default:
        return verdict(ExitCode::refused, text + nothing_done());
    }
  }

  Verdict unknown(const std::string& text) const {
    switch (line_.verb) {
      case Verb::stop:
        return verdict(ExitCode::ok);
      case Verb::acknowledge:
        // The second time: the first one's reply was lost.
        return asked_ > 1 ? verdict(ExitCode::ok) : verdict(ExitCode::server_gone, text);
      case Verb::status: {
        Verdict how = verdict(ExitCode::failed);
        if (line_.json) {
          how.out = unknown_session_json(session_->text());
        } else {
          how.line = text;
        }
        return how;
      }
      default:
        return verdict(ExitCode::server_gone, text);
    }
  }

  Verdict done(const Reply& reply) const {
    Verdict how;
    if (line_.verb == Verb::list) {
      how.out = line_.json ? sessions_json(reply.sessions) : sessions_table(reply.sessions);
      return how;
    }
    if (!reply.session) {
      return verdict(ExitCode::refused, settings_.node + ": its reply has no session in it");
    }
    const SessionView& view = *reply.session;
    const bool has_ended = view.state == SessionState::ended;
    if (line_.verb == Verb::status) {
      how.out = line_.json ? session_json(view) : session_text(view);
      how.code = static_cast<int>(has_ended ? ExitCode::failed : ExitCode::ok);
    } else if (line_.verb == Verb::detach && has_ended) {
      how = verdict(ExitCode::failed,
                    settings_.node + ": the command of " + session() + " " + words_of(view.end) +
                        ", and nobody has acknowledged it: nothing was started; do that with `" +
                        call("--acknowledge") + "` first");
    } else if (line_.verb == Verb::stop && !has_ended) {
      how = verdict(ExitCode::failed,
                    settings_.node + ": the command of " + session() + " does not end; " + look());
    }
    return how;
  }

  const std::string manager_;
  bool sent_ = false;        // on any connection
  std::uint64_t asked_ = 0;  // on this one; 0: not asked
};

}  // namespace

std::unique_ptr<Course> make_course(const CommandLine& line, const Settings& settings,
                                    std::string manager) {
  if (line.verb == Verb::run || line.verb == Verb::attach) {
    return std::make_unique<Stay>(line, settings, std::move(manager));
  }
  return std::make_unique<Ask>(line, settings, std::move(manager));
}

int exit_code_of(const SessionEnd& end) {
  if (!end) return static_cast<int>(ExitCode::end_unknown);
  return end->signalled ? kSignalBase + end->number : end->number;
}

std::string words_of(const SessionEnd& end) {
  if (!end) return "has ended, and nobody saw how";
  if (!end->signalled) return "ended with exit code " + std::to_string(end->number);
  const char* const name = ::sigdescr_np(end->number);
  return "was ended by signal " + std::to_string(end->number) +
         (name ? " (" + std::string(name) + ")" : "");
}

}  // namespace genapp::remote
