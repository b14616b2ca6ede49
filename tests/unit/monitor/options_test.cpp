#include "monitor/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/temp_dir.hpp"

namespace genapp::monitor {
namespace {

using namespace std::chrono_literals;
using common::Error;
using common::ExitCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

CommandLine parse_as(Protocol protocol, std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "monitor");
  return parse_command_line(protocol, static_cast<int>(arguments.size()), arguments.data());
}
CommandLine http(std::vector<const char*> arguments) {
  return parse_as(Protocol::http, std::move(arguments));
}
CommandLine smtp(std::vector<const char*> arguments) {
  return parse_as(Protocol::smtp, std::move(arguments));
}

std::string refusal(Protocol protocol, std::vector<const char*> arguments) {
  try {
    parse_as(protocol, std::move(arguments));
  } catch (const Error& problem) {
    EXPECT_EQ(problem.exit_code(), ExitCode::usage) << problem.what();
    return problem.what();
  }
  return "taken";
}
std::string http_refusal(std::vector<const char*> arguments) {
  return refusal(Protocol::http, std::move(arguments));
}
std::string smtp_refusal(std::vector<const char*> arguments) {
  return refusal(Protocol::smtp, std::move(arguments));
}

TEST(MonitorOptions, AnIdAloneHasTheSeedsDefaults) {
  const CommandLine line = http({"web"});
  EXPECT_EQ(line.verb, Verb::start);
  EXPECT_EQ(line.id->text(), "web");
  const Settings& settings = line.settings;
  EXPECT_EQ(settings.http.server.host, "localhost");
  EXPECT_EQ(settings.http.server.port, 80);
  EXPECT_EQ(settings.interval, 60s);
  EXPECT_EQ(settings.retries, 3u);
  EXPECT_EQ(settings.wait, 10s);
  EXPECT_EQ(settings.http.version, 11);
  EXPECT_EQ(settings.http.uri, "/");
  EXPECT_FALSE(settings.http.get);
  EXPECT_FALSE(settings.http.tls);
  EXPECT_EQ(settings.rise, 1u);
  EXPECT_TRUE(settings.retry_on_timeout);
  EXPECT_EQ(settings.initial_delay, 0s);
  EXPECT_EQ(settings.certificate_days, 14);
  EXPECT_EQ(smtp({"mail"}).settings.smtp.server.port, 25);
}

TEST(MonitorOptions, TakesTheSeedsOptionsInAnyOrder) {
  const Settings settings = http({"-s", "www.example.test", "-n8080", "web", "-i", "30", "-c", "5",
                                  "-r", "7", "-v", "1.0", "-h", "/index.html"})
                                .settings;
  EXPECT_EQ(settings.http.server.host, "www.example.test");
  EXPECT_EQ(settings.http.server.port, 8080);
  EXPECT_EQ(settings.interval, 30s);
  EXPECT_EQ(settings.retries, 5u);
  EXPECT_EQ(settings.wait, 7s);
  EXPECT_EQ(settings.http.version, 10);
  EXPECT_EQ(settings.http.uri, "/index.html");
}

TEST(MonitorOptions, TakesTForRAsTheSynopsisPrintsIt) {
  EXPECT_EQ(http({"web", "-t", "4"}).settings.wait, 4s);
  EXPECT_EQ(smtp({"mail", "-t", "4"}).settings.wait, 4s);
  EXPECT_THAT(http_refusal({"web", "-t", "4", "-r", "4"}), HasSubstr("-t stands beside -r"));
}

TEST(MonitorOptions, SecondsMayBeFractionsDownToTenMilliseconds) {
  const Settings settings = http({"web", "-i", "0.5", "-r", "0.01"}).settings;
  EXPECT_EQ(settings.interval, 500ms);
  EXPECT_EQ(settings.wait, 10ms);
}

TEST(MonitorOptions, RefusesWhatIsOutOfTheSeedsRanges) {
  for (const char* option : {"-i", "-r", "-t"}) {
    for (const char* value :
         {"0", "0.009", "10000.1", "-1", "nan", "inf", "", "1e2", "10s", " 1"}) {
      EXPECT_THAT(http_refusal({"web", option, value}), HasSubstr("0.01 to 10000"))
          << option << value;
    }
    EXPECT_EQ(http_refusal({"web", option, "10000"}), "taken");
  }
  for (const char* value : {"0", "10001", "-1", "1.5", "", "3x"}) {
    EXPECT_THAT(http_refusal({"web", "-c", value}), HasSubstr("from 1 to 10000")) << value;
  }
  for (const char* value : {"0", "65536", "http", ""}) {
    EXPECT_THAT(http_refusal({"web", "-n", value}), HasSubstr("from 1 to 65535")) << value;
  }
  EXPECT_THAT(http_refusal({"web", "-v", "2"}), HasSubstr("neither 1.0 nor 1.1"));
}

TEST(MonitorOptions, NeedsAnAlphanumericIdOfAtMost255Bytes) {
  EXPECT_THROW(http({}), NoIdentifier);
  EXPECT_THROW(http({"-s", "localhost"}), NoIdentifier);
  EXPECT_THROW(http({"--stop"}), NoIdentifier);
  const std::string longest(255, 'x');
  EXPECT_EQ(http({longest.c_str()}).id->text(), longest);
  for (const std::string& id :
       {longest + "x", std::string("we-b"), std::string("a/b"), std::string(".."),
        std::string("a b"), std::string("ä"), std::string("")}) {
    EXPECT_THAT(http_refusal({id.c_str()}), HasSubstr("1 to 255 letters")) << id;
  }
}

TEST(MonitorOptions, RefusesTextThatCouldSmuggleALineIn) {
  const std::string longest = "/" + std::string(254, 'x');
  EXPECT_EQ(http({"web", "-h", longest.c_str()}).settings.http.uri, longest);
  EXPECT_THAT(http_refusal({"web", "-h", (longest + "x").c_str()}), HasSubstr("1 to 255"));
  for (const char* uri : {"/a b", "/\r\nX: y", "/\x7f", "/\xc3\xa4", ""}) {
    EXPECT_THAT(http_refusal({"web", "-h", uri}), HasSubstr("printable")) << uri;
  }
  EXPECT_THAT(http_refusal({"web", "-h", "index.html"}), HasSubstr("does not begin with /"));
  EXPECT_EQ(http({"web", "-h", "http://a.test/"}).settings.http.uri, "http://a.test/");
  EXPECT_THAT(http_refusal({"web", "-s", "a b"}), HasSubstr("printable"));
  EXPECT_THAT(http_refusal({"web", "--header", "X: a\nY: b"}), HasSubstr("one line"));
  EXPECT_THAT(http_refusal({"web", "--user", "a:b\nc"}), HasSubstr("control character"));
  EXPECT_THAT(smtp_refusal({"mail", "--helo", "a\r\nQUIT"}), HasSubstr("printable"));
}

TEST(MonitorOptions, ReadsWhatIsBeyondTheSeed) {
  const Settings settings =
      http({"web", "--method", "GET", "--expect-status", "200,301-399", "--header", "X-A:  b c",
            "--header", "Host: other", "--user", "me:secret:er", "--rise", "2",
            "--no-retry-on-timeout", "--initial-delay", "0.25", "--metrics", "9100"})
          .settings;
  EXPECT_TRUE(settings.http.get);
  ASSERT_EQ(settings.http.expect_status.size(), 2u);
  EXPECT_EQ(settings.http.expect_status[0].first, 200);
  EXPECT_EQ(settings.http.expect_status[0].last, 200);
  EXPECT_EQ(settings.http.expect_status[1].first, 301);
  EXPECT_EQ(settings.http.expect_status[1].last, 399);
  EXPECT_THAT(settings.http.headers, ElementsAre(Pair("X-A", "b c"), Pair("Host", "other")));
  EXPECT_EQ(settings.http.credentials, "me:secret:er");
  EXPECT_EQ(settings.rise, 2u);
  EXPECT_FALSE(settings.retry_on_timeout);
  EXPECT_EQ(settings.initial_delay, 250ms);
  EXPECT_EQ(settings.metrics, "9100");
}

TEST(MonitorOptions, ExpectingABodyImpliesGet) {
  EXPECT_TRUE(http({"web", "--expect-body", "welcome"}).settings.http.get);
  EXPECT_THAT(http_refusal({"web", "--expect-body", "x", "--method", "HEAD"}),
              HasSubstr("HEAD has no body"));
  EXPECT_THAT(http_refusal({"web", "--method", "POST"}), HasSubstr("neither HEAD nor GET"));
}

TEST(MonitorOptions, RefusesAWrongStatusList) {
  for (const char* list : {"", "2xx", "200,", "99", "1000", "300-200", "200-", "-200", "200 300"}) {
    EXPECT_THAT(http_refusal({"web", "--expect-status", list}), HasSubstr("--expect-status"))
        << list;
  }
}

TEST(MonitorOptions, TlsHasItsOwnPortsAndVerifiesByDefault) {
  const Settings https = http({"web", "--https", "--cafile", "/ca.pem"}).settings;
  EXPECT_EQ(https.http.server.port, 443);
  ASSERT_TRUE(https.http.tls);
  EXPECT_TRUE(https.http.tls->verify);
  EXPECT_EQ(https.http.tls->ca_file, "/ca.pem");
  EXPECT_FALSE(http({"web", "--https", "--insecure"}).settings.http.tls->verify);
  EXPECT_EQ(http({"web", "--https", "-n", "8443"}).settings.http.server.port, 8443);
  EXPECT_EQ(smtp({"mail", "--smtps"}).settings.smtp.server.port, 465);
  EXPECT_EQ(smtp({"mail", "--starttls"}).settings.smtp.server.port, 25);
  EXPECT_EQ(smtp({"mail", "--starttls"}).settings.smtp.how, SmtpSettings::Tls::starttls);
  EXPECT_THAT(smtp_refusal({"mail", "--starttls", "--smtps"}), HasSubstr("stands beside"));
  // OpenSSL takes the one for no name at all, the other for any below it.
  for (const char* name : {".", ".example.org"}) {
    EXPECT_THAT(http_refusal({"web", "--https", "--tls-name", name}),
                HasSubstr("begins with a dot"));
  }
}

TEST(MonitorOptions, RefusesOptionsThatWouldNotBeHeeded) {
  EXPECT_THAT(http_refusal({"web", "--cafile", "/ca"}), HasSubstr("without --https"));
  EXPECT_THAT(http_refusal({"web", "--insecure"}), HasSubstr("without --https"));
  EXPECT_THAT(smtp_refusal({"mail", "--tls-name", "a"}), HasSubstr("without --starttls"));
  EXPECT_THAT(http_refusal({"web", "--https", "--insecure", "--cafile", "/ca"}),
              HasSubstr("beside --insecure"));
  EXPECT_THAT(http_refusal({"web", "--stop", "-s", "a"}), HasSubstr("--server means nothing here"));
  EXPECT_THAT(http_refusal({"web", "--pause", "--json"}), HasSubstr("--json means nothing here"));
  EXPECT_THAT(http_refusal({"web", "--stop", "--pause"}), HasSubstr("beside another"));
  EXPECT_THAT(http_refusal({"web", "5"}), HasSubstr("argument too many"));
  EXPECT_THAT(http_refusal({"web", "--stop", "5", "6"}), HasSubstr("argument too many"));
  EXPECT_THAT(http_refusal({"web", "--list"}), HasSubstr("argument too many"));
}

TEST(MonitorOptions, RefusesWhatItDoesNotKnowOrIsGivenTwice) {
  EXPECT_THAT(http_refusal({"web", "--nonsense"}), HasSubstr("--nonsense"));
  EXPECT_THAT(http_refusal({"web", "--st"}), Not(HasSubstr("taken")));
  EXPECT_THAT(http_refusal({"web", "-n", "1", "-n", "2"}), HasSubstr("more than once"));
  EXPECT_THAT(smtp_refusal({"mail", "-h", "/"}), Not(HasSubstr("taken")));
  EXPECT_THAT(smtp_refusal({"mail", "--https"}), HasSubstr("--https"));
  EXPECT_THAT(http_refusal({"web", "-n"}), Not(HasSubstr("taken")));
}

TEST(MonitorOptions, StopWaitsTenSecondsOrAsLongAsTold) {
  EXPECT_EQ(http({"web", "--stop"}).verb, Verb::stop);
  EXPECT_EQ(http({"web", "--stop"}).stop_wait, 10s);
  EXPECT_EQ(http({"web", "--stop", "3"}).stop_wait, 3s);
  EXPECT_THAT(http_refusal({"web", "--stop", "0"}), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(http_refusal({"web", "--stop", "10001"}), HasSubstr("from 1 to 10000"));
}

TEST(MonitorOptions, KnowsTheOtherVerbs) {
  EXPECT_EQ(http({"web", "--pause"}).verb, Verb::pause);
  EXPECT_EQ(http({"web", "--resume"}).verb, Verb::resume);
  EXPECT_EQ(http({"web", "--del"}).verb, Verb::del);
  const CommandLine disp = smtp({"mail", "--disp", "--json"});
  EXPECT_EQ(disp.verb, Verb::disp);
  EXPECT_TRUE(disp.json);
  EXPECT_EQ(http({"--list"}).verb, Verb::list);
  EXPECT_FALSE(http({"--list"}).id);
  EXPECT_EQ(http({"--once", "-s", "::1"}).verb, Verb::once);
}

TEST(MonitorOptions, ReadsCredentialsFromTheFilesFirstLine) {
  tests::TempDir folder;
  tests::write_file(folder / "user", "me:pass word\r\nmore\n");
  const std::string path = folder / "user";
  EXPECT_EQ(http({"web", "--user-file", path.c_str()}).settings.http.credentials, "me:pass word");
  tests::write_file(folder / "user", "no colon\n");
  EXPECT_THAT(http_refusal({"web", "--user-file", path.c_str()}), HasSubstr("NAME:PASSWORD"));
  EXPECT_THAT(http_refusal({"web", "--user", "a:b", "--user-file", path.c_str()}),
              HasSubstr("stands beside"));
  EXPECT_THAT(http_refusal({"web", "--user-file", (folder / "none").c_str()}),
              HasSubstr("does not exist"));
}

TEST(MonitorOptions, AComplaintDoesNotRepeatThePassword) {
  EXPECT_THAT(http_refusal({"web", "--user", "secret"}), Not(HasSubstr("secret")));
  EXPECT_THAT(http_refusal({"web", "--user", "a:secret\n"}), Not(HasSubstr("secret")));
}

TEST(MonitorOptions, MetricsGoToAPortOrAPath) {
  EXPECT_EQ(http({"web", "--metrics", "/run/x.prom"}).settings.metrics, "/run/x.prom");
  EXPECT_THAT(http_refusal({"web", "--metrics", "0"}), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(http_refusal({"web", "--metrics", "70000"}), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(http_refusal({"web", "--metrics", "x.prom"}), HasSubstr("neither a port nor a path"));
}

TEST(MonitorOptions, TheServerIsToldWithoutCredentials) {
  EXPECT_EQ(server_text(http({"web", "--user", "a:b", "-h", "/x"}).settings),
            "http://localhost:80/x");
  EXPECT_EQ(server_text(http({"web", "--https", "-s", "::1"}).settings), "https://[::1]:443/");
  EXPECT_EQ(server_text(smtp({"mail", "-s", "[::1]"}).settings), "smtp://[::1]:25");
  EXPECT_EQ(server_text(smtp({"mail", "--smtps"}).settings), "smtps://localhost:465");
}

TEST(MonitorOptions, TheReportOfAWrongCommandLineNamesTheIdWhereThereIsOne) {
  const char* with[] = {"httpmon", "web", "-n", "0"};
  EXPECT_EQ(id_for_report(4, with), "web");
  const char* without[] = {"httpmon", "-n", "0"};
  EXPECT_EQ(id_for_report(3, without), "-");
  EXPECT_EQ(id_for_report(1, with), "-");
}

}  // namespace
}  // namespace genapp::monitor
