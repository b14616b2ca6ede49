// Wrong input: one clear line, the documented exit code, nothing lost.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/support/lbhc_node.hpp"
#include "tests/support/text.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kActions{"restore", "remove", "quickCheck", "recover"};

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

void expect_usage_error(const Result& result, const std::string& part) {
  EXPECT_EQ(result.exit_code, 64) << result.err;
  EXPECT_EQ(count_of(result.err, "\n"), 1u) << result.err;
  EXPECT_THAT(result.err, HasSubstr(part));
  EXPECT_LT(result.err.size(), 500u);
  EXPECT_TRUE(is_printable(result.err)) << result.err;
}

void expect_failure(const Result& result, const std::string& part) {
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_EQ(count_of(result.err, "error: "), 1u) << result.err;
  EXPECT_THAT(result.err, HasSubstr(part));
  EXPECT_TRUE(is_printable(result.err)) << result.err;
}

struct WrongLine {
  const char* name;
  std::vector<std::string> arguments;
  std::string part;
};

void PrintTo(const WrongLine& line, std::ostream* out) { *out << line.name; }

class WrongCommandLine : public testing::TestWithParam<WrongLine> {};

TEST_P(WrongCommandLine, Is64OnOneLineForEveryProgram) {
  LbhcNode node;
  for (const std::string name : {"restore", "remove", "quickCheck", "recover", "lbhcd"}) {
    std::vector<std::string> argv{name};
    argv.insert(argv.end(), GetParam().arguments.begin(), GetParam().arguments.end());
    const Result result = node.node().run(argv);
    expect_usage_error(result, GetParam().part);
    EXPECT_TRUE(result.err.starts_with(name + ": error: ")) << result.err;
  }
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, WrongCommandLine,
    testing::Values(
        WrongLine{"Nothing", {}, "missing -t TAG"},
        WrongLine{"NoId", {"-t", "lb"}, "missing -i ID"},
        WrongLine{"NoTag", {"-i", "app1"}, "missing -t TAG"},
        WrongLine{"NoValue", {"-i", "app1", "-t"}, "-t"},
        WrongLine{"Twice", {"-t", "lb", "-t", "lb2", "-i", "app1"}, "more than once"},
        WrongLine{"EmptyTag", {"-t", "", "-i", "app1"}, "tag"},
        WrongLine{"Slash", {"-t", "lb", "-i", "a/b"}, "id \"a/b\" is not valid"},
        WrongLine{"DotDot", {"-t", "lb", "-i", ".."}, "id \"..\" is not valid"},
        WrongLine{"Leaving", {"-t", "../../etc/passwd", "-i", "app1"}, "tag \"../../etc"},
        WrongLine{"Dash", {"-t", "lb", "-i", "-rf"}, "id \"-rf\" is not valid"},
        WrongLine{"LongDash", {"-t", "lb", "--id=-rf"}, "id \"-rf\" is not valid"},
        WrongLine{"TenKilobytes", {"-t", "lb", "-i", std::string(10240, 'x')}, "(10240 bytes)"},
        WrongLine{"NotUtf8", {"-t", "lb", "-i", "\xff\xfe"}, "\\xff\\xfe"},
        WrongLine{"NewLine", {"-t", "lb\nlb", "-i", "app1"}, "lb\\nlb"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(BadInput, FurtherArgumentsAreIgnoredWithAWarning) {
  LbhcNode node;
  const Result result = node.node().run(
      {"quickCheck", "-i", "app1", "--unknown", "-x", "--tag", "lb", "--", "-t", "other"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("ignoring the argument \"--unknown\""));
  EXPECT_THAT(result.err, HasSubstr("ignoring the argument \"other\""));
}

struct WrongResource {
  const char* name;
  std::string text;  // of resources.d/lb.toml
  std::string part;  // of the message
  bool removable = true;
};

void PrintTo(const WrongResource& resource, std::ostream* out) { *out << resource.name; }

std::string lbhc_text(const std::string& info, const std::string& keys = "") {
  return "type = \"lbhc\"\nid = \"app1\"\ninfo = \"" + info + "\"\n[lbhc]\n" + keys + "\n";
}

class UnreadableResource : public testing::TestWithParam<WrongResource> {};

TEST_P(UnreadableResource, Is1OnOneLineAndNothingIsDone) {
  Node node;
  node.resource_file("lb", GetParam().text);
  for (const std::string name : {"restore", "quickCheck", "recover"}) {
    expect_failure(node.action(name, "lb", "app1"), GetParam().part);
  }
  // remove needs no more than to know that it is an LBHC of this id.
  const Result removed = node.action("remove", "lb", "app1");
  EXPECT_EQ(removed.exit_code, GetParam().removable ? 0 : 1) << removed.err;
  EXPECT_THAT(removed.err, HasSubstr(GetParam().part));
  EXPECT_THAT(node.run_files(), IsEmpty());
  EXPECT_EQ(read_file(node.config_dir() + "/resources.d/lb.toml"), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, UnreadableResource,
    testing::Values(
        WrongResource{"InfoEmpty", lbhc_text(""), "lb.toml:3: info \"\" has no port"},
        WrongResource{"PortZero", lbhc_text("0"), "must be a number from 1 to 65535"},
        WrongResource{"PortTooLarge", lbhc_text("65536 OK"), "from 1 to 65535"},
        WrongResource{"PortWord", lbhc_text("abc"), "\"abc\" must be a number"},
        WrongResource{"PortNegative", lbhc_text("-1"), "\"-1\" must be a number"},
        WrongResource{"PortGlued", lbhc_text("54321OK"), "\"54321OK\" must be a number"},
        WrongResource{"Megabyte", lbhc_text("54321 " + std::string(900'000, 'x')),
                      "900000 bytes, at most 4096"},
        WrongResource{"SyntaxError", "type = \"lbhc\"\nid = app1\n", "lb.toml:2: ", false},
        WrongResource{"UnknownKey", lbhc_text("54321", "hc_timeuot = 5"),
                      "lb.toml:5: unknown key \"lbhc.hc_timeuot\""},
        WrongResource{"UnknownTable", lbhc_text("54321") + "[lbch]\n", "unknown table", false},
        WrongResource{"NoId", "type = \"lbhc\"\ninfo = \"54321\"\n", "the key id is missing",
                      false},
        WrongResource{"OtherId", "type = \"lbhc\"\nid = \"app2\"\ninfo = \"54321\"\n",
                      "has the id \"app2\", not \"app1\"", false},
        WrongResource{"Script", "type = \"script\"\nid = \"app1\"\n", "say what to run for restore",
                      false},
        WrongResource{"TimeoutZero", lbhc_text("54321", "hc_timeout = 0"),
                      "lb.toml:5: lbhc.hc_tim"},
        WrongResource{"TimeoutNegative", lbhc_text("54321", "hc_timeout = -1"), "is -1, must be"},
        WrongResource{"TimeoutHuge", lbhc_text("54321", "hc_timeout = 1e9"), "is 1e+09, must be"},
        WrongResource{"TimeoutWord", lbhc_text("54321", "hc_timeout = \"abc\""),
                      "must be a number"},
        WrongResource{"AllowGarbage", lbhc_text("54321", "allow = [\"10.0.0.300\"]"), "10.0.0.300"},
        WrongResource{"AgentWord", lbhc_text("54321 OK", "protocol = \"haproxy-agent\""),
                      "does not know the word \"OK\""}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(BadInput, AMissingResourceIsNamed) {
  const Node node;
  for (const std::string& name : kActions) {
    expect_failure(node.action(name, "nosuch", "app1"), "no resource \"nosuch\"");
  }
}

TEST(BadInput, AWrongHcTimeoutInTheEnvironmentIsNamed) {
  for (const std::string value : {"0", "-1", "1e9", "abc", "", "nan", "5s"}) {
    LbhcNode node;
    node.node().env["HC_TIMEOUT"] = value;
    expect_failure(node.run("restore"), "HC_TIMEOUT");
    EXPECT_EQ(node.run("remove").exit_code, 0);  // needs no HC_TIMEOUT
  }
}

TEST(BadInput, ATypingErrorInGenappTomlNamesTheLine) {
  LbhcNode node;
  node.node().settings("cluster = \"registry\"\nlog_levle = \"info\"\n");
  const Result result = node.run("restore");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("genapp.toml:3: unknown key \"log_levle\""));
}

TEST(BadInput, ABrokenDescriptionDoesNotKeepRemoveFromStoppingTheDaemon) {
  for (const std::string file : {"/resources.d/lb.toml", "/genapp.toml"}) {
    LbhcNode node;
    node.restore();
    write_file(node.node().config_dir() + file, "this is = = no TOML");
    const Result result = node.run("remove");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("going by the id alone"));
    EXPECT_FALSE(accepts(node.port()));
    EXPECT_THAT(node.node().run_files(), IsEmpty());
  }
}

TEST(BadInput, AStateWithNothingElseIsCleared) {
  Node node;
  node.resource_file("lb", "= no TOML");
  write_file(node.run_file("app1.state"), "ISP\n");
  const Result result = node.action("remove", "lb", "app1");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST(BadInput, APortInUseIsAnErrorAtOnceAndNamesThePort) {
  LbhcNode first("wait_first_probe = false");
  first.restore();
  Node other;
  other.lbhc("lb2", "app2", std::to_string(first.port()), "hc_timeout = 3600");
  expect_failure(other.action("restore", "lb2", "app2"),
                 "port " + std::to_string(first.port()) + " (any address) is in use");
  EXPECT_EQ(read_file(other.run_file("app2.state")), "OSF\n");
  EXPECT_EQ(probe(first.port()).bytes, "OK");
}

TEST(BadInput, AnAddressThatIsNotOursIsNamed) {
  LbhcNode node("listen = \"192.0.2.1\"");  // RFC 5737: nobody's
  expect_failure(node.run("restore"), "192.0.2.1): the address is not one of this host's");
}

TEST(BadInput, TheRunDirectoryIsChecked) {
  struct Case {
    std::string path;
    std::string part;
  };
  LbhcNode node("wait_first_probe = false");
  const TempDir folder;
  write_file(folder / "file", "");
  std::filesystem::create_directory_symlink(node.node().run_dir(), folder / "link");
  std::filesystem::create_directory(folder / "open");
  ::chmod((folder / "open").c_str(), 0777);
  for (const auto& [path, part] :
       {Case{folder / "none", "does not exist"}, Case{folder / "file", "is not a directory"},
        Case{folder / "link", "is a symbolic link"},
        Case{folder / "open", "is writable by everybody"}}) {
    for (const std::string& name : kActions) {
      Command command = node.node().command({name, "-t", "lb", "-i", "app1"});
      command.env["GENAPP_RUN_DIR"] = path;
      // Nothing can have been started from a directory that does not exist: gone is gone.
      if (name == "remove" && part == "does not exist") {
        EXPECT_EQ(run(command).exit_code, 0);
      } else {
        expect_failure(run(command), part);
      }
    }
  }
  EXPECT_FALSE(accepts(node.port()));
}

TEST(BadInput, RunFilesThatAreSymbolicLinksAreNotFollowed) {
  for (const std::string name : {"app1.pid", "app1.lock"}) {
    LbhcNode node("wait_first_probe = false");
    const TempDir elsewhere;
    std::filesystem::create_symlink(elsewhere / "target", node.node().run_file(name));
    expect_failure(node.run("restore"), name + " is a symbolic link");
    EXPECT_FALSE(std::filesystem::exists(elsewhere / "target"));
  }
}

TEST(BadInput, ALogFileThatCantBeOpenedFailsTheRestore) {
  LbhcNode node("wait_first_probe = false");
  write_file(node.node().config_dir() + "/genapp.toml", "log_file = \"/proc/nosuch/log\"\n");
  expect_failure(node.run("restore"), "log_file: ");
  EXPECT_FALSE(accepts(node.port()));
}

TEST(BadInput, HelpAndVersionSucceed) {
  for (const std::string name : {"restore", "remove", "quickCheck", "recover", "lbhcd"}) {
    const Result help = run({{program(name), "--help"}});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.out, HasSubstr("Usage: " + name + " -t TAG -i ID"));
    EXPECT_THAT(run({{program(name), "--version"}}).out, HasSubstr(name + " (genapp) "));
  }
}

}  // namespace
}  // namespace genapp::tests
