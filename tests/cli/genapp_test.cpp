// A resource's life as a user of genapp sees it: created, watched, taken away.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

json::value status_of(const Node& node, const std::string& tag) {
  return json::parse(node.run({"genapp", "status", tag, "--json"}).out).at("resources").at(0);
}

TEST(Genapp, LeadsThroughAResourcesLife) {
  Node node;
  const Port port;
  const Result created =
      node.run({"genapp", "create", "-t", "lb", "-i", "app1", "--type", "lbhc", "--info",
                port.text() + " OK", "--set", "hc_timeout=0.3", "--set", "wait_first_probe=false"});
  EXPECT_EQ(created.exit_code, 0) << created.err;
  EXPECT_THAT(created.out, HasSubstr(node.config_dir() + "/resources.d/lb.toml"));
  EXPECT_THAT(created.out, HasSubstr("restore -t lb -i app1"));
  EXPECT_EQ(node.run({"genapp", "list"}).out,
            "TAG  ID    TYPE  INFO\nlb   app1  lbhc  " + port.text() + " OK\n");
  EXPECT_EQ(status_of(node, "lb").at("state"), "OSU");

  const Result restored = node.action("restore", "lb", "app1");
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(status_of(node, "lb").at("state"), "ISP");
  EXPECT_EQ(status_of(node, "lb").at("pid"), node.daemon("app1"));

  ASSERT_EQ(probe(port.number()).bytes, "OK");
  EXPECT_TRUE(wait_until([&] { return status_of(node, "lb").at("daemon").at("answered") == 1; }));
  EXPECT_THAT(node.run({"genapp", "status"}).out, HasSubstr(" ago from 127.0.0.1  1 "));

  EXPECT_TRUE(wait_until([&] { return status_of(node, "lb").at("flag") == true; }));
  EXPECT_THAT(node.run({"genapp", "status"}).out, HasSubstr("  up: stopped after 1 probe at 2"));

  const Result refused = node.run({"genapp", "delete", "-t", "lb"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("run remove first (remove -t lb -i app1)"));
  ASSERT_EQ(node.action("remove", "lb", "app1").exit_code, 0);
  EXPECT_EQ(status_of(node, "lb").at("state"), "OSU");
  const Result deleted = node.run({"genapp", "delete", "-t", "lb"});
  EXPECT_EQ(deleted.exit_code, 0) << deleted.err;
  EXPECT_THAT(node.run({"genapp", "list"}).out, HasSubstr("no resources"));
  EXPECT_TRUE(node.run_files().empty());
}

TEST(Genapp, ExplainsItself) {
  const Node node;
  for (const std::string name : {"create", "list", "status", "set-state", "delete", "drill"}) {
    EXPECT_THAT(node.run({"genapp", "--help"}).out, HasSubstr("\n  " + name + " "));
    const Result help = node.run({"genapp", name, "--help"});
    EXPECT_EQ(help.exit_code, 0) << name;
    EXPECT_THAT(help.out, HasSubstr("Usage: genapp " + name));
    EXPECT_EQ(node.run({"genapp", name, "-h"}).out, help.out);
  }
  EXPECT_THAT(node.run({"genapp", "--version"}).out, testing::StartsWith("genapp "));
}

TEST(Genapp, RefusesAWrongCommandLineInOneLine) {
  const Node node;
  for (const std::vector<std::string>& argv :
       std::vector<std::vector<std::string>>{{"genapp"},
                                             {"genapp", ""},
                                             {"genapp", "creat"},
                                             {"genapp", "\xff\n"},
                                             {"genapp", "list", "lb"},
                                             {"genapp", "list", "--jso"},
                                             {"genapp", "list", "--no\n\xff"},
                                             {"genapp", "status", "--interval", "1"},
                                             {"genapp", "status", "-t", "lb"},
                                             {"genapp", "set-state", "-t", "lb"},
                                             {"genapp", "set-state", "-S", "ISP"},
                                             {"genapp", "delete"},
                                             {"genapp", "delete", "lb"},
                                             {"genapp", "delete", "-t", "../lb"}}) {
    const Result result = node.run(argv);
    EXPECT_EQ(result.exit_code, 64) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, testing::MatchesRegex("genapp: error: [ -~]+\n"));
  }
}

TEST(Genapp, NoticesThatItsAnswerCouldNotBeWritten) {
  const Node node;
  const Result result = node.run({"/bin/sh", "-c", program("genapp") + " list >/dev/full"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace genapp::tests
