#include "agent/monitor_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using common::TomlFile;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;
using tests::error_of;

std::vector<MonitorConfig> read_all(const std::string& text) {
  return read_monitors(TomlFile::parse("web.toml", text));
}
// `keys`: those of [monitor.m], from line 2 on.
MonitorConfig read(const std::string& keys) { return read_all("[monitor.m]\n" + keys).at(0); }
std::string error(const std::string& keys) {
  return error_of([&] { read(keys); });
}

const std::string kCustom = "kind = \"custom\"\ncommand = [\"/bin/check\"]\n";
const std::string kProcess = "kind = \"process\"\nprocesses = [\"nginx\"]\n";
const std::string kHttp = "kind = \"http\"\nurl = \"http://a/\"\n";
const std::string kHttps = "kind = \"http\"\nurl = \"https://a/\"\n";
const std::string kSmtp = "kind = \"smtp\"\nhelo = \"x\"\n";
const std::string kQuickCheck = "kind = \"quickcheck\"\n\n";
const std::vector<std::string> kKinds{kCustom, kProcess, kHttp, kSmtp, kQuickCheck};

// `keys` have one line: the fourth.
std::string error_of_line(const std::string& kind, const std::string& keys) {
  return error(kind + keys + "\n");
}

TEST(MonitorConfig, HasTheDocumentedDefaults) {
  for (const std::string& kind : kKinds) {
    const MonitorConfig config = read(kind);
    EXPECT_EQ(config.name, "m");
    EXPECT_EQ(config.mode, MonitorMode::long_running);
    EXPECT_EQ(config.monitor_interval, 10s);
    EXPECT_EQ(config.stabilization_interval, 10s);
    EXPECT_EQ(config.restart_count, 3u);
    EXPECT_EQ(config.restart_interval, 66s);
    EXPECT_EQ(config.failure_action, FailureAction::notify);
    EXPECT_EQ(config.hung_signal, SIGKILL);
    EXPECT_THAT(config.notify, IsEmpty());
    EXPECT_THAT(config.cleanup, IsEmpty());
    EXPECT_THAT(config.restart, IsEmpty());
    EXPECT_EQ(config.check_timeout, 10s);
  }
  EXPECT_EQ(read(kCustom).retries, 0u);
  EXPECT_EQ(read(kQuickCheck).retries, 0u);
  EXPECT_EQ(read(kHttp).retries, 3u);
  EXPECT_EQ(read(kSmtp).retries, 3u);
}

TEST(MonitorConfig, TakesWhatEveryKindHas) {
  for (const std::string& kind : kKinds) {
    const MonitorConfig config = read(
        "mode = \"both\"\nmonitor_interval = 0.5\nstabilization_interval = 1.5\n"
        "restart_count = 2\nrestart_interval = 4\nfailure_action = \"fallover\"\n"
        "notify = [\"/n\", \"1\"]\ncleanup = [\"/c\"]\nrestart = [\"/r\"]\n" +
        kind);
    EXPECT_EQ(config.mode, MonitorMode::both);
    EXPECT_TRUE(config.at_startup() && config.long_running());
    EXPECT_EQ(config.monitor_interval, 500ms);
    EXPECT_EQ(config.stabilization_interval, 1500ms);
    EXPECT_EQ(config.restart_count, 2u);
    EXPECT_EQ(config.restart_interval, 4s);
    EXPECT_EQ(config.failure_action, FailureAction::fallover);
    EXPECT_THAT(config.notify, ElementsAre("/n", "1"));
    EXPECT_THAT(config.cleanup, ElementsAre("/c"));
    EXPECT_THAT(config.restart, ElementsAre("/r"));
  }
  EXPECT_EQ(read(kCustom + "mode = \"startup\"\n").mode, MonitorMode::startup);
  EXPECT_EQ(read(kCustom + "mode = \"long-running\"\n").mode, MonitorMode::long_running);
}

TEST(MonitorConfig, KnowsItsKinds) {
  EXPECT_EQ(read(kProcess).kind, MonitorKind::process);
  EXPECT_EQ(read(kCustom).kind, MonitorKind::custom);
  EXPECT_EQ(read(kHttp).kind, MonitorKind::http);
  EXPECT_EQ(read(kSmtp).kind, MonitorKind::smtp);
  EXPECT_EQ(read(kQuickCheck).kind, MonitorKind::quick_check);
  EXPECT_EQ(error("kind = \"ping\"\n"),
            "web.toml:2: monitor.m.kind is \"ping\", must be one of: process, custom, http, smtp, "
            "quickcheck");
  EXPECT_THAT(error("kind = 1\n"), StartsWith("web.toml:2: monitor.m.kind "));
}

TEST(MonitorConfig, NeedsWhatItsKindCanNotBeWithout) {
  EXPECT_EQ(error(""), "web.toml:1: [monitor.m] has no key kind");
  EXPECT_EQ(error_of([] { read_all("\n[monitor.m]\nretries = 1\n"); }),
            "web.toml:2: [monitor.m] has no key kind");
  EXPECT_EQ(error("kind = \"custom\"\n"), "web.toml:1: [monitor.m] has no key command");
  EXPECT_EQ(error("kind = \"process\"\n"), "web.toml:1: [monitor.m] has no key processes");
  EXPECT_EQ(error("kind = \"http\"\n"), "web.toml:1: [monitor.m] has no key url");
  EXPECT_EQ(error("kind = \"smtp\"\n"), "");
}

TEST(MonitorConfig, KeysOfAnotherKindAreErrors) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> keys{
      {"command = [\"/x\"]", {kCustom}},
      {"hung_signal = 15", {kCustom, kQuickCheck}},
      {"retries = 1", {kCustom, kHttp, kSmtp, kQuickCheck}},
      {"processes = [\"x\"]", {kProcess}},
      {"owner = \"root\"", {kProcess}},
      {"instances = 1", {kProcess}},
      {"recount_interval = 1", {kProcess}},
      {"check_timeout = 1", {kHttp, kSmtp}},
      {"url = \"http://b/\"", {kHttp}},
      {"http_version = \"1.0\"", {kHttp}},
      {"get = true", {kHttp}},
      {"expect_status = [\"200\"]", {kHttp}},
      {"expect_body = \"x\"", {kHttp}},
      {"user_file = \"/x\"", {kHttp}},
      {"headers = [\"A: b\"]", {kHttp}},
      {"server = \"a\"", {kSmtp}},
      {"helo = \"a\"", {kSmtp}},
      {"tls = \"none\"", {kSmtp}},
      {"insecure = true", {kHttp, kSmtp}},
      {"cafile = \"/x\"", {kHttp, kSmtp}},
      {"tls_name = \"x\"", {kHttp, kSmtp}},
  };
  for (const auto& [key, kinds] : keys) {
    for (const std::string& kind : kKinds) {
      if (std::ranges::count(kinds, kind)) continue;
      EXPECT_THAT(
          error_of_line(kind, key),
          testing::AllOf(StartsWith("web.toml:4: monitor.m." + key.substr(0, key.find(' '))),
                         HasSubstr("is not for a monitor of its kind")))
          << kind;
    }
  }
}

TEST(MonitorConfig, NamesTheLineOfAnUnknownKey) {
  EXPECT_THAT(
      error_of_line(kProcess, "processs = []"),
      StartsWith("web.toml:4: unknown key \"monitor.m.processs\"; known here: kind, mode, "));
}

// It does not matter where kind stands.
TEST(MonitorConfig, AKeyBeforeItsKindHolds) {
  EXPECT_EQ(read("retries = 1\n" + kHttp).retries, 1u);
  EXPECT_EQ(read("retries = 0\n" + kSmtp).retries, 0u);
}

TEST(MonitorConfig, RefusesWrongValuesNamingTheLine) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong{
      {kCustom,
       {"mode = \"long\"",
        "mode = 1",
        "monitor_interval = 0",
        "monitor_interval = 86401",
        "stabilization_interval = -1",
        "restart_count = -1",
        "restart_count = 1.5",
        "restart_interval = \"1\"",
        "restart_interval = 31536001",
        "failure_action = \"restart\"",
        "notify = []",
        "notify = [\"x\"]",
        "cleanup = \"/x\"",
        "restart = [\"\"]",
        "retries = -1",
        "hung_signal = 0",
        "hung_signal = 65",
        "hung_signal = \"NONE\"",
        "hung_signal = \"\"",
        "hung_signal = 9.0",
        "hung_signal = true"}},
      {kProcess,
       {"owner = true", "owner = -1", "owner = \"no such user\"", "owner = \"0:0\"", "owner = \"\"",
        "instances = 0", "instances = -1", "instances = 10001", "recount_interval = 0.001"}},
      {kHttp,
       {"check_timeout = 0", "http_version = \"2\"", "http_version = 1.1", "get = 1",
        "expect_status = \"200\"", "expect_status = [\"99\"]", "expect_status = [\"\"]",
        "expect_status = [\"300-200\"]", "expect_body = \"\"", "user_file = \"users\"",
        "user_file = \"/nowhere/file\"", "headers = [\"A\"]", "headers = [\"A: b\\r\\nC: d\"]",
        "headers = \"A: b\""}},
      {kSmtp,
       {"server = \"\"", "server = \"a:\"", "server = \"a:0\"", "server = \"::1\"",
        "server = \"a b\"", "tls = \"ssl\"", "tls = true"}},
      {kHttps, {"tls_name = \".a\"", "tls_name = \"\"", "cafile = \"x\"", "insecure = 1"}},
  };
  for (const auto& [kind, lines] : wrong) {
    for (const std::string& line : lines) {
      EXPECT_THAT(error_of_line(kind, line),
                  StartsWith("web.toml:4: monitor.m." + line.substr(0, line.find(' ')) + " "))
          << line;
    }
  }
  for (const char* names : {"[]", "[\"\"]", "[\"sixteen-letters-\"]", "[\"a\", \"a\"]", "\"a\""}) {
    EXPECT_THAT(error("kind = \"process\"\nprocesses = " + std::string(names) + "\n"),
                StartsWith("web.toml:3: monitor.m.processes "))
        << names;
  }
  for (const char* argv : {"[]", "[\"x\"]", "\"/x\""}) {
    EXPECT_THAT(error("kind = \"custom\"\ncommand = " + std::string(argv) + "\n"),
                StartsWith("web.toml:3: monitor.m.command "))
        << argv;
  }
}

TEST(MonitorConfig, NamesAreAsTheSeedHasThem) {
  const std::string longest(64, 'n');
  for (const std::string& name :
       {std::string("a"), std::string("_9"), std::string("DB_1"), longest}) {
    EXPECT_EQ(read_all("[monitor." + name + "]\n" + kCustom).at(0).name, name);
  }
  for (const std::string& name :
       {std::string("9a"), std::string("a-b"), std::string("\"\""), std::string("\"a.b\""),
        std::string("\"\xc3\xa4\""), longest + "n"}) {
    EXPECT_THAT(error_of([&] { read_all("\n[monitor." + name + "]\n" + kCustom); }),
                StartsWith("web.toml:2: "))
        << name;
  }
}

TEST(MonitorConfig, AreReadByName) {
  const auto monitors =
      read_all("[monitor.b]\n" + kCustom + "[monitor.a]\n" + kProcess + "[agent]\nx = 1\n");
  ASSERT_EQ(monitors.size(), 2u);
  EXPECT_EQ(monitors[0].name, "a");
  EXPECT_EQ(monitors[0].kind, MonitorKind::process);
  EXPECT_EQ(monitors[1].name, "b");
  EXPECT_THAT(read_all(""), IsEmpty());
}

// Too short and fall-over never happens.
TEST(MonitorConfig, TheRestartIntervalIsNotTooShort) {
  const std::string keys =
      "restart_count = 2\nstabilization_interval = 1\nmonitor_interval = 0.25\n";
  EXPECT_EQ(read(kCustom + keys).restart_interval, 2750ms);
  EXPECT_EQ(read(kCustom + keys + "restart_interval = 2.5\n").restart_interval, 2500ms);
  EXPECT_THAT(error("restart_interval = 2.49\n" + kCustom + keys),
              testing::AllOf(StartsWith("web.toml:2: monitor.m.restart_interval must be at least "
                                        "2.5 seconds"),
                             HasSubstr("restart_count")));
  // No restart, nothing to add up: it is observed only.
  const MonitorConfig observed = read(kCustom + "restart_count = 0\nrestart_interval = 0\n");
  EXPECT_EQ(observed.restart_count, 0u);
  EXPECT_EQ(observed.restart_interval, 0s);
  EXPECT_EQ(read(kCustom + "restart_count = 10000\nmonitor_interval = 86400\n"
                           "stabilization_interval = 86400\n")
                .restart_interval,
            11000 * 48h);
}

TEST(MonitorConfig, AtTheStartItHasATimeInWhichItIsAsked) {
  EXPECT_EQ(read(kCustom + "stabilization_interval = 0\n").stabilization_interval, 0s);
  for (const char* mode : {"startup", "both"}) {
    EXPECT_THAT(
        error("stabilization_interval = 0\nmode = \"" + std::string(mode) + "\"\n" + kCustom),
        StartsWith("web.toml:2: monitor.m.stabilization_interval "));
    EXPECT_EQ(error("mode = \"" + std::string(mode) + "\"\n" + kProcess), "");
  }
}

TEST(MonitorConfig, ACustomHasACommandAndASignal) {
  const MonitorConfig config =
      read("kind = \"custom\"\ncommand = [\"/bin/check\", \"a b\"]\nretries = 2\n");
  EXPECT_THAT(config.command, ElementsAre("/bin/check", "a b"));
  EXPECT_EQ(config.retries, 2u);
  const auto signal = [](const std::string& value) {
    return read(kCustom + "hung_signal = " + value + "\n").hung_signal;
  };
  EXPECT_EQ(signal("1"), 1);
  EXPECT_EQ(signal("64"), 64);
  EXPECT_EQ(signal("\"TERM\""), SIGTERM);
  EXPECT_EQ(signal("\"SIGABRT\""), SIGABRT);
}

TEST(MonitorConfig, AProcessHasNamesAnOwnerAndACount) {
  const MonitorConfig config = read(
      "kind = \"process\"\nprocesses = [\"nginx\", \"fifteen-letters\"]\nowner = \"root\"\n"
      "instances = 4\nrecount_interval = 0\n");
  EXPECT_THAT(config.process.names, ElementsAre("nginx", "fifteen-letters"));
  EXPECT_EQ(config.process.owner, uid_t{0});
  EXPECT_EQ(config.process.instances, 4u);
  EXPECT_EQ(config.process.recount_interval, 0s);
  EXPECT_EQ(read(kProcess + "owner = 4238\n").process.owner, uid_t{4238});
  EXPECT_EQ(read(kProcess + "owner = \"4238\"\n").process.owner, uid_t{4238});
  EXPECT_FALSE(read(kProcess).process.owner);
  EXPECT_EQ(read(kProcess).process.instances, 1u);
  EXPECT_EQ(read(kProcess).process.recount_interval, 60s);
}

struct UrlCase {
  std::string url;
  std::string host;
  int port;
  std::string uri;
  bool tls = false;
};

TEST(MonitorConfig, AUrlIsServerAndRequest) {
  for (const UrlCase& item : std::vector<UrlCase>{
           {"http://localhost", "localhost", 80, "/"},
           {"http://localhost:8080/health?full=1", "localhost", 8080, "/health?full=1"},
           {"http://a?x", "a", 80, "/?x"},
           {"https://a/", "a", 443, "/", true},
           {"https://127.0.0.1:8443/a//b", "127.0.0.1", 8443, "/a//b", true},
           {"http://[::1]:81/", "::1", 81, "/"},
           {"http://[fe80::1%eth0]", "fe80::1%eth0", 80, "/"},
           {"http://a/@b:c", "a", 80, "/@b:c"},
       }) {
    const monitor::HttpSettings http = read("kind = \"http\"\nurl = \"" + item.url + "\"\n").http;
    EXPECT_EQ(http.server.host, item.host) << item.url;
    EXPECT_EQ(http.server.port, item.port) << item.url;
    EXPECT_EQ(http.uri, item.uri) << item.url;
    EXPECT_EQ(http.tls.has_value(), item.tls) << item.url;
  }
  const std::vector<std::string> wrong{"",
                                       "a",
                                       "ftp://a/",
                                       "http:/a",
                                       "http://",
                                       "http:///x",
                                       "http://:80",
                                       "http://a:",
                                       "http://a:0/",
                                       "http://a:65536/",
                                       "http://a:x",
                                       "HTTP://a",
                                       "http://me:pw@a/",
                                       "http://::1/",
                                       "http://[::1/",
                                       "http://[a]",
                                       "http://a b",
                                       "http://a/#x",
                                       "http://a/\\r\\nX",
                                       "http://[::1]80/",
                                       "http://a/" + std::string(255, 'x')};
  for (const std::string& url : wrong) {
    EXPECT_THAT(error("kind = \"http\"\nurl = \"" + url + "\"\n"),
                StartsWith("web.toml:3: monitor.m.url "))
        << url;
  }
}

TEST(MonitorConfig, AnHttpHasTheOptionsOfHttpmon) {
  const tests::TempDir folder;
  tests::write_file(folder / "user", "me:pass word\nmore\n");
  const MonitorConfig config =
      read(kHttps +
           "http_version = \"1.0\"\nexpect_status = [\"200,204\", \"301-399\"]\n"
           "expect_body = \"ok\"\nheaders = [\"A: b\", \"C:d\"]\ncheck_timeout = 2.5\n"
           "retries = 1\ninsecure = true\ntls_name = \"b\"\nuser_file = \"" +
           (folder / "user") + "\"\n");
  EXPECT_EQ(config.http.version, 10);
  ASSERT_EQ(config.http.expect_status.size(), 3u);
  EXPECT_EQ(config.http.expect_status[1].last, 204);
  EXPECT_EQ(config.http.expect_status[2].first, 301);
  EXPECT_EQ(config.http.expect_status[2].last, 399);
  EXPECT_EQ(config.http.expect_body, "ok");
  EXPECT_TRUE(config.http.get);
  EXPECT_THAT(config.http.headers, ElementsAre(Pair("A", "b"), Pair("C", "d")));
  EXPECT_EQ(config.http.credentials, "me:pass word");
  EXPECT_EQ(config.check_timeout, 2500ms);
  EXPECT_EQ(config.retries, 1u);
  EXPECT_FALSE(config.http.tls->verify);
  EXPECT_EQ(config.http.tls->name, "b");
  EXPECT_EQ(read(kHttps + "cafile = \"/ca.pem\"\n").http.tls->ca_file, "/ca.pem");
  EXPECT_TRUE(read(kHttps).http.tls->verify);
  EXPECT_FALSE(read(kHttp).http.get);
  EXPECT_TRUE(read(kHttp + "get = true\n").http.get);
  EXPECT_EQ(read(kHttp).http.version, 11);
}

TEST(MonitorConfig, AUserFileThatHoldsNoUserIsNamed) {
  const tests::TempDir folder;
  EXPECT_THAT(error_of_line(kHttp, "user_file = \"" + folder.path() + "\""),
              StartsWith("web.toml:4: monitor.m.user_file: " + folder.path()));
  tests::write_file(folder / "user", "me\n");
  EXPECT_THAT(error_of_line(kHttp, "user_file = \"" + (folder / "user") + "\""),
              testing::AllOf(StartsWith("web.toml:4: monitor.m.user_file "),
                             HasSubstr("first line is not NAME:PASSWORD")));
}

TEST(MonitorConfig, RefusesWhatContradicts) {
  EXPECT_THAT(error_of_line(kHttp, "get = false\nexpect_body = \"x\""),
              StartsWith("web.toml:4: monitor.m.get "));
  EXPECT_THAT(error_of_line(kHttps, "cafile = \"/x\"\ninsecure = true"),
              StartsWith("web.toml:4: monitor.m.cafile means nothing beside insecure"));
  for (const char* key : {"insecure = true", "cafile = \"/x\"", "tls_name = \"x\""}) {
    EXPECT_THAT(error_of_line(kHttp, key), HasSubstr("means nothing without https://"));
    EXPECT_THAT(error_of_line(kSmtp, key), HasSubstr("means nothing without tls = "));
    EXPECT_EQ(error(kHttps + key + "\n"), "");
    EXPECT_EQ(error(kSmtp + "tls = \"starttls\"\n" + key + "\n"), "");
  }
}

TEST(MonitorConfig, AnSmtpHasTheOptionsOfSmtpmon) {
  const monitor::SmtpSettings plain = read("kind = \"smtp\"\n").smtp;
  EXPECT_EQ(plain.server.host, "localhost");
  EXPECT_EQ(plain.server.port, 25);
  EXPECT_EQ(plain.helo, "");
  EXPECT_EQ(plain.how, monitor::SmtpSettings::Tls::none);
  const monitor::SmtpSettings smtp =
      read("tls = \"starttls\"\nserver = \"[::1]:2525\"\ntls_name = \"mail\"\n" + kSmtp).smtp;
  EXPECT_EQ(smtp.server.host, "::1");
  EXPECT_EQ(smtp.server.port, 2525);
  EXPECT_EQ(smtp.helo, "x");
  EXPECT_EQ(smtp.how, monitor::SmtpSettings::Tls::starttls);
  EXPECT_EQ(smtp.tls.name, "mail");
  EXPECT_TRUE(smtp.tls.verify);
  const auto port = [](const std::string& keys) { return read(kSmtp + keys).smtp.server.port; };
  EXPECT_EQ(port("tls = \"none\"\n"), 25);
  EXPECT_EQ(port("tls = \"starttls\"\nserver = \"a\"\n"), 25);
  EXPECT_EQ(port("tls = \"smtps\"\n"), 465);
  EXPECT_EQ(port("server = \"a\"\ntls = \"smtps\"\n"), 465);
  EXPECT_EQ(port("tls = \"smtps\"\nserver = \"a:25\"\n"), 25);
}

// A file of a MiB must not keep the agent busy for long: its keys are not looked for one by one.
TEST(MonitorConfig, ThousandsOfTablesAreRead) {
  std::string text;
  for (int i = 0; i < 20000; ++i) {
    text += "[monitor.m" + std::to_string(i) + "]\nkind = \"quickcheck\"\n";
  }
  EXPECT_EQ(read_all(text).size(), 20000u);
}

}  // namespace
}  // namespace genapp::agent
