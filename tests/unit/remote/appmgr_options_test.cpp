#include "remote/appmgr/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/error.hpp"

namespace genapp::remote {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Words = std::vector<std::string>;

CommandLine parse(const Words& words) {
  std::vector<const char*> argv{"appmgr"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  return parse_appmgr_options(static_cast<int>(argv.size()), argv.data());
}

std::string problem_of(const Words& words) {
  try {
    parse(words);
  } catch (const common::Error& problem) {
    EXPECT_EQ(problem.exit_code(), common::ExitCode::usage);
    return problem.what();
  }
  return "";
}

// To a command line that is good, more.
Words run_with(Words more) {
  more.insert(more.end(), {"--node", "h", "--session", "s", "--", "/bin/app"});
  return more;
}

TEST(AppmgrOptions, AWholeOne) {
  const auto line = parse({"--node",
                           "guest1:5316",
                           "--session",
                           "web",
                           "--timeout",
                           "7",
                           "--kill-after",
                           "0",
                           "--env",
                           "A=b",
                           "--env",
                           "C=",
                           "--log-file",
                           "log",
                           "--key",
                           "k",
                           "--certificate",
                           "c",
                           "--authorities",
                           "a",
                           "--server-name",
                           "name",
                           "--log-level",
                           "error",
                           "--",
                           "/bin/app",
                           "--node",
                           "-x",
                           "--",
                           ""});
  EXPECT_EQ(line.verb, Verb::run);
  EXPECT_EQ(line.node, "guest1:5316");
  EXPECT_EQ(line.where.host, "guest1");
  EXPECT_EQ(line.where.port, 5316);
  EXPECT_EQ(line.session->text(), "web");
  EXPECT_THAT(line.command, ElementsAre("/bin/app", "--node", "-x", "--", ""));
  EXPECT_THAT(line.environment, ElementsAre(std::pair("A", "b"), std::pair("C", "")));
  EXPECT_EQ(line.timeout, std::chrono::seconds(7));
  EXPECT_EQ(line.kill_after, std::chrono::seconds(0));
  EXPECT_EQ(line.log_file, "log");
  EXPECT_EQ(line.certificate, "c");
  EXPECT_EQ(line.key, "k");
  EXPECT_EQ(line.authorities, "a");
  EXPECT_EQ(line.server_name, "name");
  EXPECT_EQ(line.log_level, common::log::Level::error);
}

TEST(AppmgrOptions, TheOriginalsSpelling) {
  const auto line = parse({"-node", "h", "-cmappserver_timeout", "9", "-log_level", "0",
                           "-host_log_file", "/l", "--session", "s", "--", "/a", "-node"});
  EXPECT_EQ(line.node, "h");
  EXPECT_EQ(line.timeout, std::chrono::seconds(9));
  EXPECT_EQ(line.log_level, common::log::Level::error);
  EXPECT_EQ(line.log_file, "/l");
  EXPECT_THAT(line.command, ElementsAre("/a", "-node"));  // the command's own
}

TEST(AppmgrOptions, Levels) {
  using common::log::Level;
  const auto level = [](const std::string& text) {
    return parse(run_with({"--log-level", text})).log_level;
  };
  EXPECT_EQ(level("1"), Level::warn);
  EXPECT_EQ(level("2"), Level::info);
  EXPECT_EQ(level("3"), Level::debug);
  EXPECT_EQ(level("10"), Level::debug);
  EXPECT_EQ(level("debug"), Level::debug);
  for (const char* wrong : {"11", "-1", "loud", "", "1x"}) {
    EXPECT_THAT(problem_of(run_with({"--log-level", wrong})), HasSubstr("--log-level")) << wrong;
  }
}

TEST(AppmgrOptions, EachVerb) {
  const auto verb = [](Words words) {
    words.insert(words.end(), {"--node", "h"});
    return parse(words);
  };
  EXPECT_EQ(verb({"--attach", "a"}).verb, Verb::attach);
  EXPECT_EQ(verb({"--attach", "a"}).session->text(), "a");
  EXPECT_EQ(verb({"--signal", "HUP", "--session", "a"}).signal, "HUP");
  EXPECT_EQ(verb({"--stop", "--session", "a"}).verb, Verb::stop);
  EXPECT_FALSE(verb({"--stop", "--session", "a"}).forget);
  EXPECT_TRUE(verb({"--stop", "--forget", "--session", "a"}).forget);
  EXPECT_TRUE(verb({"--status", "--json", "--session", "a"}).json);
  EXPECT_EQ(verb({"--list"}).verb, Verb::list);
  EXPECT_EQ(verb({"--acknowledge", "--session", "a"}).verb, Verb::acknowledge);
  EXPECT_EQ(parse(run_with({"--detach"})).verb, Verb::detach);
}

TEST(AppmgrOptions, WhatIsMissingOrTooMuchIsSaid) {
  EXPECT_THAT(problem_of({"--session", "s", "--", "/a"}), HasSubstr("--node HOST is missing"));
  EXPECT_THAT(problem_of({"--node", "h", "--", "/a"}), HasSubstr("--session ID is missing"));
  EXPECT_THAT(problem_of({"--node", "h", "--session", "s"}), HasSubstr("the command is missing"));
  EXPECT_THAT(problem_of({"--node", "h", "--session", "s", "--"}), HasSubstr("is missing"));
  EXPECT_THAT(problem_of({"--node", "h", "--session", "s", "/a"}), HasSubstr("stands after --"));
  EXPECT_THAT(problem_of({"--node", "h", "--session", "s", "--", "app"}), HasSubstr("absolute"));
  EXPECT_THAT(problem_of({"--node", "h", "--session", "s", "--", ""}), HasSubstr("absolute"));
  EXPECT_THAT(problem_of(run_with({"--status"})), HasSubstr("a command means nothing here"));
  EXPECT_THAT(problem_of(run_with({"--stop", "--status"})), HasSubstr("stands beside"));
  EXPECT_THAT(problem_of(run_with({"--forget"})), HasSubstr("--forget means nothing here"));
  EXPECT_THAT(problem_of(run_with({"--json"})), HasSubstr("--json means nothing here"));
  EXPECT_THAT(problem_of({"--node", "h", "--list", "--session", "s"}), HasSubstr("--session"));
  EXPECT_THAT(problem_of({"--node", "h", "--attach", "s", "--session", "s"}),
              HasSubstr("--session"));
  EXPECT_THAT(problem_of({"--node", "h", "--attach", "s", "--env", "A=b"}), HasSubstr("--env"));
  EXPECT_THAT(problem_of(run_with({"--sto"})), HasSubstr("--sto"));
  EXPECT_THAT(problem_of(run_with({"--node", "h2"})), HasSubstr("node"));
  EXPECT_NE(problem_of({"--node"}), "");
  EXPECT_NE(problem_of(run_with({"%option%%option%"})), "");
}

TEST(AppmgrOptions, WhatNoMessageCanHoldIsRefused) {
  const auto problem = [](const std::string& argument) {
    return problem_of({"--node", "h", "--session", "s", "--", "/bin/app", argument});
  };
  EXPECT_EQ(problem("gr\xc3\xbc\xc3\x9f"
                    "e\n\x01"),
            "");
  EXPECT_THAT(problem("\xff"), HasSubstr("no UTF-8"));
  EXPECT_THAT(problem_of(run_with({"--env", "A=\xc3"})), HasSubstr("no UTF-8"));
  EXPECT_EQ(problem(std::string(60000, 'x')), "");
  EXPECT_THAT(problem(std::string(kMostMessageBytes, 'x')), HasSubstr("longer than"));
}

TEST(AppmgrOptions, WrongValuesAreSaid) {
  for (const char* wrong : {"0", "3601", "1.5", "x", "", "-1", "99999999999999999999"}) {
    EXPECT_THAT(problem_of(run_with({"--timeout", wrong})), HasSubstr("--timeout")) << wrong;
  }
  EXPECT_THAT(problem_of(run_with({"--kill-after", "3601"})), HasSubstr("from 0 to 3600"));
  for (const char* wrong : {"A", "=b", ""}) {
    EXPECT_THAT(problem_of(run_with({"--env", wrong})), HasSubstr("NAME=VALUE")) << wrong;
  }
  EXPECT_THAT(problem_of(run_with({"--env", "A=1", "--env", "A=2"})), HasSubstr("twice"));
  EXPECT_THAT(problem_of({"--node", "h", "--session", "../s", "--list"}), HasSubstr("--session"));
  EXPECT_THAT(problem_of({"--node", "h", "--session", "../s", "--", "/a"}), HasSubstr("../s"));
  EXPECT_THAT(problem_of({"--node", "h", "--session", "s", "--signal", ""}), HasSubstr("--signal"));
  EXPECT_THAT(problem_of(run_with({"--server-name", "a b"})), HasSubstr("--server-name"));
  EXPECT_THAT(problem_of(run_with({"--log-file", ""})), HasSubstr("--log-file is empty"));
}

TEST(AppmgrOptions, HostsAndPorts) {
  const auto text = [](std::string_view given) {
    const auto where = parse_host_port(given);
    if (!where) return std::string("none");
    return where->host + " " + (where->port ? std::to_string(*where->port) : "-");
  };
  EXPECT_EQ(text("guest1"), "guest1 -");
  EXPECT_EQ(text("guest1:1"), "guest1 1");
  EXPECT_EQ(text("192.0.2.1:65535"), "192.0.2.1 65535");
  EXPECT_EQ(text("2001:db8::1"), "2001:db8::1 -");
  EXPECT_EQ(text("[2001:db8::1]"), "2001:db8::1 -");
  EXPECT_EQ(text("[fe80::1%eth0]:5316"), "fe80::1%eth0 5316");
  for (const char* wrong : {"", ":5", "h:", "h:0", "h:65536", "h:x", "h:-1", "[::1", "[]", "[]:5",
                            "[::1]5", "[::1]:", "a b", "a/b", "a]", "h:1 "}) {
    EXPECT_EQ(text(wrong), "none") << wrong;
  }
  EXPECT_EQ(text(std::string(256, 'a')), "none");
}

TEST(AppmgrOptions, OnlyWholeWordsBeforeTheDashesAreTheOriginals) {
  const char* const argv[] = {"appmgr", "-node", "-nodes", "-help", "-version", "--", "-node"};
  EXPECT_THAT(in_our_spelling(7, argv),
              ElementsAre("appmgr", "--node", "-nodes", "--help", "--version", "--", "-node"));
  EXPECT_THAT(in_our_spelling(0, argv), IsEmpty());
}

}  // namespace
}  // namespace genapp::remote
