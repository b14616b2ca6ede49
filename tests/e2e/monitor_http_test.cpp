// httpmon against real web servers of two makes (web_server.hpp), and two makes of TLS with them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/monitors.hpp"
#include "tests/e2e/web_server.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Arguments = Monitors::Arguments;

class HttpServers : public testing::TestWithParam<WebServer::Make> {
 protected:
  Arguments at(Arguments more, const std::string& host = "127.0.0.1") const {
    more.insert(more.begin(), {"-s", host, "-n", server.port_text()});
    return more;
  }
  // One check, whose answer may take long on a busy machine; the words that it prints.
  std::string seen(Arguments more, const std::string& host = "127.0.0.1") const {
    return monitors.once(at(std::move(more), host)).out;
  }
  // Fast, and patient.
  Process watch(Arguments more) const {
    more.insert(more.end(), {"-i", "0.05", "-r", "20", "-c", "2"});
    return monitors.start(at(std::move(more)));
  }

  WebServer server{GetParam()};
  Monitors monitors{"httpmon"};
};

MATCHER(IsHealthy, "") { return arg.starts_with("ok: HTTP/1."); }
MATCHER_P(FailsWith, reason, "") {
  return arg.starts_with("failed: ") && arg.find(reason) != std::string::npos;
}

TEST_P(HttpServers, AreWatchedUntilTheMonitorIsStopped) {
  server.start();
  Process monitor = watch({});
  ASSERT_TRUE(monitors.has_checked(20));
  EXPECT_EQ(monitors.number("failed"), 0);
  EXPECT_EQ(monitors.text("last.seen"), "HTTP/1.1 200 OK");
  EXPECT_GT(monitors.number("response_ms.p50"), 0);
  EXPECT_EQ(monitors.run({"--stop"}).exit_code, 0);
  EXPECT_EQ(monitor.wait().exit_code, 0);
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2, 3));
  EXPECT_THAT(monitors.left(), IsEmpty());
}

// The seed's rule: without a request URI, any answer is one.
TEST_P(HttpServers, AFrontPageThatIsMissingOrBrokenPasses) {
  for (const int status : {404, 500}) {
    WebServer other(GetParam());
    other.front(status);
    other.start();
    const std::string code = std::to_string(status);
    const Arguments where{"-s", "127.0.0.1", "-n", other.port_text()};
    EXPECT_THAT(monitors.once(where).out, HasSubstr("ok: HTTP/1.1 " + code));
    Arguments strict = where;
    strict.insert(strict.end(), {"--expect-status", "200-399"});
    EXPECT_THAT(monitors.once(strict).out, FailsWith(code));
  }
}

TEST_P(HttpServers, AnotherPageThatIsMissingOrBrokenFails) {
  server.start();
  EXPECT_THAT(seen({"-h", "/index.html"}), IsHealthy());
  EXPECT_THAT(seen({"-h", "/missing"}), FailsWith("404"));
  EXPECT_THAT(seen({"-h", "/broken"}), FailsWith("500"));
  EXPECT_EQ(monitors.once(at({"-h", "/index.html"})).exit_code, 0);
  EXPECT_EQ(monitors.once(at({"-h", "/missing"})).exit_code, 1);
}

TEST_P(HttpServers, AnExpectedStatusReplacesTheRules) {
  server.start();
  EXPECT_THAT(seen({"--expect-status", "404,410", "-h", "/missing"}),
              HasSubstr("ok: HTTP/1.1 404"));
  EXPECT_THAT(seen({"--expect-status", "404,410"}), FailsWith("200"));
  EXPECT_THAT(seen({"--expect-status", "100-199,200"}), IsHealthy());
}

TEST_P(HttpServers, TheBodyIsLookedAt) {
  server.start();
  EXPECT_THAT(seen({"--expect-body", "hello, world"}), IsHealthy());
  EXPECT_THAT(seen({"--expect-body", "hello, moon"}), FailsWith("hello, moon"));
  EXPECT_THAT(seen({"--method", "GET"}), IsHealthy());
  EXPECT_THAT(seen({"--method", "GET", "-v", "1.0"}), IsHealthy());
  EXPECT_THAT(seen({"-v", "1.0"}), IsHealthy());
}

TEST_P(HttpServers, APasswordIsSent) {
  server.start();
  const TempDir folder;
  write_file(folder / "user", "somebody:secret\n");
  EXPECT_THAT(seen({"-h", "/private"}), FailsWith("401"));
  EXPECT_THAT(seen({"-h", "/private", "--user", "somebody:secret"}), IsHealthy());
  EXPECT_THAT(seen({"-h", "/private", "--user-file", folder / "user"}), IsHealthy());
  EXPECT_THAT(seen({"-h", "/private", "--user", "somebody:else"}), FailsWith("401"));
}

// localhost is both loopback addresses; a server often listens on one.
TEST_P(HttpServers, LocalhostIsWhicheverAddressAnswers) {
  for (const char* const address : {"127.0.0.1", "::1"}) {
    ASSERT_TRUE(*address != ':' || has_ipv6()) << "needs a host whose loopback has IPv6";
    WebServer one(GetParam());
    one.listen_on(address);
    one.start();
    const std::string out = monitors.once({"-n", one.port_text()}).out;
    EXPECT_THAT(out, IsHealthy());
    EXPECT_THAT(out, HasSubstr(address));
  }
}

TEST_P(HttpServers, AreReachedOverIpv6) {
  ASSERT_TRUE(has_ipv6()) << "needs a host whose loopback has IPv6";
  server.start();
  EXPECT_THAT(seen({}, "::1"), IsHealthy());
  EXPECT_THAT(seen({}, "[::1]"), IsHealthy());
}

TEST_P(HttpServers, AStoppedOneIsJudgedFailed) {
  server.start();
  Process monitor = watch({});
  ASSERT_TRUE(monitors.has_checked(2));
  server.stop();
  EXPECT_EQ(monitor.wait().exit_code, 2);
  // A check that was under way may have been cut off in another way.
  EXPECT_THAT(numbers(monitor.out()),
              ElementsAre(1, 2, AnyOf(72, 74, 75, 82), AnyOf(72, 75, 82), 72, 6));
  EXPECT_THAT(told(monitor.out())[4].reason, HasSubstr("ECONNREFUSED"));
  EXPECT_THAT(monitors.left(), IsEmpty());
}

// The kernel still accepts connections: only the answer does not come.
TEST_P(HttpServers, AFrozenOneIsJudgedFailed) {
  server.start();
  Process monitor = monitors.start(at({"-i", "0.1", "-r", "1", "-c", "1"}));
  ASSERT_TRUE(monitors.has_checked(2));
  server.freeze();
  EXPECT_EQ(monitor.wait().exit_code, 2);
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2, 74, 74, 6));
}

TEST_P(HttpServers, AFrozenOneIsJudgedFailedAtOnceIfThatIsAsked) {
  server.start();
  Process monitor =
      monitors.start(at({"-i", "0.1", "-r", "1", "-c", "10000", "--no-retry-on-timeout"}));
  ASSERT_TRUE(monitors.has_checked(2));
  server.freeze();
  EXPECT_EQ(monitor.wait().exit_code, 2);
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2, 74, 6));
}

TEST_P(HttpServers, AStallThatEndsInTimeIsForgotten) {
  server.start();
  Process monitor = monitors.start(at({"-i", "0.1", "-r", "0.5", "-c", "10000"}));
  ASSERT_TRUE(monitors.has_checked(2));
  server.freeze();
  ASSERT_TRUE(wait_until([&] { return monitors.number("pending_failures") >= 2; }));
  server.thaw();
  ASSERT_TRUE(wait_until([&] { return monitors.number("pending_failures") == 0; }));
  EXPECT_THAT(numbers(monitor.out()), Contains(104));  // answers again
  EXPECT_TRUE(monitor.running());
}

class HttpsServers : public HttpServers {
 protected:
  void serve(const Certificate& certificate) {
    server.serve_tls(certificate);
    server.start();
  }
  // As localhost, by name.
  std::string seen_by(Arguments more) const {
    more.insert(more.begin(), "--https");
    return seen(std::move(more), "localhost");
  }
  Arguments trusting(Arguments more = {}) const {
    more.insert(more.end(), {"--cafile", authority.file()});
    return more;
  }

  Authority authority;
};

TEST_P(HttpsServers, AreVerified) {
  serve(authority.issue(kLocalhost));
  EXPECT_THAT(seen_by(trusting()), IsHealthy());
  EXPECT_THAT(seen_by(trusting({"--expect-body", "hello"})), IsHealthy());
  EXPECT_THAT(seen_by(trusting({"-h", "/missing"})), FailsWith("404"));
  EXPECT_THAT(seen({"--https", "--cafile", authority.file()}), IsHealthy());  // 127.0.0.1
}

TEST_P(HttpsServers, OfAnUnknownAuthorityFail) {
  serve(authority.issue(kLocalhost));
  const Authority other;
  EXPECT_THAT(seen_by({}), FailsWith("certificate"));
  EXPECT_THAT(seen_by({"--cafile", other.file()}), FailsWith("certificate"));
  EXPECT_THAT(seen_by({"--insecure"}), IsHealthy());
}

TEST_P(HttpsServers, AnExpiredCertificateFails) {
  serve(authority.issue(kLocalhost, -1));
  EXPECT_THAT(seen_by(trusting()), FailsWith("expired"));
  EXPECT_THAT(seen_by({"--insecure"}), IsHealthy());
}

TEST_P(HttpsServers, AnothersCertificateFails) {
  serve(authority.issue("DNS:other.test"));
  EXPECT_THAT(seen_by(trusting()), FailsWith("localhost"));
  EXPECT_THAT(seen_by(trusting({"--tls-name", "other.test"})), IsHealthy());
  EXPECT_THAT(seen_by(trusting({"--tls-name", "third.test"})), FailsWith("third.test"));
}

TEST_P(HttpsServers, WithoutTlsFail) {
  server.start();
  EXPECT_THAT(seen_by({"--insecure"}), FailsWith(""));
}

TEST_P(HttpsServers, AFailureIsToldWithItsOwnEvent) {
  serve(authority.issue(kLocalhost));
  Process monitor = watch({"--https"});
  EXPECT_EQ(monitor.wait().exit_code, 2);
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2, 101, 101, 101, 6));
}

TEST_P(HttpsServers, ACertificateThatEndsSoonIsToldAndNoFailure) {
  serve(authority.issue(kLocalhost, 10));
  Process monitor = watch(trusting({"--https"}));
  ASSERT_TRUE(monitors.has_checked(10));
  EXPECT_THAT(monitors.number("certificate_days"), AnyOf(9, 10));
  EXPECT_EQ(monitors.number("failed"), 0);
  // Once for each number of days, and the tenth day may end meanwhile.
  EXPECT_THAT(numbers(monitor.out()), AnyOf(ElementsAre(1, 2, 102), ElementsAre(1, 2, 102, 102)));
  EXPECT_EQ(monitor.stop().exit_code, 0);
}

TEST_P(HttpsServers, ACertificateThatLastsIsNotTold) {
  serve(authority.issue(kLocalhost, 30));
  Process monitor = watch(trusting({"--https"}));
  ASSERT_TRUE(monitors.has_checked(3));
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2));
}

std::string name_of(const testing::TestParamInfo<WebServer::Make>& make) {
  return make.param == WebServer::Make::nginx ? "Nginx" : "Lighttpd";
}

INSTANTIATE_TEST_SUITE_P(, HttpServers,
                         testing::Values(WebServer::Make::nginx, WebServer::Make::lighttpd),
                         name_of);
INSTANTIATE_TEST_SUITE_P(, HttpsServers,
                         testing::Values(WebServer::Make::nginx, WebServer::Make::lighttpd),
                         name_of);

}  // namespace
}  // namespace genapp::tests
