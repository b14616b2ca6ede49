// The keeper itself, started and asked as an appserver does.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "common/control_socket.hpp"
#include "common/family.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "remote/ended.hpp"
#include "remote/keeper_link.hpp"
#include "remote/keeper_start.hpp"
#include "remote/message.hpp"
#include "tests/support/node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::remote {
namespace {

namespace fs = std::filesystem;
namespace paths = common::paths;
using common::Ending;
using common::Fd;
using std::chrono_literals::operator""ms;
using testing::HasSubstr;
using tests::process_exists;
using tests::read_file;
using tests::TempDir;
using tests::wait_until;

constexpr int kLongMs = 60'000;  // ends a failing test, nothing else

std::string keeper_program() {
  return fs::path(GENAPP_BIN_DIR).parent_path() / "libexec/genapp" / kKeeperProgram;
}

void await_readable(int fd) {
  pollfd item{fd, POLLIN, 0};
  if (::poll(&item, 1, kLongMs) != 1) throw std::runtime_error("nothing comes from the keeper");
}

// An appserver's end of the connection. Checks that no byte comes twice, and counts gaps.
class Peer {
 public:
  explicit Peer(const std::string& session_dir) {
    const common::Directory dir = tests::open_dir(session_dir);
    const sockaddr_un address = common::socket_address(dir, paths::kKeeperSock);
    socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
        0) {
      throw common::system_error("connecting to the keeper", errno);
    }
    state = await<KeeperState>();
    ended = state.ended;
    drained = state.drained;
    lost = state.dropped;
  }

  void order(const LinkOrder& order) { write(format_link_order(order)); }
  void write(const std::string& bytes) {
    // The keeper may have hung up.
    [[maybe_unused]] const ssize_t n =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void send_from(Offsets from) {
    at = from;
    order(LinkSend{from});
  }
  void confirm() { order(LinkTaken{at}); }

  // Reads what comes, output too, up to such a word.
  template <typename Word>
  Word await() {
    for (;;) {
      const auto word = next();
      if (!word) throw std::runtime_error("the keeper has hung up");
      if (const auto* const found = std::get_if<Word>(&*word)) return *found;
    }
  }
  // Reads on until so many bytes of the stream have come.
  void await_output(Output stream, std::uint64_t length) {
    while (at.of(stream) < length) {
      if (!next()) throw std::runtime_error("the keeper has hung up");
    }
  }
  // Reads on to the end of both streams.
  Offsets await_all() {
    const Offsets lengths = drained ? *drained : await<KeeperDrained>().offsets;
    await_output(Output::out, lengths.out);
    await_output(Output::err, lengths.err);
    return lengths;
  }
  bool hung_up() {
    while (next()) {
    }
    return true;
  }

  KeeperState state;
  Offsets at;              // the next byte's
  std::string out, err;    // what has come
  std::uint64_t gaps = 0;  // bytes that have not come
  std::uint64_t lost = 0;  // what the keeper says of that
  bool confirms = true;    // as a manager that writes whatever it gets
  std::optional<Ending> ended;
  std::optional<Offsets> drained;
  std::function<void(const OutputChunk&)> sink{};  // in place of `out` and `err`

 private:
  // Nothing when the keeper has hung up. What it says is taken note of.
  std::optional<KeeperWord> next() {
    for (;;) {
      if (const auto message = reader_.next()) {
        const auto word = parse_keeper_word(*message);
        if (!word) throw std::runtime_error("no word of a keeper's: " + std::string(*message));
        note(*word);
        return word;
      }
      await_readable(socket_.get());
      static std::array<char, 256 * 1024> buffer;
      const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (n <= 0) return std::nullopt;
      reader_.put({buffer.data(), static_cast<std::size_t>(n)});
    }
  }

  void note(const KeeperWord& word) {
    if (const auto* const told = std::get_if<KeeperEnded>(&word)) ended = told->ending;
    if (const auto* const told = std::get_if<KeeperDrained>(&word)) drained = told->offsets;
    if (const auto* const told = std::get_if<KeeperLost>(&word)) lost = told->dropped;
    const auto* const chunk = std::get_if<OutputChunk>(&word);
    if (!chunk) return;
    std::uint64_t& next_byte = at.of(chunk->stream);
    if (chunk->offset < next_byte) throw std::runtime_error("bytes came twice");
    gaps += chunk->offset - next_byte;
    next_byte = chunk->offset + chunk->bytes.size();
    if (sink) {
      sink(*chunk);
    } else {
      (chunk->stream == Output::out ? out : err).append(chunk->bytes);
    }
    if (confirms) confirm();
  }

  Fd socket_;
  LinkReader reader_;
};

class KeeperProcess : public testing::Test {
 protected:
  KeeperProcess() {
    fs::create_directory(session_dir_);
    tests::write_file(session_dir_ + "/session", "the appserver's\n");
    start_.session_dir = session_dir_;
    start_.session = common::Id("s");
  }
  ~KeeperProcess() override {
    if (!keeper_) return;
    const auto ticks = common::start_ticks(keeper_->pid());
    ::kill(keeper_->pid(), SIGKILL);
    keeper_->reap();
    // What its command has started.
    common::end_carriers(common::run_of({keeper_->pid(), ticks.value_or(0)}),
                         std::chrono::milliseconds(kLongMs));
  }

  void shell(const std::string& script) { start_.command = {"/bin/sh", "-c", script}; }

  // The same, once go() says so.
  void gated_shell(const std::string& script) {
    if (::mkfifo((folder_ / "go").c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    shell("read line < " + (folder_ / "go") + "; " + script);
  }
  void go() const { tests::write_file(folder_ / "go", "\n"); }

  // What it says.
  KeeperAnswer answer(pid_t parent = ::getpid()) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    const Fd read(ends[0]);
    Fd write(ends[1]);
    keeper_.emplace(common::spawn(keeper_spawn(keeper_program(), start_, parent, write.get())));
    write.close();
    std::string said;
    std::array<char, 4096> buffer;
    for (ssize_t n = 1; n > 0;) {
      await_readable(read.get());
      n = ::read(read.get(), buffer.data(), buffer.size());
      said.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    }
    const auto parsed = parse_keeper_answer(said);
    if (!parsed) throw std::runtime_error("the keeper said: " + said);
    return *parsed;
  }
  // Starts the command.
  KeeperReady start() {
    const KeeperAnswer said = answer();
    if (const auto* const ready = std::get_if<KeeperReady>(&said)) return *ready;
    throw std::runtime_error("not started: " + format_keeper_answer(said));
  }
  Peer connect() const { return Peer(session_dir_); }
  // Connected, and given all output from the begin.
  Peer attach() const {
    Peer peer = connect();
    peer.send_from({});
    return peer;
  }

  Ending keeper_ending() {
    if (!keeper_->wait(std::chrono::milliseconds(kLongMs))) {
      ADD_FAILURE() << "the keeper does not end";
      ::kill(keeper_->pid(), SIGKILL);
    }
    const Ending ending = keeper_->reap();
    keeper_.reset();
    return ending;
  }
  void forget(Peer& peer) {
    peer.order(LinkForget{});
    EXPECT_TRUE(peer.hung_up());
    EXPECT_EQ(keeper_ending(), Ending{});
    EXPECT_FALSE(fs::exists(session_dir_));
  }

  // Whether it comes to rest: asleep in ten looks, one after the other.
  bool rests() const {
    const std::string stat = "/proc/" + std::to_string(keeper_->pid()) + "/stat";
    int looks = 0;
    return wait_until([&] {
      looks = read_file(stat).find(") S ") != std::string::npos ? looks + 1 : 0;
      return looks == 10;
    });
  }

  std::string file(const std::string& name) const { return read_file(session_dir_ + "/" + name); }
  bool alive() const { return common::is_alive(tests::open_dir(session_dir_), paths::kKeeperPid); }

  TempDir folder_;
  const std::string session_dir_ = folder_ / "s";
  KeeperStart start_;
  std::optional<common::Child> keeper_;
};

// "1\n2\n…"
std::string numbers(int last) {
  std::string text;
  for (int i = 1; i <= last; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST_F(KeeperProcess, GivesOutputAndEndAndIsGoneWhenForgotten) {
  shell("echo out; echo err >&2; exit 3");
  const KeeperReady ready = start();
  Peer peer = attach();
  EXPECT_EQ(peer.state.pid, ready.pid);
  EXPECT_EQ(peer.state.start_ticks, ready.start_ticks);
  const Offsets lengths = peer.await_all();
  EXPECT_EQ(lengths, (Offsets{4, 4}));
  EXPECT_EQ(peer.out, "out\n");
  EXPECT_EQ(peer.err, "err\n");
  EXPECT_EQ(peer.ended, (Ending{false, 3}));
  EXPECT_EQ(file(paths::kSessionEnded), "code 3\n");
  EXPECT_EQ(file(paths::kSessionApp), common::format_pid_record({ready.pid, ready.start_ticks}));
  forget(peer);
}

TEST_F(KeeperProcess, TellsTheSignalThatEndedTheCommand) {
  shell("kill -KILL $$");
  start();
  Peer peer = attach();
  peer.await_all();
  EXPECT_EQ(file(paths::kSessionEnded), "signal 9\n");
  forget(peer);
}

TEST_F(KeeperProcess, TellsTheEndAtOnceToWhoeverIsConnected) {
  gated_shell("exit 0");
  start();
  Peer peer = connect();  // attached to nothing
  EXPECT_FALSE(peer.state.ended);
  go();
  EXPECT_EQ(peer.await<KeeperEnded>().ending, Ending{});
  EXPECT_EQ(parse_ended(file(paths::kSessionEnded)), Ending{});
  EXPECT_EQ(peer.await<KeeperDrained>().offsets, Offsets{});
  forget(peer);
}

TEST_F(KeeperProcess, HoldsItsFilesAsTheAppserverLooksForThem) {
  start_.command = {"/bin/sleep", "1000"};
  start();
  const auto living = common::find_living(tests::open_dir(session_dir_), paths::kKeeperPid);
  ASSERT_TRUE(living);
  EXPECT_EQ(living->pid, keeper_->pid());
  EXPECT_EQ(living->word, "keeper");
  struct stat info {};
  ASSERT_EQ(::stat((session_dir_ + "/sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(KeeperProcess, TheCommandHasWhatItWasGiven) {
  start_.environment = {"A=1", "GENAPP_RUN=another's", "B=two words"};
  start_.directory = folder_.path();
  start_.umask = 027;
  start_.limits = {{RLIMIT_NOFILE, 77}, {RLIMIT_CORE, 0}};
  shell(
      "/usr/bin/env; pwd; umask; ulimit -n; ulimit -c; readlink /proc/$$/fd/0; "
      "ls /proc/$$/fd | tr '\\n' ' '");
  start();
  const auto keeper = common::read_pid_record(tests::open_dir(session_dir_), paths::kKeeperPid);
  Peer peer = attach();
  peer.await_all();
  const std::string run = "GENAPP_RUN=" + common::run_of(keeper.value());
  EXPECT_THAT(peer.out, HasSubstr("A=1\n"));
  EXPECT_THAT(peer.out, HasSubstr("B=two words\n"));
  EXPECT_THAT(peer.out, HasSubstr(run + "\n"));
  EXPECT_THAT(peer.out, testing::Not(HasSubstr("another's")));
  EXPECT_THAT(peer.out, HasSubstr("\n" + folder_.path() + "\n0027\n77\n0\n/dev/null\n0 1 2 "));
  EXPECT_EQ(peer.err, "");
}

TEST_F(KeeperProcess, TheCommandIsItsUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  start_.identity = common::Identity{65534, 65533, {65532}};
  start_.command = {"/usr/bin/id", "-G"};
  start();
  Peer peer = attach();
  peer.await_all();
  EXPECT_EQ(peer.out, "65533 65532\n");
  forget(peer);
}

TEST_F(KeeperProcess, WhatCantBeExecutedIsToldAndLeavesNothing) {
  start_.command = {folder_ / "none"};
  const KeeperAnswer said = answer();
  ASSERT_TRUE(std::holds_alternative<KeeperFailed>(said)) << format_keeper_answer(said);
  EXPECT_EQ(std::get<KeeperFailed>(said).error, ENOENT);
  EXPECT_THAT(std::get<KeeperFailed>(said).text, HasSubstr("No such file or directory"));
  EXPECT_EQ(keeper_ending(), (Ending{false, 1}));
  EXPECT_FALSE(fs::exists(session_dir_));
}

// Its own command line is checked by keeper_start_test.cpp.
TEST_F(KeeperProcess, AWrongCommandLineIsToldToTheStarterToo) {
  start_.buffer = 1;
  start_.command = {"/bin/true"};
  const KeeperAnswer said = answer();
  ASSERT_TRUE(std::holds_alternative<KeeperProblem>(said));
  EXPECT_THAT(std::get<KeeperProblem>(said).text, HasSubstr("--buffer"));
  EXPECT_EQ(keeper_ending(), (Ending{false, 64}));
}

TEST_F(KeeperProcess, WithItsParentGoneNothingIsStarted) {
  shell("touch " + (folder_ / "started"));
  tests::Child gone([] { return 0; });
  const pid_t pid = gone.pid();
  gone.wait();
  const KeeperAnswer said = answer(pid);
  ASSERT_TRUE(std::holds_alternative<KeeperProblem>(said));
  EXPECT_THAT(std::get<KeeperProblem>(said).text, HasSubstr("is gone"));
  EXPECT_EQ(keeper_ending(), (Ending{false, 1}));
  EXPECT_FALSE(fs::exists(folder_ / "started"));
}

TEST_F(KeeperProcess, OnceReadyItOutlivesItsParent) {
  start_.command = {"/bin/sleep", "1000"};
  tests::Child starter([&] {
    start();
    tests::write_file(folder_ / "keeper", std::to_string(keeper_->pid()));
    keeper_.reset();
    return 0;
  });
  ASSERT_EQ(starter.wait(), 0);
  Peer peer = attach();
  peer.order(LinkStop{1000ms});
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{true, SIGTERM}));
  peer.order(LinkForget{});
  EXPECT_TRUE(peer.hung_up());
  const auto pid = static_cast<pid_t>(std::stol(read_file(folder_ / "keeper")));
  EXPECT_TRUE(wait_until([&] { return !process_exists(pid); }));
}

TEST_F(KeeperProcess, ASecondOneForTheSessionIsRefused) {
  start_.command = {"/bin/sleep", "1000"};
  const KeeperReady first = start();
  common::Child keeper = std::move(*keeper_);
  const KeeperAnswer said = answer();
  ASSERT_TRUE(std::holds_alternative<KeeperProblem>(said));
  EXPECT_THAT(std::get<KeeperProblem>(said).text, HasSubstr("a keeper has"));
  EXPECT_EQ(keeper_ending(), (Ending{false, 1}));
  keeper_ = std::move(keeper);
  EXPECT_EQ(connect().state.pid, first.pid);
}

// It would overwrite what nobody has been told yet.
TEST_F(KeeperProcess, AFolderWithAnotherCommandsEndIsRefused) {
  tests::write_file(session_dir_ + "/ended", "code 0\n");
  shell("touch " + (folder_ / "started"));
  const KeeperAnswer said = answer();
  ASSERT_TRUE(std::holds_alternative<KeeperProblem>(said));
  EXPECT_EQ(keeper_ending(), (Ending{false, 1}));
  EXPECT_EQ(file("ended"), "code 0\n");
  EXPECT_FALSE(fs::exists(folder_ / "started"));
}

TEST_F(KeeperProcess, KilledItTakesTheCommandWithIt) {
  start_.command = {"/bin/sleep", "1000"};
  const KeeperReady ready = start();
  ::kill(keeper_->pid(), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !common::runs(ready.pid, ready.start_ticks); }));
  EXPECT_FALSE(alive());
  EXPECT_EQ(file(paths::kSessionEnded), "");
}

TEST_F(KeeperProcess, TheCommandWaitsForAManagerThatIsSlow) {
  start_.buffer = 4096;
  start_.stall = kMostStall;
  gated_shell("exec seq 200000");
  start();
  Peer peer = attach();
  peer.confirms = false;
  go();
  peer.await_output(Output::out, 4096);
  peer.confirms = true;
  peer.confirm();
  peer.await_all();
  EXPECT_TRUE(peer.out == numbers(200'000));
  EXPECT_EQ(peer.gaps, 0u);
  EXPECT_EQ(peer.lost, 0u);
}

// A fast one writes more than is kept before anybody can ask for it.
TEST_F(KeeperProcess, TheCommandWaitsForTheFirstManager) {
  start_.buffer = 4096;
  start_.stall = kMostStall;
  // More than the buffer, less than it and the pipe together.
  shell("seq 5000; touch " + (folder_ / "written") + "; seq 5000");
  start();
  ASSERT_TRUE(wait_until([&] { return fs::exists(folder_ / "written"); }));
  Peer peer = connect();
  peer.send_from({});
  peer.await_all();
  EXPECT_EQ(peer.gaps, 0u);
  EXPECT_TRUE(peer.out == numbers(5000) + numbers(5000));
}

TEST_F(KeeperProcess, ItDoesNotWaitWhereNobodyIsToCome) {
  start_.buffer = 4096;
  start_.stall = kMostStall;
  shell("exec seq 200000");
  start();
  Peer peer = connect();
  peer.order(LinkHold{});
  EXPECT_EQ(peer.await<KeeperDrained>().offsets.out, numbers(200'000).size());
  EXPECT_EQ(peer.out, "");  // it has not asked for any
}

// A thousand of them must cost nothing while nothing happens.
TEST_F(KeeperProcess, RestsWhateverItWaitsFor) {
  start_.buffer = 4096;
  start_.stall = kMostStall;
  gated_shell("exec seq 5000");
  start();
  EXPECT_TRUE(rests());
  go();
  Peer peer = connect();
  EXPECT_TRUE(rests());  // until it is asked for the output
  peer.confirms = false;
  peer.send_from({});
  peer.await_output(Output::out, 4096);
  EXPECT_TRUE(rests());  // until that is confirmed
  peer.confirms = true;
  peer.confirm();
  peer.await_all();
  EXPECT_TRUE(rests());  // until it is forgotten
  forget(peer);
}

TEST_F(KeeperProcess, RestsWithNobodyThereAndItsBufferFull) {
  start_.buffer = 4096;
  start_.stall = 0ms;
  start_.leftovers = Leftovers::leave;
  shell("seq 200000; sleep 1000 & echo end");
  start();
  ASSERT_TRUE(wait_until([&] { return !file(paths::kSessionEnded).empty(); }));
  EXPECT_TRUE(rests());
}

TEST_F(KeeperProcess, AfterHoldItSendsNothing) {
  shell("echo ready; read line < " + (folder_ / "go") + "; echo more");
  ASSERT_EQ(::mkfifo((folder_ / "go").c_str(), 0600), 0);
  start();
  Peer peer = attach();
  peer.await_output(Output::out, 6);
  peer.order(LinkHold{});
  go();
  EXPECT_EQ(peer.await<KeeperDrained>().offsets.out, 11u);
  peer.send_from({6, 0});
  peer.await<KeeperSending>();
  EXPECT_EQ(peer.out, "ready\n");
  peer.await_all();
  EXPECT_EQ(peer.out, "ready\nmore\n");
}

TEST_F(KeeperProcess, ItDoesNotWaitForOneThatHasGone) {
  start_.buffer = 4096;
  start_.stall = kMostStall;
  shell("exec seq 200000");
  start();
  { Peer peer = attach(); }
  EXPECT_TRUE(wait_until([&] { return file(paths::kSessionEnded) == "code 0\n"; }));
}

TEST_F(KeeperProcess, WithNobodyThereTheOldestIsDropped) {
  start_.buffer = 4096;
  start_.stall = 20ms;
  shell("seq 200000; seq 10 >&2");
  start();
  ASSERT_TRUE(wait_until([&] { return file(paths::kSessionEnded) == "code 0\n"; }));
  const std::string all = numbers(200'000);
  Peer peer = attach();
  const Offsets lengths = peer.await_all();
  EXPECT_EQ(lengths, (Offsets{all.size(), numbers(10).size()}));
  EXPECT_TRUE(peer.out == all.substr(all.size() - 4096));
  EXPECT_EQ(peer.err, numbers(10));
  EXPECT_EQ(peer.gaps, all.size() - 4096);
  EXPECT_EQ(peer.lost, all.size() - 4096);
  forget(peer);
}

TEST_F(KeeperProcess, AManagerThatTakesNothingHoldsUpNothing) {
  start_.buffer = 4096;
  start_.stall = 20ms;
  gated_shell("exec seq 200000");
  start();
  Peer peer = attach();
  peer.confirms = false;
  go();
  const KeeperDrained drained = peer.await<KeeperDrained>();
  const std::string all = numbers(200'000);
  EXPECT_EQ(drained.offsets.out, all.size());
  peer.confirms = true;
  peer.confirm();
  peer.await_all();
  EXPECT_GT(peer.gaps, 0u);
  EXPECT_EQ(peer.lost, peer.gaps);
  EXPECT_EQ(peer.out.size() + peer.gaps, all.size());
  EXPECT_TRUE(all.ends_with(std::string_view(peer.out).substr(peer.out.size() - 4096)));
}

TEST_F(KeeperProcess, AnotherAppserverGoesOnWhereTheLastOneStopped) {
  shell("seq 5000; read line < " + (folder_ / "go") + "; seq 5000");
  ASSERT_EQ(::mkfifo((folder_ / "go").c_str(), 0600), 0);
  start();
  const std::string all = numbers(5000) + numbers(5000);
  std::string out;
  Offsets at;
  {
    Peer first = attach();
    first.await_output(Output::out, 1);
    out = first.out;
    at = first.at;
    first.order(LinkTaken{{at.out / 2, 0}});  // it may have written more than it could say
  }
  go();
  Peer second = connect();
  EXPECT_LE(second.state.kept.out, at.out);
  second.send_from(at);
  second.await_all();
  EXPECT_EQ(second.gaps, 0u);
  EXPECT_TRUE(out + second.out == all);
  forget(second);
}

// Again and again, at any byte.
TEST_F(KeeperProcess, NoByteIsLostOrDoubledOverManyConnections) {
  shell("i=0; while [ $i -lt 2000 ]; do echo line $i; echo error $i >&2; i=$((i+1)); done");
  start();
  std::string wanted_out, wanted_err;
  for (int i = 0; i < 2000; ++i) {
    wanted_out += "line " + std::to_string(i) + "\n";
    wanted_err += "error " + std::to_string(i) + "\n";
  }
  std::string out, err;
  Offsets at;
  int connections = 0;
  while (out.size() < wanted_out.size() || err.size() < wanted_err.size()) {
    Peer peer = connect();
    peer.confirms = ++connections % 2 == 0;
    peer.send_from(at);
    const Output stream = out.size() < wanted_out.size() ? Output::out : Output::err;
    peer.await_output(stream, at.of(stream) + 1);
    ASSERT_EQ(peer.gaps, 0u);
    at = peer.at;
    out += peer.out;
    err += peer.err;
  }
  EXPECT_TRUE(out == wanted_out);
  EXPECT_TRUE(err == wanted_err);
}

// What was sent before an order to send does not pass for what is sent by it.
TEST_F(KeeperProcess, AnOrderToSendIsAnsweredBeforeOutputComes) {
  shell("seq 10; exec sleep 1000");
  start();
  Peer peer = attach();
  EXPECT_EQ(peer.await<KeeperSending>().from, Offsets{});
  EXPECT_EQ(peer.out, "");
  peer.confirms = false;
  peer.await_output(Output::out, numbers(10).size());
  peer.send_from({5, 0});
  EXPECT_EQ(peer.await<KeeperSending>().from, (Offsets{5, 0}));
  peer.await_output(Output::out, numbers(10).size());
  EXPECT_EQ(peer.out, numbers(10) + numbers(10).substr(5));
  peer.order(LinkTaken{{7, 0}});
  peer.send_from({2, 0});
  EXPECT_EQ(peer.await<KeeperSending>().from, (Offsets{7, 0}));
}

TEST_F(KeeperProcess, ANewConnectionTakesThePlaceOfTheLast) {
  start_.command = {"/bin/sleep", "1000"};
  start();
  Peer first = attach();
  Peer second = attach();
  EXPECT_TRUE(first.hung_up());
  second.order(LinkStop{1000ms});
  EXPECT_EQ(second.await<KeeperEnded>().ending, (Ending{true, SIGTERM}));
}

TEST_F(KeeperProcess, WhatIsNoOrderEndsTheConnectionAlone) {
  start_.command = {"/bin/sleep", "1000"};
  const KeeperReady ready = start();
  for (const std::string& bytes :
       {std::string("\xff\xff\xff\xff"), std::string(4, '\0'), std::string("\0\0\0\4frob", 8),
        std::string("\0\0\0\x8signal -1", 12)}) {
    Peer peer = attach();
    peer.write(bytes);
    EXPECT_TRUE(peer.hung_up());
  }
  EXPECT_EQ(connect().state.pid, ready.pid);
}

TEST_F(KeeperProcess, AnAppserverThatDoesNotReadIsWaitedForByNobody) {
  start_.stall = 0ms;
  start_.buffer = kMostBuffer;
  shell("head -c 4000000 /dev/zero; exit 5");
  start();
  Peer peer = attach();
  EXPECT_TRUE(wait_until([&] { return file(paths::kSessionEnded) == "code 5\n"; }));
  peer.await_all();  // from the middle of what the socket did not take
  EXPECT_EQ(peer.gaps, 0u);
  EXPECT_TRUE(peer.out == std::string(4'000'000, '\0'));
}

TEST_F(KeeperProcess, ForgetCountsOnlyAfterTheEnd) {
  start_.command = {"/bin/sleep", "1000"};
  start();
  Peer peer = attach();
  peer.order(LinkForget{});
  peer.order(LinkStop{1000ms});
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{true, SIGTERM}));
  peer.await_all();
  forget(peer);
}

TEST_F(KeeperProcess, SignalsReachTheCommand) {
  shell("trap 'echo usr1; exit 7' USR1; echo ready; while :; do sleep 0.01; done");
  start();
  Peer peer = attach();
  peer.await_output(Output::out, 6);
  peer.order(LinkSignal{SIGUSR1});
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{false, 7}));
  peer.order(LinkSignal{SIGKILL});
  peer.order(LinkStop{0ms});
  peer.await_all();
  EXPECT_EQ(peer.out, "ready\nusr1\n");
  forget(peer);
}

TEST_F(KeeperProcess, SignalsReachTheWholeGroup) {
  shell(
      "trap 'wait; exit 4' USR1; "
      "(trap 'echo usr1; exit' USR1; echo ready; while :; do sleep 0.01; done) & wait");
  start();
  Peer peer = attach();
  peer.await_output(Output::out, 6);
  peer.order(LinkSignal{SIGUSR1});
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{false, 4}));
  peer.await_all();
  EXPECT_EQ(peer.out, "ready\nusr1\n");
}

TEST_F(KeeperProcess, StopIsTermFirst) {
  shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  start();
  Peer peer = attach();
  peer.await_output(Output::out, 6);
  peer.order(LinkStop{kMostKillAfter});
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{false, 7}));
}

// Also what has left its group, and is let live when a command ends by itself.
TEST_F(KeeperProcess, StopIsKillForAllWhenTermIsIgnored) {
  start_.leftovers = Leftovers::leave;
  shell("trap '' TERM; setsid sleep 1000 & echo $!; exec sleep 1000");
  start();
  Peer peer = attach();
  peer.await_output(Output::out, 2);
  peer.order(LinkStop{10ms});
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{true, SIGKILL}));
  peer.await_all();
  EXPECT_FALSE(process_exists(static_cast<pid_t>(std::stol(peer.out))));
  forget(peer);
}

TEST_F(KeeperProcess, ALaterStopOnlyShortensTheWait) {
  shell("trap '' TERM; echo ready; exec sleep 1000");
  start();
  Peer peer = attach();
  peer.await_output(Output::out, 6);
  peer.order(LinkStop{kMostKillAfter});
  peer.order(LinkStop{10ms});
  peer.order(LinkStop{kMostKillAfter});
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{true, SIGKILL}));
}

TEST_F(KeeperProcess, WhatTheCommandLeavesIsEnded) {
  shell("setsid sleep 1000 & echo $!");
  start();
  Peer peer = attach();
  peer.await_all();
  EXPECT_FALSE(process_exists(static_cast<pid_t>(std::stol(peer.out))));
  forget(peer);
}

// It writes after the session is over, and gets no SIGPIPE for it.
TEST_F(KeeperProcess, WhatTheCommandLeavesMayGoOn) {
  start_.leftovers = Leftovers::leave;
  ASSERT_EQ(::mkfifo((folder_ / "go").c_str(), 0600), 0);
  shell("(read line < " + (folder_ / "go") + "; seq 100000; echo x >&2; echo $? > " +
        (folder_ / "done") + ") & echo $!");
  start();
  Peer peer = attach();
  peer.await_all();
  EXPECT_TRUE(process_exists(static_cast<pid_t>(std::stol(peer.out))));
  peer.order(LinkForget{});
  EXPECT_TRUE(peer.hung_up());
  EXPECT_FALSE(fs::exists(session_dir_));
  go();
  EXPECT_TRUE(wait_until([&] { return read_file(folder_ / "done") == "0\n"; }));
  EXPECT_EQ(keeper_ending(), Ending{});
}

TEST_F(KeeperProcess, OrphansAreReapedWhileTheCommandRuns) {
  shell("for i in 1 2 3 4 5; do (true & exec true); done; echo ready; exec sleep 1000");
  const KeeperReady ready = start();
  Peer peer = attach();
  peer.await_output(Output::out, 6);
  const std::string pid = std::to_string(keeper_->pid());
  EXPECT_TRUE(wait_until([&] {
    return read_file("/proc/" + pid + "/task/" + pid + "/children") ==
           std::to_string(ready.pid) + " ";
  }));
}

TEST_F(KeeperProcess, TermStopsTheCommandAndEndsItWhenNobodyIsThere) {
  start_.kill_after = 10ms;
  shell("trap '' TERM; echo ready; exec sleep 1000");
  start();
  {
    Peer peer = attach();
    peer.await_output(Output::out, 6);
  }
  ::kill(keeper_->pid(), SIGTERM);
  EXPECT_EQ(keeper_ending(), Ending{});
  // For the next appserver.
  EXPECT_EQ(file(paths::kSessionEnded), "signal 9\n");
  EXPECT_FALSE(alive());
}

TEST_F(KeeperProcess, TermLeavesItToItsAppserver) {
  start_.command = {"/bin/sleep", "1000"};
  start();
  Peer peer = attach();
  ::kill(keeper_->pid(), SIGTERM);
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{true, SIGTERM}));
  peer.await_all();
  forget(peer);
}

TEST_F(KeeperProcess, HupIsNotForIt) {
  shell("echo ready; read line < " + (folder_ / "go"));
  ASSERT_EQ(::mkfifo((folder_ / "go").c_str(), 0600), 0);
  start();
  ::kill(keeper_->pid(), SIGHUP);
  Peer peer = attach();
  peer.await_output(Output::out, 6);
  go();
  peer.await_all();
  forget(peer);
}

TEST_F(KeeperProcess, HowItEndedIsToldWhereItCantBeWritten) {
  start_.command = {"/bin/sleep", "1000"};
  start();
  Peer peer = attach();
  fs::create_directory(session_dir_ + "/ended");
  peer.order(LinkStop{1000ms});
  EXPECT_EQ(peer.await<KeeperEnded>().ending, (Ending{true, SIGTERM}));
  fs::remove(session_dir_ + "/ended");
  EXPECT_TRUE(wait_until([&] { return file(paths::kSessionEnded) == "signal 15\n"; }));
  forget(peer);
}

// Checks "1\n2\n…" as it comes.
class NumberCheck {
 public:
  void put(std::string_view bytes) {
    for (const char c : bytes) {
      if (at_ == line_.size()) {
        line_ = std::to_string(++number_) + "\n";
        at_ = 0;
      }
      if (c != line_[at_++]) ++wrong_;
    }
  }
  std::uint64_t wrong() const { return wrong_; }

 private:
  std::string line_;
  std::size_t at_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t wrong_ = 0;
};

std::uint64_t status_kb(pid_t pid, const std::string& key) {
  std::istringstream status(read_file("/proc/" + std::to_string(pid) + "/status"));
  for (std::string word; status >> word;) {
    std::uint64_t value = 0;
    if (word == key + ":" && status >> value) return value;
  }
  return 0;
}

TEST_F(KeeperProcess, AHundredMegabytesPassThroughItForASlowReader) {
  start_.stall = kMostStall;
  gated_shell("exec seq 12800000");
  start();
  Peer peer = attach();
  NumberCheck check;
  int chunks = 0;
  peer.confirms = false;
  peer.sink = [&](const OutputChunk& chunk) {
    check.put(chunk.bytes);
    if (++chunks % 64 == 0) ::poll(nullptr, 0, 1);  // so that it has to wait
    peer.order(LinkTaken{peer.at});
  };
  go();
  const KeeperDrained drained = peer.await<KeeperDrained>();
  peer.await_output(Output::out, drained.offsets.out);
  EXPECT_GT(drained.offsets.out, 100'000'000u);
  EXPECT_EQ(check.wrong(), 0u);
  EXPECT_EQ(peer.gaps, 0u);
  // What it keeps is bounded.
  EXPECT_LT(status_kb(keeper_->pid(), "VmHWM"), 64u * 1024);
  forget(peer);
}

TEST(KeeperProgram, TellsItsVersionAndWhoseItIs) {
  EXPECT_EQ(tests::run({{keeper_program(), "--version"}}).out,
            "keeper (genapp) " GENAPP_VERSION "\n");
  EXPECT_THAT(tests::run({{keeper_program(), "--help"}}).out, HasSubstr("appserver"));
  const tests::Result wrong = tests::run({{keeper_program(), "--frob", "1"}});
  EXPECT_EQ(wrong.exit_code, 64);
  EXPECT_THAT(wrong.err, HasSubstr("unknown option \"--frob\""));
}

}  // namespace
}  // namespace genapp::remote
