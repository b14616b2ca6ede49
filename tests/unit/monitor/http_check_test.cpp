#include "monitor/http_check.hpp"
#include "monitor/http_request.hpp"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>

#include "monitor/http_response.hpp"
#include "monitor/resolver.hpp"
#include "tests/support/hostile_server.hpp"
#include "tests/support/text.hpp"
#include "tests/support/tls.hpp"
#include "tests/support/wait.hpp"

namespace genapp::monitor {
namespace {

namespace talk = tests::talk;
using common::Clock;
using testing::HasSubstr;
using testing::StartsWith;
using tests::HostileServer;
using namespace std::chrono_literals;

constexpr auto kPatience = 60s;    // only bounds a failing test
constexpr auto kDeadline = 200ms;  // of those that wait for it
// What two sockets' buffers can hold without anybody reading, and some.
constexpr std::size_t kMostPushed = 16 << 20;

CheckResult check(const HttpSettings& settings, Clock::duration wait = kPatience) {
  boost::asio::io_context io;
  Resolver resolver(io);
  std::unique_ptr<TlsContext> tls;
  if (settings.tls) tls = std::make_unique<TlsContext>(*settings.tls);
  CheckResult result;
  int told = 0;
  const auto running =
      start_http_check(io, resolver, settings, tls.get(), wait, [&](const CheckResult& found) {
        ++told;
        result = found;
      });
  EXPECT_EQ(told, 0) << "told from within the call";
  io.run_for(2 * kPatience);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(io.stopped()) << "nothing is left under way";
  return result;
}

HttpSettings settings_for(std::uint16_t port, const std::string& uri = "/") {
  HttpSettings settings;
  settings.server = {"127.0.0.1", port};
  settings.uri = uri;
  return settings;
}

// A server that reads the request and answers it.
tests::Talk answering(const std::string& answer) {
  return talk::scripted({{"", "\r\n\r\n"}, {answer, ""}});
}

CheckResult check_answer(const std::string& answer, HttpSettings settings = {}) {
  const HostileServer server(answering(answer));
  settings.server = {"127.0.0.1", server.port()};
  return check(settings);
}

void expect_fault(const CheckResult& result, Event event, int code, const std::string& reason) {
  ASSERT_TRUE(result.fault) << result.seen;
  EXPECT_EQ(result.fault->event, event) << result.fault->reason;
  EXPECT_EQ(result.fault->code, code);
  EXPECT_THAT(result.fault->reason, HasSubstr(reason));
}

void expect_late_check(const CheckResult& result, Event event, Clock::duration wait) {
  expect_fault(result, event, ETIMEDOUT, "");
  EXPECT_TRUE(result.fault && result.fault->timed_out);
  EXPECT_GE(result.took, wait);
  EXPECT_LT(result.took, 20s);
}

TEST(HttpRequest, IsWhatTheSeedAsksFor) {
  HttpSettings settings;
  EXPECT_EQ(http_request(settings),
            "HEAD / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: genapp-httpmon/" GENAPP_VERSION
            "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  settings.version = 10;
  settings.get = true;
  settings.uri = "/a?b=c";
  EXPECT_THAT(http_request(settings), StartsWith("GET /a?b=c HTTP/1.0\r\nHost: localhost\r\n"));
}

std::string host_of(const std::string& host, std::uint16_t port, bool tls = false,
                    const std::string& uri = "/") {
  HttpSettings settings;
  settings.server = {host, port};
  settings.uri = uri;
  if (tls) settings.tls.emplace();
  const std::string request = http_request(settings);
  const auto begin = request.find("Host: ") + 6;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

TEST(HttpRequest, HostHasThePortUnlessItGoesWithoutSaying) {
  EXPECT_EQ(host_of("example.org", 80), "example.org");
  EXPECT_EQ(host_of("example.org", 8080), "example.org:8080");
  EXPECT_EQ(host_of("example.org", 443), "example.org:443");
  EXPECT_EQ(host_of("example.org", 443, true), "example.org");
  EXPECT_EQ(host_of("example.org", 80, true), "example.org:80");
}

TEST(HttpRequest, HostPutsIpv6InBrackets) {
  EXPECT_EQ(host_of("::1", 80), "[::1]");
  EXPECT_EQ(host_of("[::1]", 8080), "[::1]:8080");
  EXPECT_EQ(host_of("fe80::1%eth0", 80), "[fe80::1]");
}

TEST(HttpRequest, AnAbsoluteUriSaysTheHost) {
  EXPECT_EQ(host_of("proxy", 3128, false, "http://example.org/x"), "example.org");
  EXPECT_EQ(host_of("proxy", 3128, false, "https://u:p@example.org:8443?x"), "example.org:8443");
  HttpSettings settings;
  settings.uri = "http://example.org/x";
  EXPECT_THAT(http_request(settings), StartsWith("HEAD http://example.org/x HTTP/1.1\r\n"));
}

TEST(HttpRequest, OwnHeadersReplaceOurs) {
  HttpSettings settings;
  settings.headers = {{"host", "other.example"}, {"X-One", "1"}, {"X-One", "2"}};
  const std::string request = http_request(settings);
  EXPECT_THAT(request, HasSubstr("\r\nhost: other.example\r\nX-One: 1\r\nX-One: 2\r\n"));
  EXPECT_EQ(request.find("Host: "), std::string::npos);
  EXPECT_THAT(request, HasSubstr("User-Agent: "));
}

TEST(HttpRequest, CredentialsAreBasic) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},  // RFC 7617, 2
      {"a:b", "YTpi"},
      {"a:bc", "YTpiYw=="},
      {"a:bcd", "YTpiY2Q="},
      {"a:\xff\xfe", "YTr//g=="},
  };
  for (const auto& [credentials, expected] : cases) {
    HttpSettings settings;
    settings.credentials = credentials;
    EXPECT_THAT(http_request(settings), HasSubstr("\r\nAuthorization: Basic " + expected + "\r\n"));
  }
}

TEST(HttpCheck, AHealthyServer) {
  const HostileServer server(answering("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"));
  const CheckResult result = check(settings_for(server.port()));
  EXPECT_FALSE(result.fault) << result.fault->reason;
  EXPECT_EQ(result.seen, "HTTP/1.1 200 OK");
  EXPECT_EQ(result.address, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_GT(result.took, 0ns);
  EXPECT_FALSE(result.certificate_days);
  EXPECT_EQ(server.received(), http_request(settings_for(server.port())));
}

TEST(HttpCheck, WithoutAUriAnyStatusIsWell) {
  for (const char* answer : {"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 500 x\r\n\r\n",
                             "HTTP/1.1\r\n\r\n", "HTTP/whatever\r\n", "HTTP/1.1 503 x"}) {
    EXPECT_FALSE(check_answer(answer).fault) << answer;
  }
}

TEST(HttpCheck, WithAnotherUriClientAndServerErrorsAreFaults) {
  HttpSettings settings;
  settings.uri = "/health";
  for (const int status : {100, 400, 404, 499, 500, 503, 599}) {
    const std::string line = "HTTP/1.1 " + std::to_string(status) + " x";
    const CheckResult result = check_answer(line + "\r\n\r\n", settings);
    if (status == 100) {
      // Interim; and then nothing.
      expect_fault(result, Event::invalid_response, 0, "ended the connection");
      continue;
    }
    expect_fault(result, Event::invalid_status, status, "the server answered \"" + line + "\"");
    EXPECT_EQ(result.seen, line);
  }
  for (const int status : {101, 200, 204, 301, 399, 600}) {
    const std::string line = "HTTP/1.1 " + std::to_string(status) + " x\r\n\r\n";
    EXPECT_FALSE(check_answer(line, settings).fault) << line;
  }
  expect_fault(check_answer("HTTP/1.1 OK\r\n\r\n", settings), Event::invalid_response, 0,
               "no status code");
}

TEST(HttpCheck, ExpectedStatusesReplaceTheRule) {
  for (const char* uri : {"/", "/x"}) {
    HttpSettings settings;
    settings.uri = uri;
    settings.expect_status = {{200, 200}, {401, 404}};
    for (const int status : {200, 401, 404}) {
      EXPECT_FALSE(
          check_answer("HTTP/1.1 " + std::to_string(status) + " x\r\n\r\n", settings).fault);
    }
    for (const int status : {201, 301, 400, 405, 500}) {
      expect_fault(check_answer("HTTP/1.1 " + std::to_string(status) + " x\r\n\r\n", settings),
                   Event::invalid_status, status, "the server answered");
    }
  }
}

TEST(HttpCheck, WhatIsNoHttpIsAFault) {
  const CheckResult result = check_answer("SSH-2.0-OpenSSH_9.2\r\n");
  expect_fault(result, Event::invalid_response, 0,
               "the answer does not begin with HTTP/: \"SSH-2.0-OpenSSH_9.2\"");
  EXPECT_EQ(result.seen, "SSH-2.0-OpenSSH_9.2");
  EXPECT_FALSE(result.fault->timed_out);
}

TEST(HttpCheck, SeenIsPrintableAndShort) {
  const CheckResult result =
      check_answer("HTTP/1.1 200 \x1b[31m\xff" + std::string(5000, 'x') + "\r\n\r\n");
  EXPECT_FALSE(result.fault);
  EXPECT_THAT(result.seen, StartsWith("HTTP/1.1 200 \\"));
  EXPECT_LT(result.seen.size(), 300u);
  for (const char c : result.seen) EXPECT_TRUE(c >= ' ' && c <= '~');
}

HttpSettings body_settings(const std::string& text = "") {
  HttpSettings settings;
  settings.get = true;
  settings.expect_body = text;
  return settings;
}

TEST(HttpCheck, ABodyIsLookedThrough) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world";
  EXPECT_FALSE(check_answer(answer, body_settings("o w")).fault);
  expect_fault(check_answer(answer, body_settings("World")), Event::unexpected_body, 0,
               "the body does not hold \"World\"");
}

TEST(HttpCheck, AShortBodyIsAFault) {
  expect_fault(check_answer("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello", body_settings()),
               Event::invalid_response, 0, "within the body, after 5 bytes");
}

TEST(HttpCheck, StatusIsJudgedBeforeTheBody) {
  HttpSettings settings = body_settings("hello");
  settings.uri = "/x";
  expect_fault(check_answer("HTTP/1.1 500 x\r\nContent-Length: 2\r\n\r\nno", settings),
               Event::invalid_status, 500, "");
}

TEST(HttpCheck, NobodyListens) {
  const tests::Port port;
  const CheckResult result = check(settings_for(port.number()));
  expect_fault(result, Event::connect_error, ECONNREFUSED, "ECONNREFUSED");
  EXPECT_EQ(result.seen, "");
  EXPECT_EQ(result.address, "127.0.0.1:" + port.text());
}

// Servers that do what no server should.

TEST(HttpCheck, ABlackHole) {
  const tests::BlackHole hole;
  expect_late_check(check(settings_for(hole.port()), kDeadline), Event::connect_error, kDeadline);
}

TEST(HttpCheck, ASilentServer) {
  const HostileServer server(talk::silent());
  const CheckResult result = check(settings_for(server.port()), kDeadline);
  expect_late_check(result, Event::select_error, kDeadline);
  EXPECT_THAT(result.fault->reason, StartsWith("waiting for the status line from 127.0.0.1:"));
}

TEST(HttpCheck, ADrip) {
  const HostileServer server(talk::drip("HTTP/1.1 200 " + std::string(10000, 'x'), 10ms));
  const CheckResult result = check(settings_for(server.port()), kDeadline);
  expect_late_check(result, Event::select_error, kDeadline);
  EXPECT_THAT(result.seen, StartsWith("H"));
}

TEST(HttpCheck, ADripThatGetsThere) {
  const HostileServer server(talk::drip("HTTP/1.1 200 OK\r\n", 1ms));
  EXPECT_FALSE(check(settings_for(server.port())).fault);
}

TEST(HttpCheck, AReset) {
  const HostileServer server(talk::resetting());
  expect_fault(check(settings_for(server.port())), Event::recv_error, ECONNRESET, "ECONNRESET");
}

TEST(HttpCheck, Garbage) {
  const HostileServer server(talk::garbage());
  const CheckResult result = check(settings_for(server.port()));
  expect_fault(result, Event::invalid_response, 0, "does not begin with HTTP/: \"\\");
  for (const char c : result.seen) EXPECT_TRUE(c >= ' ' && c <= '~');
}

TEST(HttpCheck, AnEndWithoutAnAnswer) {
  const HostileServer server(talk::scripted({{"", "\r\n\r\n"}}));
  expect_fault(check(settings_for(server.port())), Event::invalid_response, 0,
               "the server ended the connection without an answer");
}

TEST(HttpCheck, AnEndAtOnce) {
  const HostileServer server(talk::closing());
  const CheckResult result = check(settings_for(server.port()));
  // Whether the request still met an open socket is for the kernel to say.
  ASSERT_TRUE(result.fault);
  EXPECT_TRUE(result.fault->event == Event::invalid_response ||
              result.fault->event == Event::recv_error || result.fault->event == Event::send_error)
      << result.fault->reason;
  EXPECT_FALSE(result.fault->timed_out);
}

// A check of an endless server ends, and with it what the server can get rid of.
void expect_bounded(const HostileServer& server) {
  EXPECT_TRUE(tests::wait_until([&] { return server.conversations() == 0; }));
  EXPECT_LT(server.bytes_sent(), kMostPushed);
}

TEST(HttpCheck, AnEndlessHeader) {
  const HostileServer server(talk::endless("HTTP/1.1 200 OK\r\n", "X: y\r\n"));
  EXPECT_FALSE(check(settings_for(server.port())).fault) << "HEAD is judged by the first line";
  EXPECT_FALSE(check(settings_for(server.port(), "/x")).fault);
  HttpSettings get = settings_for(server.port());
  get.get = true;
  expect_fault(check(get), Event::invalid_response, 0, "the header has more than 65536 bytes");
  expect_bounded(server);
}

TEST(HttpCheck, AnEndlessFirstLine) {
  const HostileServer server(talk::endless("HTTP/1.1 200 ", "x"));
  EXPECT_FALSE(check(settings_for(server.port())).fault);
  EXPECT_FALSE(check(settings_for(server.port(), "/x")).fault);
  expect_bounded(server);
}

TEST(HttpCheck, EndlessInterimResponses) {
  const HostileServer server(talk::endless("", "HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_FALSE(check(settings_for(server.port())).fault);
  expect_fault(check(settings_for(server.port(), "/x")), Event::invalid_response, 0,
               "the header has more than 65536 bytes");
  expect_bounded(server);
}

TEST(HttpCheck, AnEndlessBody) {
  const HostileServer server(talk::endless("HTTP/1.1 200 OK\r\n\r\n", "x"));
  HttpSettings settings = settings_for(server.port());
  settings.get = true;
  EXPECT_FALSE(check(settings).fault) << "its first MiB is well";
  settings.expect_body = "y";
  expect_fault(check(settings), Event::unexpected_body, 0, "does not hold \"y\"");
  expect_bounded(server);
}

TEST(HttpCheck, ABodyThatStops) {
  const HostileServer server([](tests::Conversation& client) {
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello");
    client.hold();
  });
  HttpSettings settings = settings_for(server.port());
  settings.get = true;
  const CheckResult result = check(settings, kDeadline);
  expect_late_check(result, Event::select_error, kDeadline);
  EXPECT_THAT(result.fault->reason, StartsWith("waiting for the rest of the answer"));
  EXPECT_EQ(result.seen, "HTTP/1.1 200 OK");
}

TEST(HttpCheck, ADroppedCheckTellsNothing) {
  const HostileServer server(talk::silent());
  boost::asio::io_context io;
  Resolver resolver(io);
  const HttpSettings settings = settings_for(server.port());
  auto running = start_http_check(io, resolver, settings, nullptr, kPatience,
                                  [](const CheckResult&) { ADD_FAILURE(); });
  io.run_for(50ms);
  running.reset();
  io.restart();
  io.run_for(kPatience);
  EXPECT_TRUE(io.stopped());
}

TEST(HttpCheck, WhoIsToldMayDropTheCheck) {
  const HostileServer server(answering("HTTP/1.1 200 OK\r\n\r\n"));
  boost::asio::io_context io;
  Resolver resolver(io);
  const HttpSettings settings = settings_for(server.port());
  std::unique_ptr<Check> running;
  int told = 0;
  running = start_http_check(io, resolver, settings, nullptr, kPatience, [&](const CheckResult&) {
    running.reset();
    ++told;
  });
  io.run_for(kPatience);
  EXPECT_EQ(told, 1);
}

TEST(HttpCheck, ChecksOverlap) {
  const HostileServer server(answering("HTTP/1.1 200 OK\r\n\r\n"));
  const HostileServer silent(talk::silent());
  boost::asio::io_context io;
  Resolver resolver(io);
  const HttpSettings good = settings_for(server.port());
  const HttpSettings bad = settings_for(silent.port());
  std::vector<std::unique_ptr<Check>> running;
  std::string order;
  for (int i = 0; i < 8; ++i) {
    running.push_back(
        start_http_check(io, resolver, bad, nullptr, kDeadline,
                         [&](const CheckResult& result) { order += result.fault ? 'f' : '?'; }));
    running.push_back(
        start_http_check(io, resolver, good, nullptr, kPatience,
                         [&](const CheckResult& result) { order += result.fault ? '?' : 'o'; }));
  }
  io.run_for(kPatience);
  EXPECT_EQ(tests::count_of(order, "o"), 8u) << order;
  EXPECT_EQ(tests::count_of(order, "f"), 8u) << order;
}

TEST(HttpCheck, OverTls) {
  tests::Authority authority;
  const tests::TlsServer server(authority.issue("IP:127.0.0.1"), {"-www"});
  HttpSettings settings = settings_for(server.port(), "/x");
  settings.tls = TlsSettings{.ca_file = authority.file()};
  settings.get = true;
  settings.expect_body = "s_server";
  const CheckResult result = check(settings);
  EXPECT_FALSE(result.fault) << result.fault->reason;
  EXPECT_THAT(result.seen, StartsWith("HTTP/1.0 200 "));
  ASSERT_TRUE(result.certificate_days);
  EXPECT_GE(*result.certificate_days, 99);
}

TEST(HttpCheck, ARefusedCertificateStillHasItsDays) {
  tests::Authority authority;
  const tests::TlsServer server(authority.issue("IP:127.0.0.1", -1), {"-www"});
  HttpSettings settings = settings_for(server.port());
  settings.tls = TlsSettings{.ca_file = authority.file()};
  const CheckResult result = check(settings);
  expect_fault(result, Event::tls_error, 0, "certificate has expired");
  ASSERT_TRUE(result.certificate_days);
  EXPECT_LT(*result.certificate_days, 0);
}

}  // namespace
}  // namespace genapp::monitor
