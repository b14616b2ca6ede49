// httpmon and smtpmon on the command line, in the order of a user's life: wrong commands, one
// check, a monitor that is watched, paused, looked at, stopped; and what a reader who reads nothing
// does.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>

#include "tests/support/hostile_server.hpp"
#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

Talk http(const std::string& status = "200 OK") {
  return talk::scripted(
      {{"", "\r\n\r\n"}, {"HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n"}});
}

Talk smtp() {
  return talk::scripted(
      {{"220 mta\r\n", "EHLO"}, {"250 mta\r\n", "NOOP"}, {"250 OK\r\n", "QUIT"}, {"221 bye\r\n"}});
}

class Monitor : public testing::Test {
 protected:
  Result run(std::vector<std::string> argv) const { return node.run(std::move(argv)); }
  Process start(std::vector<std::string> argv) const {
    return Process(node.command(std::move(argv)));
  }
  // A monitor "web" of httpmon on the server, fast.
  Process watch(const HostileServer& server, std::vector<std::string> more = {}) const {
    std::vector<std::string> argv{
        "httpmon", "web", "-s", "127.0.0.1", "-n", std::to_string(server.port()), "-i", "0.05"};
    argv.insert(argv.end(), more.begin(), more.end());
    return start(std::move(argv));
  }
  json::object status(const std::string& id = "web") const {
    const Result shown = run({"httpmon", id, "--disp", "--json"});
    return shown.exit_code == 0 ? json::parse(shown.out).as_object() : json::object{};
  }
  std::string state(const std::string& id = "web") const {
    const json::object object = status(id);
    return object.empty() ? "" : object.at("state").as_string().c_str();
  }
  std::int64_t checks() const {
    const json::object object = status();
    return object.empty() ? -1 : object.at("checks").to_number<std::int64_t>();
  }
  bool left(const std::string& id) const { return fs::exists(node.run_file("monitors/" + id)); }

  Node node;
};

TEST_F(Monitor, AWrongCommandLineIsAnEventAndExitCode64) {
  const Result without = run({"httpmon"});
  EXPECT_EQ(without.exit_code, 64);
  EXPECT_THAT(without.err,
              HasSubstr("An identifier is not specified in the httpmon command. [ID:-]"));
  const Result wrong = run({"smtpmon", "mail", "-n", "0"});
  EXPECT_EQ(wrong.exit_code, 64);
  EXPECT_THAT(wrong.err,
              HasSubstr("The parameter value of the smtpmon is invalid. [ID:mail]: -n "
                        "\"0\" is not a whole number from 1 to 65535; see smtpmon --help"));
  EXPECT_EQ(std::count(wrong.err.begin(), wrong.err.end(), '\n'), 1) << wrong.err;
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST_F(Monitor, HelpAndVersionAreTheFirstArgumentAndMinusHIsTheUri) {
  EXPECT_THAT(run({"httpmon", "--help"}).out, StartsWith("httpmon: watches an HTTP server"));
  EXPECT_THAT(run({"smtpmon", "--version"}).out, StartsWith("smtpmon (genapp) "));
  const Result uri = run({"httpmon", "-h", "no-slash", "web"});
  EXPECT_EQ(uri.exit_code, 64);
  EXPECT_THAT(uri.err, HasSubstr("does not begin with /"));
}

TEST_F(Monitor, OneCheckPrintsWhatItSawAndTouchesNoFile) {
  const HostileServer good(http());
  const HostileServer bad(http("404 Not Found"));
  const auto once = [&](const HostileServer& server, const std::string& uri, bool as_json = false) {
    std::vector<std::string> argv{
        "httpmon", "--once", "-s", "127.0.0.1", "-n", std::to_string(server.port()), "-h", uri};
    if (as_json) argv.emplace_back("--json");
    return run(argv);
  };
  const Result healthy = once(good, "/x");
  EXPECT_EQ(healthy.exit_code, 0);
  EXPECT_THAT(healthy.out,
              MatchesRegex("ok: HTTP/1.1 200 OK from 127.0.0.1:[0-9]* in [0-9.]* ms\n"));
  EXPECT_EQ(once(bad, "/").exit_code, 0) << "the seed's rule for /";
  const Result failed = once(bad, "/x");
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.out, AllOf(StartsWith("failed: "), HasSubstr("404"), HasSubstr("(event 83)")));
  EXPECT_THAT(failed.err, IsEmpty());
  const auto object = json::parse(once(bad, "/x", true).out).as_object();
  EXPECT_FALSE(object.at("ok").as_bool());
  EXPECT_EQ(object.at("code").as_int64(), 404);
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST_F(Monitor, IsWatchedPausedResumedAndStopped) {
  const HostileServer server(http());
  Process monitor = watch(server);
  ASSERT_TRUE(wait_until([&] { return checks() >= 3; })) << monitor.err();
  const Result shown = run({"httpmon", "web", "--disp"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("pid:          " + std::to_string(monitor.pid())),
                               HasSubstr("HTTP/1.1 200 OK"), HasSubstr("failures:     0 of 4")));
  EXPECT_THAT(run({"smtpmon", "--list"}).out, HasSubstr("web  httpmon  "));

  EXPECT_EQ(run({"httpmon", "web", "--pause"}).exit_code, 0);
  EXPECT_EQ(state(), "paused");
  const auto paused_at = checks();
  const auto connections = server.connections();
  EXPECT_EQ(run({"httpmon", "web", "--pause"}).exit_code, 0) << "already";
  EXPECT_EQ(checks(), paused_at);
  EXPECT_EQ(run({"httpmon", "web", "--resume"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return checks() > paused_at; }));
  EXPECT_GT(server.connections(), connections);

  EXPECT_EQ(run({"httpmon", "web", "--stop"}).exit_code, 0);
  EXPECT_FALSE(monitor.running());
  const Result ended = monitor.wait();
  EXPECT_EQ(ended.exit_code, 0);
  for (const char* text :
       {"httpmon started monitoring the HTTP daemon. [ID:web]: http://127.0.0.1:",
        "httpmon will start monitoring the HTTP daemon. [ID:web]",
        "httpmon will stop monitoring. [ID:web]", "httpmon will start monitoring. [ID:web]",
        "httpmon will stop monitoring the HTTP daemon. [ID:web]"}) {
    EXPECT_THAT(ended.err, HasSubstr(text));
  }
  EXPECT_FALSE(left("web"));
}

TEST_F(Monitor, AServerJudgedFailedIsExitCode2) {
  const Port nobody;
  const Result result =
      run({"httpmon", "web", "-s", "127.0.0.1", "-n", nobody.text(), "-i", "0.02", "-c", "1"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("connect error[111]). [ID:web]: "));
  EXPECT_THAT(result.err, HasSubstr("ECONNREFUSED (Connection refused); failure 1 of 2"));
  EXPECT_THAT(result.err, HasSubstr("httpmon detected an error and will be terminated. [ID:web]"));
  EXPECT_FALSE(left("web"));
}

TEST_F(Monitor, AnSmtpServerIsWatchedLikewise) {
  const HostileServer server(smtp());
  const std::string port = std::to_string(server.port());
  Process monitor =
      start({"smtpmon", "mail", "-s", "127.0.0.1", "-n", port, "-i", "0.05", "--json"});
  ASSERT_TRUE(wait_until([&] { return server.connections() >= 3; })) << monitor.err();
  EXPECT_THAT(run({"smtpmon", "mail", "--disp"}).out, HasSubstr("server:       smtp://127.0.0.1:"));
  EXPECT_EQ(monitor.stop().exit_code, 0);
  EXPECT_EQ(run({"smtpmon", "--once", "-s", "127.0.0.1", "-n", port}).exit_code, 0);
  EXPECT_THAT(server.received(), HasSubstr("QUIT\r\n"));
}

TEST_F(Monitor, AnIdIsUniqueOverBothCommands) {
  const HostileServer server(http());
  Process monitor = watch(server);
  ASSERT_TRUE(wait_until([&] { return checks() >= 1; })) << monitor.err();
  for (const char* command : {"httpmon", "smtpmon"}) {
    const Result second = run({command, "web"});
    EXPECT_EQ(second.exit_code, 1);
    EXPECT_THAT(second.err, HasSubstr("The specified identifier is already used. [ID:web]"));
  }
  for (const char* verb : {"--stop", "--pause", "--resume"}) {
    const Result other = run({"smtpmon", "web", verb});
    EXPECT_EQ(other.exit_code, 1) << verb;
    EXPECT_THAT(other.err, HasSubstr("is one of httpmon: use that command"));
  }
  EXPECT_THAT(state(), testing::AnyOf("monitoring", "checking")) << "untouched";
}

TEST_F(Monitor, WhatDoesNotRunIsStoppedAlreadyAndHasNothingToShow) {
  EXPECT_EQ(run({"httpmon", "web", "--stop"}).exit_code, 0);
  EXPECT_EQ(run({"httpmon", "web", "--del"}).exit_code, 0);
  for (const char* verb : {"--disp", "--pause", "--resume"}) {
    const Result result = run({"httpmon", "web", verb});
    EXPECT_EQ(result.exit_code, 1) << verb;
    EXPECT_THAT(result.err, HasSubstr("the monitor \"web\" does not run"));
  }
  EXPECT_EQ(run({"httpmon", "--list"}).out, "ID  COMMAND  PID  STATE  SERVER\n");
  EXPECT_EQ(run({"httpmon", "--list", "--json"}).out, "[]\n");
}

// A stop script that fails may cost the node; what stays is taken over by the next start.
TEST_F(Monitor, AStopSucceedsThoughTheFilesOfADeadOneCanNotBeRemoved) {
  fs::create_directories(node.run_file("monitors/.locks/web/in-the-way"));
  const Result result = run({"httpmon", "web", "--stop"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(run({"httpmon", "web", "--del"}).exit_code, 1) << "which is for nothing else";
}

TEST_F(Monitor, WhatItCanNotStartWithIsAnErrorAtOnce) {
  const HostileServer server(http());
  const Result port = watch(server, {"--metrics", std::to_string(server.port())}).wait();
  EXPECT_EQ(port.exit_code, 1);
  EXPECT_THAT(port.err,
              HasSubstr("httpmon has detected system error (start 98). [ID:web]: --metrics: "
                        "127.0.0.1 port " +
                        std::to_string(server.port())));
  const Result file = watch(server, {"--metrics", "/nowhere/x.prom"}).wait();
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_THAT(file.err, HasSubstr("/nowhere"));
  const Result authorities = run({"httpmon", "web", "--https", "--cafile", "/nowhere/ca.pem"});
  EXPECT_EQ(authorities.exit_code, 64);
  EXPECT_THAT(authorities.err, HasSubstr("/nowhere/ca.pem"));
  EXPECT_FALSE(left("web"));
}

TEST_F(Monitor, AFileThatTheCommandLineNamesInVainIsAnEventOnStandardErrorAndExitCode64) {
  using Options = std::vector<std::string>;
  for (const Options& option :
       {Options{"--user-file", "/nowhere/file"}, Options{"--https", "--cafile", "/nowhere/file"}}) {
    for (const Options& start : {Options{"web"}, Options{"web", "--json"}, Options{"--once"},
                                 Options{"--once", "--json"}}) {
      Options argv{"httpmon"};
      argv.insert(argv.end(), start.begin(), start.end());
      argv.insert(argv.end(), option.begin(), option.end());
      const Result result = run(argv);
      SCOPED_TRACE(option.front() + " " + start.front() + " " + start.back());
      EXPECT_EQ(result.exit_code, 64);
      EXPECT_THAT(result.err, AllOf(HasSubstr("The parameter value of the httpmon is invalid."),
                                    HasSubstr("/nowhere/file")));
      EXPECT_THAT(result.out, IsEmpty());
    }
  }
}

TEST_F(Monitor, WithoutARunDirectoryItSaysWhichOneItWanted) {
  Command command = node.command({"httpmon", "web"});
  command.env["GENAPP_RUN_DIR"] = "/nowhere/run";
  const Result result = tests::run(command);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/nowhere/run"));
}

TEST_F(Monitor, ServesItsFiguresToPrometheus) {
  const HostileServer server(http());
  const Port port;
  Process monitor = watch(server, {"--metrics", port.text()});
  ASSERT_TRUE(wait_until([&] { return checks() >= 1; })) << monitor.err();
  EXPECT_THAT(probe(port.number(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").bytes,
              AllOf(StartsWith("HTTP/1.1 200 OK"), HasSubstr("\ngenapp_monitor_up{id=\"web\","
                                                             "command=\"httpmon\",server=\"http://"
                                                             "127.0.0.1:")));
}

TEST_F(Monitor, ItsJsonEventsAreOneALineOnStandardOutputAlone) {
  const Port nobody;
  const Result result = run({"httpmon", "web", "-s", "127.0.0.1", "-n", nobody.text(), "-i", "0.02",
                             "-c", "1", "--json"});
  EXPECT_THAT(result.err, IsEmpty());
  std::istringstream lines(result.out);
  std::vector<std::int64_t> events;
  for (std::string line; std::getline(lines, line);) {
    const auto object = json::parse(line).as_object();
    EXPECT_EQ(object.at("id").as_string(), "web");
    events.push_back(object.at("event").as_int64());
    EXPECT_EQ(object.contains("errno_name"), events.back() == 72);
  }
  EXPECT_THAT(events, testing::ElementsAre(1, 2, 72, 72, 6));
}

// A reader of its events that has stopped reading must not stop it from judging.
TEST_F(Monitor, AFullPipeBehindItsEventsDoesNotHoldItUp) {
  TempDir folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const common::Fd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const common::Fd writer(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  const std::string filling(4096, 'x');
  while (::write(writer.get(), filling.data(), filling.size()) > 0) {
  }
  const Port nobody;
  const Result result =
      run({"/bin/sh", "-c",
           "exec \"$0\" web -s 127.0.0.1 -n " + nobody.text() + " -i 0.02 -c 1 2>" + pipe,
           program("httpmon")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_FALSE(result.over_limit);
}

// What it opens must not get the number that its log goes to.
TEST_F(Monitor, ClosedStandardStreamsAreNoneOfItsOwnDescriptors) {
  const HostileServer server(http());
  Process monitor =
      start({"/bin/sh", "-c",
             "exec \"$0\" web -s 127.0.0.1 -n " + std::to_string(server.port()) + " <&- >&- 2>&-",
             program("httpmon")});
  ASSERT_TRUE(wait_until([&] { return state() == "monitoring" && checks() > 0; }));
  for (const char* fd : {"0", "1", "2"}) {
    const std::string link = "/proc/" + std::to_string(monitor.pid()) + "/fd/" + fd;
    EXPECT_EQ(fs::read_symlink(link), "/dev/null") << fd;
  }
  EXPECT_EQ(monitor.stop().exit_code, 0);
}

TEST_F(Monitor, OneWhoseFilesWereTakenAwayEndsBySaying) {
  const HostileServer server(http());
  Process monitor = watch(server, {"--initial-delay", "0.5"});
  ASSERT_TRUE(wait_until([&] { return state() == "monitoring"; })) << monitor.err();
  fs::remove_all(node.run_file("monitors/web"));
  const Result result = monitor.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("was deleted or replaced"));
  EXPECT_EQ(server.connections(), 0u);
}

TEST_F(Monitor, ThePasswordIsNeitherShownNorTold) {
  const HostileServer server(http("401 Unauthorized"));
  Process monitor = watch(server, {"--user", "me:topsecret", "-h", "/x", "-c", "1000"});
  ASSERT_TRUE(wait_until([&] { return checks() >= 2; })) << monitor.err();
  EXPECT_THAT(run({"httpmon", "web", "--disp"}).out, Not(HasSubstr("topsecret")));
  EXPECT_THAT(run({"httpmon", "web", "--disp", "--json"}).out, Not(HasSubstr("topsecret")));
  EXPECT_THAT(monitor.stop().err, AllOf(HasSubstr("401"), Not(HasSubstr("topsecret"))));
  EXPECT_THAT(server.received(), HasSubstr("Authorization: Basic bWU6dG9wc2VjcmV0\r\n"));
}

}  // namespace
}  // namespace genapp::tests
