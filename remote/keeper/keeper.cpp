#include "remote/keeper/keeper.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/error.hpp"
#include "remote/keeper/args.hpp"
#include "remote/keeper/command.hpp"
#include "remote/keeper/link.hpp"
#include "remote/keeper/pace.hpp"
#include "remote/keeper/session_files.hpp"
#include "remote/keeper/stream.hpp"
#include "remote/message.hpp"

namespace genapp::remote::keeper {
namespace {

using common::Clock;
using common::Ending;
using common::Error;
using common::Fd;
using std::chrono::milliseconds;

// Between the steps of ending all that the command has started; twice as long each time.
constexpr milliseconds kFirstPause{2};
constexpr milliseconds kLongestPause{500};
// What survives KILL for so long (an uninterruptible wait) keeps no session from ending.
constexpr auto kEndTime = std::chrono::seconds(5);
// Until how it ended is tried to be written again.
constexpr auto kWriteAgain = std::chrono::seconds(1);
constexpr auto kAcceptAgain = milliseconds(100);
constexpr int kMostSends = 16;  // a turn

// Descendants that outlive the command.
enum class Family { untouched, ending, done };

class Keeper {
 public:
  Keeper(const Args& args, SessionFiles& files, Fd signals)
      : start_(args.start),
        files_(files),
        signals_(std::move(signals)),
        streams_{Stream(args.start.buffer), Stream(args.start.buffer)},
        // No more than could be sent again: the rest would only wait elsewhere.
        window_(std::min(kOutputWindow, args.start.buffer)),
        pace_(args.start.stall) {}

  KeeperReady start() {
    const Fd out = stream(Output::out).open();
    const Fd err = stream(Output::err).open();
    const Fd record = files_.make_app_file();
    // Whoever has it started is about to come for its output.
    pace_.attach(Clock::now());
    command_.emplace(Command::start(start_, out.get(), err.get(), record.get()));
    return {command_->pid(), command_->start_ticks()};
  }

  void run() {
    while (!over()) turn();
    if (!forgotten_) return;
    files_.remove();
    link_.reset();
    if (start_.leftovers == Leftovers::leave) discard_rest();
  }

 private:
  Stream& stream(Output which) { return streams_[which == Output::out ? 0 : 1]; }

  bool over() const {
    if (family_ != Family::done) return false;
    return forgotten_ || (terminated_ && drained_ && !link_);
  }

  // One wait, and what it was for. Orders come first: what a manager has taken decides whether
  // something is dropped, also after this process was stopped for a while.
  void turn() {
    enum Item { signals, listener, link, out, err };
    std::array<pollfd, 5> items{};
    items[signals] = {signals_.get(), POLLIN, 0};
    items[listener] = {accept_at_ ? -1 : files_.listener().get(), POLLIN, 0};
    // poll(2) passes over a negative descriptor.
    items[link] = {link_ ? link_->fd() : -1, POLLIN, 0};
    if (link_ && has_words()) items[link].events |= POLLOUT;
    items[out] = {pipe_to_read(streams_[0]), POLLIN, 0};
    items[err] = {pipe_to_read(streams_[1]), POLLIN, 0};
    if (::poll(items.data(), items.size(), wait_milliseconds()) < 0) {
      if (errno == EINTR) return;
      throw common::system_error("poll", errno);
    }
    now_ = Clock::now();
    if (items[link].revents != 0) take_orders();
    if (items[listener].revents != 0) accept_link();
    if (items[signals].revents != 0) take_signals();
    for (Stream& each : streams_) read(each);
    // How it ended is not to wait for the end of what it has started.
    send_words();
    take_steps();
    send_words();
  }

  int pipe_to_read(const Stream& from) const {
    const bool waits = !from.over() && pace_.flow(from.full(), now_) == Flow::wait;
    return waits ? -1 : from.pipe().get();
  }

  int wait_milliseconds() const {
    std::optional<Clock::time_point> next;
    const auto add = [&](const std::optional<Clock::time_point>& when) {
      if (when && (!next || *when < *next)) next = when;
    };
    add(kill_at_);
    add(step_at_);
    add(write_at_);
    add(accept_at_);
    for (const Stream& each : streams_) {
      if (!each.over() && pace_.flow(each.full(), now_) == Flow::wait) add(pace_.patience_ends());
    }
    if (!next) return -1;
    const auto left = std::chrono::ceil<milliseconds>(*next - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
  }

  void read(Stream& from) {
    if (from.over()) return from.discard();
    const bool had_nothing = streams_[0].ring().size() + streams_[1].ring().size() == 0;
    from.read(pace_.flow(from.full(), now_));
    if (had_nothing && from.ring().size() > 0) pace_.begun(now_);
  }

  // The command, and what it leaves.

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGCHLD) {
        take_ending();
      } else {
        terminated_ = true;
        stop(start_.kill_after);
      }
    }
  }

  void take_ending() {
    const bool knew = command_->ended().has_value();
    if (!command_->reap() || knew) return;
    kill_at_.reset();
    write_ended();
    family_ = killing_ || start_.leftovers == Leftovers::end ? Family::ending : Family::done;
    family_deadline_ = now_ + kEndTime;
    if (family_ == Family::done) limit_streams();
    step_at_ = now_;
    pause_ = kFirstPause;
  }

  void write_ended() {
    write_at_.reset();
    if (!files_.write_ended(*command_->ended())) write_at_ = now_ + kWriteAgain;
  }

  void limit_streams() {
    for (Stream& each : streams_) each.limit_to_what_is_there();
  }

  void stop(milliseconds kill_after) {
    if (command_->ended()) return;
    command_->signal(SIGTERM);
    const auto kill_at = now_ + kill_after;
    if (!killing_ && (!kill_at_ || kill_at < *kill_at_)) kill_at_ = kill_at;
  }

  void take_steps() {
    if (accept_at_ && now_ >= *accept_at_) accept_at_.reset();
    if (write_at_ && now_ >= *write_at_) write_ended();
    if (kill_at_ && now_ >= *kill_at_) {
      kill_at_.reset();
      killing_ = true;
      step_at_ = now_;
      pause_ = kFirstPause;
    }
    if (step_at_ && now_ >= *step_at_) step();
    if (family_ == Family::done && streams_[0].over() && streams_[1].over()) drained_ = true;
  }

  // Of ending all that the command has started.
  void step() {
    step_at_.reset();
    const bool wanted = killing_ ? family_ != Family::done : family_ == Family::ending;
    if (!wanted) return;
    const bool gone = command_->kill_all();
    if (family_ == Family::ending && (gone || now_ >= family_deadline_)) {
      family_ = Family::done;
      // What was written before the end is there now, and may still have to wait for room.
      limit_streams();
      return;
    }
    step_at_ = now_ + pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
  }

  // The appserver.

  void accept_link() {
    for (;;) {
      Fd socket(::accept4(files_.listener().get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket) {
        // The machine is out of descriptors or memory: poll(2) would come back at once.
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
          accept_at_ = now_ + kAcceptAgain;
        }
        return;
      }
      if (!is_trusted(socket)) continue;
      if (link_) lose_link();
      link_.emplace(std::move(socket));
      KeeperState state{command_->pid(),
                        command_->start_ticks(),
                        {streams_[0].ring().kept(), streams_[1].ring().kept()},
                        dropped(),
                        command_->ended(),
                        {}};
      if (drained_) state.drained = lengths();
      told_ = {0, state.ended.has_value(), drained_, state.dropped};
      say(format_keeper_word(state));
    }
  }

  // The folder is the appserver's alone; this is for one that was made too open.
  static bool is_trusted(const Fd& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == ::geteuid());
  }

  void lose_link() {
    link_.reset();
    hold();
  }

  void hold() {
    sending_ = false;
    pace_.hold();
    for (Stream& each : streams_) each.nothing_sent();
  }

  void take_orders() {
    if (!link_) return;
    const bool there = link_->receive();
    try {
      while (link_) {
        const auto order = link_->next();
        if (!order) break;
        std::visit([this](const auto& each) { take(each); }, *order);
      }
    } catch (const Error&) {
      return lose_link();  // it does not speak our language
    }
    if (!there) lose_link();
  }

  void take(const LinkSend& order) {
    sending_ = true;
    pace_.attach(now_);
    streams_[0].send_from(order.from.out);
    streams_[1].send_from(order.from.err);
    ++told_.sends;
  }
  void take(const LinkTaken& order) {
    const bool out = streams_[0].taken_to(order.offsets.out);
    const bool err = streams_[1].taken_to(order.offsets.err);
    if (out || err) pace_.taken(now_);
  }
  void take(const LinkHold&) { hold(); }
  void take(const LinkSignal& order) { command_->signal(order.number); }
  void take(const LinkStop& order) { stop(order.kill_after); }
  void take(const LinkForget&) {
    if (!command_->ended()) return;
    forgotten_ = true;
    write_at_.reset();
  }

  std::uint64_t dropped() const { return streams_[0].dropped() + streams_[1].dropped(); }
  Offsets lengths() const { return {streams_[0].ring().end(), streams_[1].ring().end()}; }

  bool has_ended_to_tell() const { return command_->ended() && !told_.ended; }
  bool has_drained_to_tell() const { return drained_ && !told_.drained; }
  bool has_output() const {
    return sending_ && std::any_of(streams_.begin(), streams_.end(), [this](const Stream& each) {
             return !each.next(1, window_).bytes.empty();
           });
  }
  bool has_words() const {
    return !link_->idle() || told_.sends > 0 || has_ended_to_tell() || has_drained_to_tell() ||
           dropped() != told_.dropped || has_output();
  }

  // As much as the socket takes.
  void send_words() {
    for (int sends = 0; link_ && sends < kMostSends && has_words(); ++sends) {
      if (!link_->idle() && !link_->flush()) return lose_link();
      if (!link_->idle()) return;
      say_next();
    }
  }

  void say_next() {
    if (told_.sends > 0) {
      --told_.sends;
      return say(format_keeper_word(
          KeeperSending{{streams_[0].ring().kept(), streams_[1].ring().kept()}}));
    }
    if (has_ended_to_tell()) {
      told_.ended = true;
      return say(format_keeper_word(KeeperEnded{*command_->ended()}));
    }
    if (dropped() != told_.dropped) {
      told_.dropped = dropped();
      return say(format_keeper_word(KeeperLost{told_.dropped}));
    }
    if (has_drained_to_tell()) {
      told_.drained = true;
      return say(format_keeper_word(KeeperDrained{lengths()}));
    }
    say_output();
  }

  // In turns, so that neither stream waits for the other.
  void say_output() {
    for (std::size_t tries = 0; sending_ && tries < streams_.size(); ++tries) {
      const Output which = next_;
      next_ = which == Output::out ? Output::err : Output::out;
      const Stream::Piece piece = stream(which).next(kMostChunkBytes, window_);
      if (piece.bytes.empty()) continue;
      stream(which).sent(piece);
      return say(link_output_header({which, piece.offset, piece.bytes}), piece.bytes);
    }
  }

  void say(std::string_view head, std::string_view bytes = {}) {
    if (!link_->send(head, bytes)) lose_link();
  }

  // The session is over. What the command was let leave behind goes on writing, and would get a
  // SIGPIPE.
  void discard_rest() {
    ::prctl(PR_SET_NAME, "genapp-drop");
    for (Stream& each : streams_) each.send_from(each.ring().end());
    while (!terminated_ && (streams_[0].pipe() || streams_[1].pipe())) turn();
  }

  const KeeperStart& start_;
  SessionFiles& files_;
  const Fd signals_;
  std::array<Stream, 2> streams_;
  const std::size_t window_;
  Pace pace_;
  std::optional<Command> command_;
  std::optional<Link> link_;
  struct Told {
    int sends = 0;  // orders to send, which are answered before anything is sent
    bool ended = false;
    bool drained = false;
    std::uint64_t dropped = 0;
  } told_;
  Clock::time_point now_ = Clock::now();  // of this turn
  Output next_ = Output::out;
  bool sending_ = false;  // a manager is attached

  std::optional<Clock::time_point> kill_at_;    // the end of a stop's patience
  std::optional<Clock::time_point> step_at_;    // the next of kill_all()
  std::optional<Clock::time_point> accept_at_;  // no connection could be accepted
  std::optional<Clock::time_point> write_at_;   // how it ended could not be written
  Clock::time_point family_deadline_{};
  milliseconds pause_ = kFirstPause;
  Family family_ = Family::untouched;
  bool killing_ = false;     // a stop's patience has ended
  bool terminated_ = false;  // TERM has come for the keeper itself
  bool drained_ = false;
  bool forgotten_ = false;
};

// SIGCHLD, and what ends a program. HUP does not: no terminal is ours.
Fd take_signals_over() {
  ::signal(SIGHUP, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw common::system_error("signalfd", errno);
  return fd;
}

// Once: then the number is /dev/null's, since whoever reads waits for the end.
void say_to_starter(const KeeperAnswer& answer) {
  const std::string line = format_keeper_answer(answer);
  // A starter that is gone need not know.
  [[maybe_unused]] const ssize_t n = ::write(STDOUT_FILENO, line.data(), line.size());
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null || ::dup2(null.get(), STDOUT_FILENO) < 0) ::close(STDOUT_FILENO);
}

void require_parent(pid_t parent) {
  if (::getppid() != parent)
    throw Error("its starter, process " + std::to_string(parent) + ", is gone: nothing is started");
}

// An appserver that comes after ours finds our lock, or can be sure that nothing will be started.
void outlive_parent(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, 0) != 0) throw common::system_error("prctl", errno);
  require_parent(parent);
}

void begin_and_run(const Args& args, SessionFiles& files) {
  std::optional<Keeper> keeper;
  try {
    outlive_parent(args.parent);
    keeper.emplace(args, files, take_signals_over());
    say_to_starter(keeper->start());
  } catch (...) {
    files.remove();
    throw;
  }
  keeper->run();
}

}  // namespace

common::ExitCode keep(int argc, const char* const* argv) {
  try {
    const Args args = parse_args(argc, argv);
    require_parent(args.parent);
    SessionFiles files = SessionFiles::take(args.start.session_dir);
    begin_and_run(args, files);
    return common::ExitCode::ok;
  } catch (const common::StartError& problem) {
    say_to_starter(KeeperFailed{problem.errno_value(), problem.what()});
    throw;
  } catch (const Error& problem) {
    say_to_starter(KeeperProblem{problem.what()});
    throw;
  }
}

}  // namespace genapp::remote::keeper
