#include "remote/appserver/session.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <utility>
#include <vector>

#include "common/control_socket.hpp"
#include "common/error.hpp"
#include "common/family.hpp"
#include "common/log.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "remote/keeper_link.hpp"
#include "remote/keeper_start.hpp"

namespace genapp::remote {
namespace {

namespace asio = boost::asio;
namespace log = common::log;
namespace paths = common::paths;
using asio::local::stream_protocol;
using boost::system::error_code;
using common::Clock;
using common::Directory;
using common::Error;
using common::Fd;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

// What a loaded machine needs at most to start a keeper, or to end one.
constexpr auto kKeeperTime = 15s;
constexpr auto kLeftoverTime = 3s;
constexpr auto kKeeperPause = 100ms;  // after a link that has ended
constexpr std::size_t kMostFileBytes = 256 * 1024;
constexpr std::size_t kMostStartBytes = 4096;

// Of all sessions: one thread reads, and what is not used at once is copied by the LinkReader.
std::array<char, 64 * 1024> read_buffer;

// What nobody uses any more.
void remove_folder(const Directory& folders, const std::string& id) {
  const auto folder = folders.subdirectory_if_there(id);
  if (!folder) return;
  for (const char* const name : {paths::kSession, paths::kKeeperPid, paths::kKeeperSock,
                                 paths::kSessionApp, paths::kSessionEnded, paths::kKeeperLock}) {
    folder->unlink(name);
    folder->unlink(paths::temporary_name(name));
  }
  folders.remove_directory(id);
}

class Impl final : public Session {
 public:
  explicit Impl(Setup setup)
      : setup_(std::move(setup)),
        link_(setup_.io),
        start_pipe_(setup_.io),
        command_(setup_.io),
        timer_(setup_.io) {}

  void start(common::Spawn keeper, Done done) override {
    starting_.push_back(std::move(done));
    const auto self = shared();
    try {
      make_folder();
      spawn_keeper(std::move(keeper));
    } catch (const Error& problem) {
      give_up({Refusal::failed, problem.what()});
      return;
    }
    set_timer(kKeeperTime, [](Impl& impl) {
      impl.give_up({Refusal::failed, "the keeper did not start in time"});
    });
    read_start();
  }

  void when_started(Done done) override { starting_.push_back(std::move(done)); }

  bool adopt() override {
    folder_ = setup_.folders.subdirectory_if_there(setup_.id.text());
    if (!folder_) return false;
    if (common::is_alive(*folder_, paths::kKeeperPid)) {
      connect();
      return true;
    }
    if (const auto end = read_end()) {
      ended_without_keeper(*end);
      return true;
    }
    if (!folder_->exists(paths::kSessionApp)) {
      remove_folder(setup_.folders, setup_.id.text());
      return false;
    }
    keeper_died();
    return true;
  }

  const SessionRecord& record() const override { return setup_.record; }
  SessionState state() const override { return state_; }
  const std::string& manager() const override { return manager_; }

  SessionView view() const override {
    SessionView view;
    view.session = setup_.id.text();
    view.state = state_;
    view.pid = pid_;
    view.command = setup_.record.command;
    view.user = setup_.record.user;
    view.certificate = setup_.record.certificate;
    view.attached = viewer_ != nullptr;
    view.started = setup_.record.started;
    view.dropped = dropped_;
    view.end = end_;
    return view;
  }

  void attach(Viewer& viewer, const std::string& manager) override {
    if (viewer_ && viewer_ != &viewer) std::exchange(viewer_, nullptr)->replaced();
    viewer_ = &viewer;
    manager_ = manager;
    output_end_shown_ = false;
    rewind();
    if (state_ != SessionState::ended) return;
    viewer.show(Ended{setup_.id.text(), end_});
    show_output_end_if_due();
  }

  void leave(Viewer& viewer) override {
    if (viewer_ != &viewer) return;
    viewer_ = nullptr;
    manager_.clear();
    hold();
  }

  void hold() override { send(LinkHold{}); }

  void taken(const Offsets& offsets) override {
    for (const Output stream : {Output::out, Output::err}) {
      // No more than was shown, and never back.
      const std::uint64_t most = std::min(offsets.of(stream), forwarded_.of(stream));
      taken_.of(stream) = std::max(taken_.of(stream), most);
    }
    send(LinkTaken{taken_});
  }

  void signal(int number) override { send(LinkSignal{number}); }

  void stop(std::chrono::milliseconds kill_after, Done done) override {
    if (state_ == SessionState::ended) return done({});
    stopping_.push_back(std::move(done));
    send(LinkStop{kill_after});
  }

  void forget(Done done) override {
    forgetting_.push_back(std::move(done));
    if (forgetting_.size() > 1) return;
    if (!link_.is_open()) return go();
    send(LinkForget{});
    set_timer(kKeeperTime, [](Impl& impl) {
      impl.tell(impl.forgetting_, {Refusal::failed, "the session's keeper does not end"});
    });
  }

 private:
  std::shared_ptr<Impl> shared() { return std::static_pointer_cast<Impl>(shared_from_this()); }

  void log_trouble(const std::string& text) const {
    log::error("session \"" + setup_.id.text() + "\": " + text);
  }

  static void tell(std::vector<Done>& waiting, const Outcome& outcome) {
    for (const Done& done : std::exchange(waiting, {})) done(outcome);
  }

  void set_timer(Clock::duration wait, void (*expired)(Impl&)) {
    timer_.expires_after(wait);
    timer_.async_wait([weak = weak_from_this(), expired](error_code cancelled) {
      const auto self = weak.lock();
      if (self && !cancelled) expired(static_cast<Impl&>(*self));
    });
  }

  // Starting.

  void make_folder() {
    remove_folder(setup_.folders, setup_.id.text());  // of one that went wrong half way
    folder_ = setup_.folders.subdirectory(setup_.id.text(), 0700);
    folder_->write(paths::kSession, format_session_record(setup_.record),
                   Directory::Durability::visible);
  }

  void spawn_keeper(common::Spawn keeper) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw common::system_error("a pipe", errno);
    Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    keeper.out = theirs.get();
    error_code error;
    start_pipe_.assign(ours.get(), error);
    if (error) throw common::system_error("waiting for a keeper", error.value());
    static_cast<void>(ours.release());
    keeper_.emplace(common::spawn(keeper));
  }

  void read_start() {
    start_pipe_.async_read_some(
        asio::buffer(start_bytes_), [self = shared()](error_code error, std::size_t size) {
          if (error == asio::error::operation_aborted) return;
          self->start_line_.append(self->start_bytes_.data(), size);
          const bool whole = self->start_line_.find('\n') != std::string::npos;
          if (!whole && !error && self->start_line_.size() < kMostStartBytes) {
            return self->read_start();
          }
          self->take_start();
        });
  }

  void take_start() {
    if (starting_.empty()) return;  // given up already
    close_start_pipe();
    const auto answer = parse_keeper_answer(start_line_);
    if (!answer) return give_up({Refusal::failed, "the keeper ended before it said anything"});
    if (const auto* failed = std::get_if<KeeperFailed>(&*answer)) {
      return give_up({Refusal::could_not_start, failed->text});
    }
    if (const auto* problem = std::get_if<KeeperProblem>(&*answer)) {
      return give_up({Refusal::failed, problem->text});
    }
    pid_ = std::get<KeeperReady>(*answer).pid;
    connect();
    tell(starting_, {});
  }

  void close_start_pipe() {
    timer_.cancel();
    error_code ignored;
    start_pipe_.close(ignored);
  }

  // The session has not come to be.
  void give_up(const Outcome& outcome) {
    close_start_pipe();
    const auto self = shared();
    if (keeper_) end_keeper();
    try {
      remove_folder(setup_.folders, setup_.id.text());
    } catch (const Error& problem) {
      log_trouble(problem.what());
    }
    setup_.gone();
    tell(starting_, outcome);
  }

  // With the command, by PR_SET_PDEATHSIG; what that has started itself is known by its mark.
  void end_keeper() {
    try {
      common::send_signal(keeper_->pidfd(), SIGKILL);
      keeper_->reap();
    } catch (const Error& problem) {
      log_trouble(problem.what());
    }
    end_leftovers();
    keeper_.reset();
  }

  // The link.

  void connect() {
    try {
      const auto address = common::socket_address(*folder_, paths::kKeeperSock);
      link_.connect(stream_protocol::endpoint(address.sun_path));
      link_.non_blocking(true);
    } catch (const boost::system::system_error& problem) {
      // Not a question of waiting: a keeper listens before it holds its lock for others to see.
      log_trouble("its keeper can't be reached: " + problem.code().message());
      if (!starting_.empty())
        return give_up({Refusal::failed, "the session's keeper can't be reached"});
      keeper_died();
      return;
    }
    state_ = SessionState::running;
    read_link();
    rewinds_ = 0;
    if (viewer_) {
      rewind();
    } else if (starting_.empty()) {
      hold();  // else whoever has it started says so, or attaches
    }
  }

  void read_link() {
    link_.async_wait(stream_protocol::socket::wait_read, [self = shared()](error_code cancelled) {
      if (cancelled) return;
      error_code error;
      const std::size_t size = self->link_.read_some(asio::buffer(read_buffer), error);
      if (error == asio::error::would_block) return self->read_link();
      if (error) return self->link_ended();
      self->take_bytes({read_buffer.data(), size});
    });
  }

  void take_bytes(std::string_view bytes) {
    try {
      reader_.put(bytes);
      while (const auto message = reader_.next()) take_message(*message);
    } catch (const Error& problem) {
      log_trouble(std::string("its keeper does not speak our language: ") + problem.what());
      return link_ended();
    }
    read_link();
  }

  void take_message(std::string_view message) {
    const auto word = parse_keeper_word(message);
    if (!word) throw Error("a message that is none");
    if (const auto* chunk = std::get_if<OutputChunk>(&*word)) return take_output(*chunk, message);
    if (const auto* state = std::get_if<KeeperState>(&*word)) return take_state(*state);
    if (const auto* ended = std::get_if<KeeperEnded>(&*word)) return take_end(ended->ending);
    if (const auto* lost = std::get_if<KeeperLost>(&*word)) dropped_ = lost->dropped;
    if (const auto* drained = std::get_if<KeeperDrained>(&*word)) take_drained(drained->offsets);
    if (std::holds_alternative<KeeperSending>(*word) && rewinds_ > 0) {
      --rewinds_;
      show_output_end_if_due();
    }
  }

  void take_output(const OutputChunk& chunk, std::string_view message) {
    const std::uint64_t end = chunk.offset + chunk.bytes.size();
    // What was sent before the keeper knew of the present manager is sent again.
    if (!viewer_ || rewinds_ > 0 || end <= forwarded_.of(chunk.stream)) return;
    forwarded_.of(chunk.stream) = end;
    viewer_->show_output(message);
    show_output_end_if_due();
  }

  void take_state(const KeeperState& state) {
    pid_ = state.pid;
    dropped_ = state.dropped;
    for (const Output stream : {Output::out, Output::err}) {
      taken_.of(stream) = std::max(taken_.of(stream), state.kept.of(stream));
    }
    if (state.ended) take_end(*state.ended);
    if (state.drained) take_drained(*state.drained);
  }

  void take_end(const SessionEnd& end) {
    if (state_ == SessionState::ended) return;
    state_ = SessionState::ended;
    end_ = end;
    const std::string how =
        !end ? "nobody saw how"
             : (end->signalled ? "signal " : "exit code ") + std::to_string(end->number);
    log::info("session \"" + setup_.id.text() + "\": the command, process " + std::to_string(pid_) +
              ", has ended: " + how);
    if (viewer_) viewer_->show(Ended{setup_.id.text(), end_});
    tell(stopping_, {});
  }

  void take_drained(const Offsets& offsets) {
    if (!drained_) drained_ = offsets;
    show_output_end_if_due();
  }

  // Once all of it has been shown, or no more can come.
  void show_output_end_if_due() {
    if (!viewer_ || !drained_ || output_end_shown_) return;
    const bool all =
        rewinds_ == 0 && forwarded_.out >= drained_->out && forwarded_.err >= drained_->err;
    if (link_.is_open() && !all) return;
    output_end_shown_ = true;
    viewer_->show(OutputEnd{setup_.id.text(), *drained_});
  }

  void send(const LinkOrder& order) {
    if (!link_.is_open()) return;
    out_.push_back(std::make_shared<const std::string>(format_link_order(order)));
    if (out_.size() == 1) write();
  }

  void write() {
    const auto message = out_.front();
    asio::async_write(link_, asio::buffer(*message),
                      [self = shared(), message, link = links_](error_code error, std::size_t) {
                        if (error || link != self->links_) return;  // reading tells
                        self->out_.pop_front();
                        if (!self->out_.empty()) self->write();
                      });
  }

  void close_link() {
    error_code ignored;
    link_.close(ignored);
    out_.clear();
    reader_ = {};
    ++links_;
  }

  void link_ended() {
    if (!link_.is_open()) return;
    close_link();
    const auto self = shared();
    if (forgetting_.empty()) return look_after_keeper();
    reap_keeper();
    go();
  }

  // A keeper whose link has ended is dead, or will be in a moment; one that lives on has only given
  // up the link.
  void look_after_keeper() {
    try {
      if (common::is_alive(*folder_, paths::kKeeperPid)) {
        return set_timer(kKeeperPause, [](Impl& impl) {
          const bool alive = common::is_alive(*impl.folder_, paths::kKeeperPid);
          alive ? impl.connect() : impl.look_after_keeper();
        });
      }
    } catch (const Error& problem) {
      log_trouble(problem.what());
    }
    reap_keeper();
    if (const auto end = read_end()) return ended_without_keeper(*end);
    keeper_died();
  }

  // When it ends. One that has been forgotten may stay for what its command has left behind.
  void reap_keeper() {
    if (!keeper_) return;
    struct Reaper {
      common::Child child;
      asio::posix::stream_descriptor end;
    };
    const auto reaper = std::make_shared<Reaper>(
        Reaper{std::move(*keeper_), asio::posix::stream_descriptor(setup_.io)});
    keeper_.reset();
    error_code error;
    reaper->end.assign(::fcntl(reaper->child.pidfd().get(), F_DUPFD_CLOEXEC, 0), error);
    if (error) return;  // it stays a zombie, until we end
    reaper->end.async_wait(asio::posix::stream_descriptor::wait_read,
                           [reaper](error_code cancelled) {
                             if (!cancelled) reaper->child.reap();
                           });
  }

  // Output comes from what no manager has confirmed on.
  void rewind() {
    forwarded_ = taken_;
    ++rewinds_;
    send(LinkSend{taken_});
  }

  // Without a keeper.

  std::optional<SessionEnd> read_end() const try {
    const auto text = folder_->read(paths::kSessionEnded, kMostFileBytes);
    return text ? parse_session_end(*text) : std::nullopt;
  } catch (const Error& problem) {
    log_trouble(problem.what());
    return std::nullopt;
  }

  void ended_without_keeper(const SessionEnd& end) {
    end_leftovers();
    take_end(end);
    // What it had of the output is lost with it.
    take_drained(forwarded_);
  }

  // The command goes with it. How it ended, nobody sees any more.
  void keeper_died() {
    log_trouble("its keeper was killed, and with it the command");
    const auto record = common::read_pid_record(*folder_, paths::kSessionApp);
    if (record) pid_ = record->pid;
    end_leftovers();
    auto pidfd = record ? common::open_pidfd(record->pid) : std::nullopt;
    if (!pidfd || !common::runs(record->pid, record->start_ticks)) return died();
    common::send_signal(*pidfd, SIGKILL);
    error_code error;
    command_.assign(pidfd->get(), error);
    if (error) return died();
    static_cast<void>(pidfd->release());
    command_.async_wait(asio::posix::stream_descriptor::wait_read,
                        [self = shared()](error_code cancelled) {
                          if (!cancelled) self->died();
                        });
  }

  void died() {
    error_code ignored;
    command_.close(ignored);
    try {
      folder_->write(paths::kSessionEnded, format_session_end(std::nullopt),
                     Directory::Durability::visible);
    } catch (const Error& problem) {
      log_trouble(problem.what());
    }
    ended_without_keeper(std::nullopt);
  }

  void end_leftovers() {
    try {
      const auto keeper = folder_ ? common::read_pid_record(*folder_, paths::kKeeperPid)
                                  : std::optional<common::PidRecord>();
      if (keeper && !common::end_carriers(common::run_of(*keeper), kLeftoverTime)) {
        log_trouble("processes that the command has started do not end: see GENAPP_RUN=" +
                    common::run_of(*keeper) + " in /proc/*/environ");
      }
    } catch (const Error& problem) {
      log_trouble(problem.what());
    }
  }

  // Forgotten.
  void go() {
    timer_.cancel();
    const auto self = shared();
    Outcome outcome;
    try {
      remove_folder(setup_.folders, setup_.id.text());
    } catch (const Error& problem) {
      outcome = {Refusal::failed, problem.what()};
    }
    if (!outcome.refusal) setup_.gone();
    tell(forgetting_, outcome);
  }

  Setup setup_;
  std::optional<Directory> folder_;
  std::optional<common::Child> keeper_;  // when it is our child
  stream_protocol::socket link_;
  asio::posix::stream_descriptor start_pipe_;
  asio::posix::stream_descriptor command_;  // a pidfd: of one whose keeper is dead
  asio::steady_timer timer_;
  std::array<char, 256> start_bytes_{};
  std::string start_line_;
  LinkReader reader_;
  std::deque<std::shared_ptr<const std::string>> out_;
  unsigned links_ = 0;  // that have ended

  SessionState state_ = SessionState::starting;
  pid_t pid_ = 0;
  SessionEnd end_{};
  std::uint64_t dropped_ = 0;
  std::optional<Offsets> drained_;
  Offsets forwarded_;  // to the viewer, up to here
  int rewinds_ = 0;    // asked for, and not answered yet
  Offsets taken_;      // written by managers, up to here

  Viewer* viewer_ = nullptr;
  bool output_end_shown_ = false;  // to this one
  std::string manager_;

  std::vector<Done> starting_;
  std::vector<Done> stopping_;
  std::vector<Done> forgetting_;
};

}  // namespace

std::shared_ptr<Session> Session::make(Setup setup) {
  return std::make_shared<Impl>(std::move(setup));
}

}  // namespace genapp::remote
