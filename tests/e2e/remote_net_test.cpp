// appmgr and appserver on two hosts, in network namespaces with a bad line between them
// (remote_wire.cpp); and a client in another language.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "tests/e2e/namespace.hpp"
#include "tests/support/full_length.hpp"
#include "tests/support/process.hpp"
#include "tests/support/remote_client.hpp"
#include "tests/support/remote_guest.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;

constexpr char kGuestAddress[] = "10.55.0.2";

// A host and a guest, each with a network of its own, and a line between them.
class TwoHosts : public testing::Test {
 protected:
  TwoHosts()
      : space_(Namespace::Network::own,
               "mount -t tmpfs tmpfs /run && ip netns add guest\n"
               "ip tuntap add dev w0 mode tun && ip addr add 10.55.0.1/24 dev w0 && ip link set w0 "
               "up\n"
               "alias guest='ip netns exec guest'\n"
               "guest ip link set lo up && guest ip tuntap add dev w1 mode tun\n"
               "guest ip addr add 10.55.0.2/24 dev w1 && guest ip link set w1 up\n") {
    line("");
    wire_.emplace(
        space_.inside(Command{{GENAPP_REMOTE_WIRE, "w0", "/run/netns/guest", "w1", file("line")}}));
    guest_.serve_as("IP:" + std::string(kGuestAddress));
    guest_.settings("listen = \"any\"\ntimeout = 6");
    guest_.start([this](Command command) {
      command.argv.insert(command.argv.begin(), {"ip", "netns", "exec", "guest"});
      return space_.inside(std::move(command));
    });
    write_file(guest_.node().config_dir() + "/appmgr.toml",
               "certificate = \"" + guest_.host1().certificate + "\"\nkey = \"" +
                   guest_.host1().key + "\"\nauthorities = \"" + guest_.host1().authorities +
                   "\"\nport = " + std::to_string(guest_.port()) + "\n");
  }

  std::string file(const std::string& name) const { return folder_ / name; }
  // How bad the line is: see remote_wire.cpp.
  void line(const std::string& text) const {
    write_file(file("line.new"), text);
    std::filesystem::rename(file("line.new"), file("line"));
  }

  Process appmgr(std::vector<std::string> more) {
    std::vector<std::string> argv{"appmgr", "--node", kGuestAddress};
    argv.insert(argv.end(), more.begin(), more.end());
    return Process(space_.inside(guest_.node().command(argv)));
  }
  Process run(const std::string& session, const std::string& text, int timeout) {
    return appmgr(
        {"--session", session, "--timeout", std::to_string(timeout), "--", "/bin/sh", "-c", text});
  }
  bool started(const std::string& session) const {
    return wait_until([&] { return count_of(read_file(file(session)), "started") > 0; });
  }
  std::string counting(const std::string& session, const std::string& rest) const {
    return "echo started >> " + file(session) + "; " + rest;
  }

  RemoteGuest guest_;

 private:
  TempDir folder_;
  Namespace space_;
  std::optional<Process> wire_;
};

std::string numbers_to(int last) {
  std::string text;
  for (int i = 1; i <= last; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST_F(TwoHosts, ABadLineLosesNothing) {
  line("delay 20 loss 2 reorder 10");
  Process manager = run("a", "seq 1 20000; echo complaint >&2; exit 3", 60);
  const Result result = manager.wait();
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_TRUE(result.out == numbers_to(20000)) << result.out.size();
  EXPECT_THAT(result.err, HasSubstr("complaint\n"));
}

TEST_F(TwoHosts, AShortCutIsNotNoticedByTheCommandNorByWhoWaitsForIt) {
  // Of some the command ends within the cut.
  const int count = full_length() ? 100 : kSanitized ? 10 : 40;
  // A third of it is how long the line is cut.
  const int timeout = full_length() ? 30 : 15;
  std::vector<Process> managers;
  for (int i = 0; i < count; ++i) {
    const std::string session = "s" + std::to_string(i);
    const std::string until = file(i % 2 == 0 ? "now" : "later");
    managers.push_back(run(session,
                           counting(session, "while [ ! -e " + until +
                                                 " ]; do sleep 0.05; done; "
                                                 "echo done; exit " +
                                                 std::to_string(i)),
                           timeout));
  }
  for (int i = 0; i < count; ++i) ASSERT_TRUE(started("s" + std::to_string(i))) << i;
  line("cut");
  write_file(file("now"), "");
  // Until all have noticed.
  for (const Process& manager : managers) {
    EXPECT_TRUE(wait_until([&] { return count_of(manager.err(), "it was silent for") > 0; }));
  }
  line("");
  write_file(file("later"), "");
  for (int i = 0; i < count; ++i) {
    const Result result = managers[static_cast<std::size_t>(i)].wait();
    EXPECT_EQ(result.exit_code, i) << result.err;
    EXPECT_EQ(result.out, "done\n");
    EXPECT_EQ(count_of(read_file(file("s" + std::to_string(i))), "started"), 1u);
  }
}

TEST_F(TwoHosts, ALongCutIsToldAndTheCommandGoesOn) {
  Process manager = run("a",
                        counting("a", "while [ ! -e " + file("go") +
                                          " ]; do sleep 0.05; done; "
                                          "echo late; exit 6"),
                        2);
  ASSERT_TRUE(started("a"));
  line("cut");
  const Result lost = manager.wait();
  EXPECT_EQ(lost.exit_code, 253) << lost.err;
  EXPECT_THAT(lost.err, HasSubstr("may"));
  // A second one finds nobody either.
  EXPECT_EQ(run("b", "true", 1).wait().exit_code, 250);
  line("");
  write_file(file("go"), "");
  Process again = appmgr({"--attach", "a", "--timeout", "30"});
  const Result result = again.wait();
  EXPECT_EQ(result.exit_code, 6) << result.err;
  EXPECT_EQ(result.out, "late\n");
  EXPECT_EQ(count_of(read_file(file("a")), "started"), 1u);
}

// In Node, with its ws; and the schema holds.
TEST(RemoteProtocol, IsSpokenByAClientInAnotherLanguage) {
  RemoteGuest guest;
  guest.start();
  TempDir folder;
  for (const auto& [from, name] : {std::pair{guest.host1().certificate, "host1.crt"},
                                   {guest.host1().key, "host1.key"},
                                   {guest.host1().authorities, "ca.crt"}}) {
    std::filesystem::copy_file(from, folder / name);
  }
  const std::string source = GENAPP_SOURCE_DIR;
  Command client{{"node", source + "/tests/e2e/remote/client.cjs",
                  source + "/docs/remote-protocol.schema.json", std::to_string(guest.port()),
                  folder.path()}};
  client.env["NODE_PATH"] = "/usr/share/nodejs";
  const Result result = run(client);
  EXPECT_EQ(result.exit_code, 0) << result.err << guest.log();
  EXPECT_EQ(result.out, "ok greets\nok runsACommand\nok comesAgain\nok isRefused\n");
}

// Connections that never say a word, ten times as many as there may be at once.
TEST(RemoteStrangers, TenThousandKeepNobodyOut) {
  constexpr int kStrangers = 10'000;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_GT(limit.rlim_max, static_cast<rlim_t>(kStrangers + 100))
      << "this host lets nobody have so many connections: raise its limit for open files";
  RemoteGuest guest;
  guest.settings("handshake_timeout = 3600");
  guest.start();
  RemoteClient before(guest.port(), guest.host1());
  before.ask(shell("a", "sleep 1000"));
  std::vector<std::unique_ptr<Client>> strangers;
  for (int i = 0; i < kStrangers; ++i) {
    strangers.push_back(std::make_unique<Client>("127.0.0.1", guest.port()));
  }
  RemoteClient after(guest.port(), guest.host2());
  EXPECT_EQ(after.ask(shell("b", "true", "m2")).refusal, std::nullopt);
  EXPECT_EQ(before.ask(remote::AskSession{common::Id("a")}).refusal, std::nullopt);
  const auto first = strangers.front()->receive();
  EXPECT_TRUE(first.ended || first.reset);
}

}  // namespace
}  // namespace genapp::tests
