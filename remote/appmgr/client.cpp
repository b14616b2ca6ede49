#include "remote/appmgr/client.hpp"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "common/printable.hpp"
#include "remote/appmgr/contact.hpp"
#include "remote/appmgr/course.hpp"
#include "remote/appmgr/link.hpp"
#include "remote/appmgr/output_writer.hpp"
#include "remote/appmgr/progress.hpp"

namespace genapp::remote {
namespace {

namespace asio = boost::asio;
namespace log = common::log;
using boost::system::error_code;
using common::Clock;
using common::ExitCode;

constexpr char kName[] = "appmgr";
constexpr int kWarnDays = 30;  // of our own certificate
constexpr auto kCertificateLook = std::chrono::hours(24);
constexpr int kLastLineMs = 3000;
constexpr std::size_t kMostLineBytes = 4096;
// The window is the most that a server sends unconfirmed.
constexpr std::size_t kMostWaitingBytes = kOutputWindow + kMostChunkBytes;

// By it an appserver tells this run of ours from all others.
std::string make_manager_name() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw common::system_error("random numbers", errno);
  }
  constexpr char kHex[] = "0123456789abcdef";
  std::string name;
  for (const unsigned char byte : bytes) {
    name += kHex[byte >> 4];
    name += kHex[byte & 15];
  }
  return name;
}

void set_up_log(const Settings& settings) {
  if (settings.log_file.empty()) {
    log::to_stderr_unwaited(kName, settings.log_level);
  } else {
    log::to_file(kName, settings.log_file, settings.log_level);
  }
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

class Client {
 public:
  Client(const CommandLine& line, const Settings& settings)
      : settings_(settings),
        course_(make_course(line, settings, make_manager_name())),
        keys_(Side::client, settings.tls, [](const std::string& problem) { log::warn(problem); }),
        timer_(io_),
        signals_(io_),
        out_(STDOUT_FILENO, [this] { written_elsewhere(); }),
        err_(STDERR_FILENO, [this] { written_elsewhere(); }),
        begun_(Clock::now()),
        contact_(settings.timeout, begun_) {}

  Verdict run() {
    wait_for_signals();
    turn();
    while (!verdict_) io_.run_one();
    if (link_) link_->leave();
    return *verdict_;
  }

 private:
  // What is due.

  void turn() {
    if (verdict_) return;
    const auto now = Clock::now();
    look_at_certificate(now);
    look_at_output(now);
    if (verdict_) return;
    const auto deadline = course_->deadline();
    if (deadline && now >= begun_ + *deadline) {
      end(course_->give_up(
          trouble_or("no answer in " + std::to_string(deadline->count()) + " seconds")));
      return;
    }
    keep_contact(now);
    if (!verdict_) set_timer();
  }

  void set_timer() {
    const auto now = Clock::now();
    auto when = contact_.next(now);
    const auto sooner = [&](const std::optional<Clock::time_point>& other) {
      if (other) when = std::min(when, *other);
    };
    if (const auto deadline = course_->deadline()) sooner(begun_ + *deadline);
    if (open_) sooner(progress_.confirm_at());
    if (course_->end_known() && !output_told_) {
      sooner(progress_.over_at());
      sooner(drain_until_);
    }
    timer_.expires_at(when);
    timer_.async_wait([this](error_code cancelled) {
      if (!cancelled) turn();
    });
  }

  void keep_contact(Clock::time_point now) {
    switch (contact_.due(now)) {
      case Contact::Act::nothing:
        break;
      case Contact::Act::connect:
        connect(now);
        break;
      case Contact::Act::ping:
        contact_.pinged(now);
        link_->ping();
        break;
      case Contact::Act::drop: {
        const std::string silent =
            open_ ? "it was silent for " + common::seconds_text(settings_.timeout / 3) + " seconds"
                  : "no answer in time";
        link_->drop();
        lost({Trouble::Kind::passing, silent});
        break;
      }
      case Contact::Act::give_up: {
        Trouble why = trouble_or("no answer");
        why.text = "no contact for " + std::to_string(settings_.timeout.count()) + " seconds (" +
                   why.text + ")";
        end(course_->give_up(why));
        break;
      }
    }
  }

  Trouble trouble_or(const std::string& text) const {
    return trouble_.value_or(Trouble{Trouble::Kind::passing, text});
  }

  // The connection.

  void connect(Clock::time_point now) {
    contact_.connecting(now);
    Link::Setup setup{
        io_, settings_.address, settings_.port, settings_.server_name, keys_.current(),
        // So that it is the link that tells what was wrong.
        (contact_.attempt_ends() - now) * 9 / 10, [this](const Hello& hello) { opened(hello); },
        [this](const Answer& answer) { answered(answer); },
        [this](const OutputChunk& chunk) { take_output(chunk); },
        [this] { contact_.heard(Clock::now()); },
        [this](const Trouble& why) {
          lost(why);
          turn();
        },
        [this](const std::string& text) { warn_of_certificate(text); }};
    link_ = Link::begin(std::move(setup));
  }

  void opened(const Hello& hello) {
    open_ = true;
    contact_.opened(Clock::now());
    log::info(settings_.node + ": connected to " + common::printable_utf8(hello.program) +
              ", known there as " + common::printable_utf8(hello.certificate));
    progress_.connected();
    apply(course_->connected());
    turn();
  }

  void lost(const Trouble& why) {
    const bool was_open = std::exchange(open_, false);
    contact_.lost(Clock::now());
    link_.reset();
    const bool news = was_open || !trouble_ || trouble_->text != why.text;
    trouble_ = why;
    const Step step = course_->lost(why);
    if (!step.verdict && news) {
      log::warn(settings_.node + ": " + why.text +
                (contact_.ever_useful() ? "; connecting anew" : "; trying on"));
      told_lost_ = true;
    }
    apply(step);
  }

  void answered(const Answer& answer) {
    if (const auto* end = std::get_if<OutputEnd>(&answer)) {
      progress_.ended(end->offsets, Clock::now());
    }
    apply(course_->take(answer));
    turn();
  }

  void apply(const Step& step) {
    if (verdict_) return;
    if (step.useful) now_useful();
    if (step.news) step.warn ? log::warn(step.note) : log::info(step.note);
    for (const NumberedRequest& request : step.send) {
      if (link_) link_->send(format_request(request));
    }
    if (step.verdict) end(*step.verdict);
  }

  void now_useful() {
    contact_.useful(Clock::now());
    trouble_.reset();
    if (course_->saw_start()) progress_.from_the_beginning();
    if (std::exchange(told_lost_, false)) log::warn(settings_.node + ": connected again");
  }

  void end(Verdict how) {
    if (!verdict_) verdict_ = std::move(how);
  }

  // Output.

  OutputWriter& writer(Output stream) { return stream == Output::out ? out_ : err_; }

  void take_output(const OutputChunk& chunk) {
    const OutputChunk fresh = progress_.take(chunk, Clock::now());
    if (!fresh.bytes.empty()) {
      writer(chunk.stream).put(fresh.offset, std::string(fresh.bytes));
      if (writer(chunk.stream).state().waiting > kMostWaitingBytes) {
        link_->drop();
        lost({Trouble::Kind::nonsense, "it sends more output than was asked for"});
      }
    }
    // Also of what came twice: it is confirmed once more.
    turn();
  }

  // In a writer's thread.
  void written_elsewhere() {
    if (written_posted_.exchange(true)) return;
    asio::post(io_, [this] {
      written_posted_ = false;
      for (const Output stream : {Output::out, Output::err}) written(stream);
      turn();
    });
  }

  void written(Output stream) {
    const OutputWriter::State state = writer(stream).state();
    if (state.written > 0) progress_.wrote(stream, state.written);
    int& told = stream == Output::out ? out_error_ : err_error_;
    if (state.error == 0 || state.error == told) return;
    told = state.error;
    log::warn(std::string(stream == Output::out ? "standard output: " : "standard error: ") +
              common::errno_text(state.error) +
              ": the command's output is thrown away; it goes on");
  }

  void look_at_output(Clock::time_point now) {
    if (!course_->stays()) return;
    if (open_) {
      if (const auto offsets = progress_.confirm(now)) {
        link_->send(format_request({0, Taken{*offsets}}));
      }
    }
    if (!course_->end_known() || output_told_) return;
    // Who wants us to end does not wait for a reader that takes nothing.
    if (course_->stopping() && !drain_until_) drain_until_ = now + settings_.timeout;
    const bool waited_enough = drain_until_ && now >= *drain_until_;
    if (!waited_enough && !progress_.over(now)) return;
    output_told_ = true;
    const auto unwritten = progress_.unwritten(Output::out) + progress_.unwritten(Output::err) +
                           out_.state().discarded + err_.state().discarded;
    if (unwritten > 0) {
      log::warn(std::to_string(unwritten) + " bytes of the command's output could not be written");
    }
    if (const auto missing = progress_.missing()) {
      log::warn(std::to_string(missing) + " bytes of the command's output were lost");
    }
    apply(course_->output_over(open_));
  }

  // The rest.

  void look_at_certificate(Clock::time_point now) {
    if (now < next_certificate_look_) return;
    next_certificate_look_ = now + kCertificateLook;
    told_certificate_ = false;
    const int days = keys_.current()->days_left();
    if (days < kWarnDays) {
      log::warn(settings_.tls.certificate + ": expires in " + std::to_string(days) +
                " days: make a new one with genapp keys host");
    }
  }

  // Once a day.
  void warn_of_certificate(const std::string& text) {
    if (!std::exchange(told_certificate_, true)) log::warn(settings_.node + ": " + text);
  }

  void wait_for_signals() {
    signals_.add(SIGTERM);
    signals_.add(SIGHUP);
    // A shell's background job has it ignored, and is to go on at Ctrl-C.
    if (!is_ignored(SIGINT)) signals_.add(SIGINT);
    wait_for_signal();
  }

  void wait_for_signal() {
    signals_.async_wait([this](error_code cancelled, int signal) {
      if (cancelled) return;
      if (signal == SIGHUP) {
        log::reopen();
      } else {
        apply(course_->interrupted(signal, open_));
        turn();
      }
      wait_for_signal();
    });
  }

  asio::io_context io_{1};
  const Settings settings_;
  std::unique_ptr<Course> course_;
  TlsKeys keys_;
  asio::steady_timer timer_;
  asio::signal_set signals_;
  OutputWriter out_;
  OutputWriter err_;
  Progress progress_;
  std::atomic<bool> written_posted_{false};
  int out_error_ = 0;
  int err_error_ = 0;
  const Clock::time_point begun_;
  Contact contact_;
  std::shared_ptr<Link> link_;
  bool open_ = false;
  bool told_lost_ = false;
  std::optional<Trouble> trouble_;  // the last, since the last connection that was of use
  bool output_told_ = false;
  std::optional<Clock::time_point> drain_until_;
  Clock::time_point next_certificate_look_{};
  bool told_certificate_ = false;
  std::optional<Verdict> verdict_;
};

// What goes wrong with us says nothing about the command.
Verdict run(Client& client, const Settings& settings) {
  try {
    return client.run();
  } catch (const std::exception& problem) {
    return {static_cast<int>(ExitCode::connection_lost),
            std::string(problem.what()) + "; the command may run on " + settings.node};
  }
}

bool print(const std::string& text) {
  return ::fwrite(text.data(), 1, text.size(), stdout) == text.size() && ::fflush(stdout) == 0;
}

}  // namespace

ExitCode run_manager(const CommandLine& line) {
  Settings settings;
  // Never freed: its threads may not end.
  Client* client = nullptr;
  try {
    settings = settle(line, read_manager_config());
    set_up_log(settings);
    client = new Client(line, settings);
  } catch (const common::Error& problem) {
    // 1 would be a code of the command's.
    throw common::Error(problem.what(), ExitCode::unreachable, problem.error_number());
  }
  const Verdict verdict = run(*client, settings);
  if (!verdict.line.empty()) {
    // Always on standard error, where the log need not be.
    if (!settings.log_file.empty()) log::error(verdict.line);
    const std::string text = std::string(kName) +
                             ": error: " + common::printable_utf8(verdict.line, kMostLineBytes) +
                             "\n";
    put_last_line(STDERR_FILENO, text, kLastLineMs);
  }
  if (!print(verdict.out)) return ExitCode::failed;
  return static_cast<ExitCode>(verdict.code);
}

}  // namespace genapp::remote
