#include "remote/keeper_start.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "remote/keeper/args.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::remote {
namespace {

using std::chrono_literals::operator""ms;
using testing::HasSubstr;
using tests::error_of;

KeeperStart everything() {
  KeeperStart start;
  start.session_dir = "/run/genapp/appserver/sessions/a b";
  start.session = common::Id("web:1");
  start.command = {"/bin/echo", "", "--dir", "a b", "--"};
  start.environment = {"A=1", "B="};
  start.identity = common::Identity{1, 2, {3, 4}};
  start.umask = 027;
  start.limits = {{RLIMIT_NOFILE, 64}, {RLIMIT_CORE, 0}, {RLIMIT_AS, UINT64_MAX}};
  start.directory = "/var/lib";
  start.buffer = 4096;
  start.stall = 250ms;
  start.kill_after = 0ms;
  start.leftovers = Leftovers::leave;
  return start;
}

keeper::Args parse(const std::vector<std::string>& argv) {
  std::vector<const char*> pointers;
  for (const std::string& text : argv) pointers.push_back(text.c_str());
  return keeper::parse_args(static_cast<int>(pointers.size()), pointers.data());
}

TEST(KeeperStart, TheKeeperUnderstandsItsCommandLine) {
  const KeeperStart start = everything();
  const common::Spawn what = keeper_spawn("/x/keeper", start, 77, 5);
  EXPECT_EQ(what.argv.front(), "/x/keeper");
  EXPECT_EQ(what.environment, start.environment);
  EXPECT_EQ(what.out, 5);
  EXPECT_TRUE(what.ends_with_parent);
  const keeper::Args args = parse(what.argv);
  EXPECT_EQ(args.parent, 77);
  EXPECT_EQ(args.start.session_dir, start.session_dir);
  EXPECT_EQ(args.start.session, start.session);
  EXPECT_EQ(args.start.command, start.command);
  ASSERT_TRUE(args.start.identity);
  EXPECT_EQ(args.start.identity->user, 1u);
  EXPECT_EQ(args.start.identity->group, 2u);
  EXPECT_EQ(args.start.identity->groups, (std::vector<gid_t>{3, 4}));
  EXPECT_EQ(args.start.umask, 027u);
  ASSERT_EQ(args.start.limits.size(), 3u);
  EXPECT_EQ(args.start.limits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(args.start.limits[0].most, 64u);
  EXPECT_EQ(args.start.limits[2].most, UINT64_MAX);
  EXPECT_EQ(args.start.directory, start.directory);
  EXPECT_EQ(args.start.buffer, start.buffer);
  EXPECT_EQ(args.start.stall, start.stall);
  EXPECT_EQ(args.start.kill_after, start.kill_after);
  EXPECT_EQ(args.start.leftovers, start.leftovers);
}

TEST(KeeperStart, WhatIsNotSaidIsAtItsDefault) {
  KeeperStart start;
  start.session_dir = "/s";
  start.command = {"/bin/true"};
  const keeper::Args made = parse(keeper_spawn("keeper", start, 1, -1).argv);
  const keeper::Args least =
      parse({"keeper", "--dir", "/s", "--session", "_", "--parent", "1", "--", "/bin/true"});
  for (const keeper::Args& args : {made, least}) {
    EXPECT_FALSE(args.start.identity);
    EXPECT_EQ(args.start.umask, 022u);
    EXPECT_TRUE(args.start.limits.empty());
    EXPECT_EQ(args.start.directory, "/");
    EXPECT_EQ(args.start.buffer, 128u * 1024);
    EXPECT_EQ(args.start.stall, 5000ms);
    EXPECT_EQ(args.start.kill_after, 10'000ms);
    EXPECT_EQ(args.start.leftovers, Leftovers::end);
  }
}

TEST(KeeperStart, ALimitThatTheKeeperDoesNotKnowIsAnError) {
  KeeperStart start = everything();
  start.limits = {{RLIMIT_RTTIME, 1}};
  EXPECT_THAT(error_of([&] { keeper_spawn("keeper", start, 1, 1); }), HasSubstr("limit"));
  start.limits = {{RLIMIT_NOFILE, 1, true}};
  EXPECT_THAT(error_of([&] { keeper_spawn("keeper", start, 1, 1); }), HasSubstr("limit"));
}

// The least command line, with `more` before the command.
std::vector<std::string> line_with(const std::vector<std::string>& more) {
  std::vector<std::string> argv{"keeper", "--dir", "/s", "--session", "a", "--parent", "1"};
  argv.insert(argv.end(), more.begin(), more.end());
  argv.insert(argv.end(), {"--", "/bin/true"});
  return argv;
}

TEST(KeeperArgs, EachWrongOneIsToldByItsName) {
  using Lines = std::vector<std::pair<std::vector<std::string>, std::string>>;
  for (const auto& [more, wanted] :
       Lines{{{"--frob", "1"}, "unknown option \"--frob\""},
             {{"--buff", "4096"}, "unknown option \"--buff\""},
             {{"--buffer=4096", "1"}, "unknown option"},
             {{"x", "1"}, "unknown option \"x\""},
             {{"", "1"}, "unknown option \"\""},
             {{"--dir", "/t"}, "--dir is there twice"},
             {{"--uid", "1"}, "--uid and --gid go together"},
             {{"--gid", "1"}, "--uid and --gid go together"},
             {{"--groups", "1"}, "--uid and --gid go together"},
             {{"--uid", "4294967295", "--gid", "1"}, "--uid \"4294967295\""},
             {{"--uid", "-1", "--gid", "1"}, "--uid \"-1\""},
             {{"--uid", "+1", "--gid", "1"}, "--uid \"+1\""},
             {{"--uid", "", "--gid", "1"}, "--uid \"\""},
             {{"--uid", "0x1", "--gid", "1"}, "--uid \"0x1\""},
             {{"--uid", "1", "--gid", "1", "--groups", "1,"}, "--groups \"\""},
             {{"--uid", "1", "--gid", "1", "--groups", ""}, "--groups \"\""},
             {{"--umask", "888"}, "--umask \"888\""},
             {{"--umask", "1000"}, "--umask \"1000\""},
             {{"--limit", "nofile"}, "--limit \"nofile\""},
             {{"--limit", "frob=1"}, "--limit \"frob=1\""},
             {{"--limit", "nofile=x"}, "--limit \"x\""},
             {{"--buffer", "4095"}, "--buffer \"4095\""},
             {{"--buffer", "67108865"}, "--buffer \"67108865\""},
             {{"--stall", "-1"}, "--stall \"-1\""},
             {{"--stall", "1."}, "--stall \"1.\""},
             {{"--stall", ".5"}, "--stall \".5\""},
             {{"--stall", "1.2345"}, "--stall \"1.2345\""},
             {{"--stall", "3600.001"}, "at most 3600 seconds"},
             {{"--stall", "99999999999999999999"}, "--stall"},
             {{"--kill-after", "x"}, "--kill-after \"x\""},
             {{"--directory", "var"}, "--directory \"var\""},
             {{"--leftovers", "keep"}, "--leftovers \"keep\""},
             {{"--leftovers"}, "--leftovers \"--\""}}) {
    EXPECT_THAT(error_of([&] { parse(line_with(more)); }), HasSubstr(wanted));
  }
  EXPECT_EQ(error_of([&] { parse(line_with({})); }), "");
}

TEST(KeeperArgs, WhatIsNeededMustBeThere) {
  EXPECT_THAT(error_of([] { parse({"keeper"}); }), HasSubstr("no -- and command"));
  EXPECT_THAT(error_of([] { parse({"keeper", "--dir"}); }), HasSubstr("--dir has no value"));
  EXPECT_THAT(error_of([] {
                parse({"keeper", "--", "/bin/true"});
              }),
              HasSubstr("--dir is missing"));
  EXPECT_THAT(error_of([] {
                parse({"keeper", "--dir", "/s", "--session", "a", "--", "/bin/true"});
              }),
              HasSubstr("--parent is missing"));
  EXPECT_THAT(error_of([] {
                parse({"keeper", "--dir", "/s", "--session", "a", "--parent", "1", "--"});
              }),
              HasSubstr("no command"));
  EXPECT_THAT(error_of([] {
                parse({"keeper", "--dir", "/s", "--session", "a", "--parent", "1", "--", "true"});
              }),
              HasSubstr("absolute path"));
  EXPECT_THAT(error_of([] {
                parse({"keeper", "--dir", "s", "--session", "a", "--parent", "1", "--", "/x"});
              }),
              HasSubstr("--dir \"s\""));
  EXPECT_THAT(error_of([] {
                parse({"keeper", "--dir", "/s", "--session", "../a", "--parent", "1", "--", "/x"});
              }),
              testing::Not(""));
  EXPECT_THAT(error_of([] {
                parse({"keeper", "--dir", "/s", "--session", "a", "--parent", "0", "--", "/x"});
              }),
              HasSubstr("--parent \"0\""));
}

TEST(KeeperAnswer, ComesBackAsItWas) {
  const auto ready = std::get<KeeperReady>(
      parse_keeper_answer(format_keeper_answer(KeeperReady{12, UINT64_MAX})).value());
  EXPECT_EQ(ready.pid, 12);
  EXPECT_EQ(ready.start_ticks, UINT64_MAX);
  const auto failed = std::get<KeeperFailed>(
      parse_keeper_answer(format_keeper_answer(KeeperFailed{2, "no such\nfile"})).value());
  EXPECT_EQ(failed.error, 2);
  EXPECT_EQ(failed.text, "no such\\nfile");
  const auto problem = std::get<KeeperProblem>(
      parse_keeper_answer(format_keeper_answer(KeeperProblem{"out of memory"})).value());
  EXPECT_EQ(problem.text, "out of memory");
}

TEST(KeeperAnswer, IsOneLineOfABoundedLength) {
  const std::string line = format_keeper_answer(KeeperFailed{2, std::string(100'000, '\n')});
  EXPECT_LE(line.size(), kMostAnswerLine);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(parse_keeper_answer(line));
}

TEST(KeeperAnswer, OfAnotherFormIsNone) {
  for (const char* const text :
       {"", "\n", "ready 1 2", "ready 1\n", "ready 1 2 3\n", "ready 0 2\n", "ready x 2\n",
        "ready -1 2\n", "ready\n", "failed\n", "failed x text\n", "failed -1 text\n", "failed 2\n",
        "error\n", "else\n", "error half"}) {
    EXPECT_FALSE(parse_keeper_answer(text)) << text;
  }
}

}  // namespace
}  // namespace genapp::remote
