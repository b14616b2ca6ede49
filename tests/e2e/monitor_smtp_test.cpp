// smtpmon against a real mail server, Exim, whose log shows what it thought of us.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <optional>

#include "tests/e2e/monitors.hpp"
#include "tests/e2e/mta.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Arguments = Monitors::Arguments;

class SmtpServer : public testing::Test {
 protected:
  // Exim's daemon forks for each connection: what freezes it freezes its group.
  void start() {
    server_.emplace(mta.command());
    ASSERT_TRUE(wait_until([this] { return !mta.greeting().empty(); })) << server_->err();
    ASSERT_TRUE(server_->running());
  }
  // Exim writes to standard error when it is no user that may write its files.
  std::string log() const { return mta.log() + server_->err(); }
  void expect_no_complaint() const {
    for (const char* const part :
         {"] lost", "lost connection", "unexpected", "error", "rejected", "timeout"}) {
      EXPECT_EQ(count_of(log(), part), 0u) << log();
    }
  }
  void freeze() { ASSERT_EQ(::kill(-server_->pid(), SIGSTOP), 0); }
  void stop() {
    server_->signal(SIGKILL);
    server_->wait();
  }
  Result once(Arguments more) const {
    more.insert(more.begin(), {"-s", "127.0.0.1", "-n", mta.port_text()});
    return monitors.once(std::move(more));
  }
  Process watch(Arguments more = {"-i", "0.05", "-r", "20", "-c", "2"}) const {
    more.insert(more.begin(), {"-s", "127.0.0.1", "-n", mta.port_text()});
    return monitors.start(std::move(more));
  }

  Mta mta;
  Monitors monitors{"smtpmon"};

 private:
  std::optional<Process> server_;
};

TEST_F(SmtpServer, IsWatchedWithoutALineInItsLogThatComplains) {
  start();
  Process monitor = watch();
  ASSERT_TRUE(monitors.has_checked(20));
  EXPECT_EQ(monitors.number("failed"), 0);
  EXPECT_THAT(monitors.text("last.seen"), StartsWith("250 "));
  // Before the monitor ends: a connection that has no greeting yet can't be told good-bye.
  ASSERT_TRUE(wait_until([this] { return count_of(log(), "closed by QUIT") >= 20; }));
  expect_no_complaint();
  EXPECT_EQ(monitor.stop().exit_code, 0);
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2, 3));
  EXPECT_THAT(monitors.left(), IsEmpty());
}

TEST_F(SmtpServer, AStoppedOneIsJudgedFailed) {
  start();
  Process monitor = watch();
  ASSERT_TRUE(monitors.has_checked(2));
  stop();
  EXPECT_EQ(monitor.wait().exit_code, 2);
  // A check that was under way may have been cut off in another way, or have succeeded.
  EXPECT_THAT(numbers(monitor.out()),
              ElementsAre(1, 2, AnyOf(72, 74, 75, 82), AnyOf(72, 75, 82), 72, 6));
}

TEST_F(SmtpServer, AFrozenOneIsJudgedFailed) {
  start();
  Process monitor = watch({"-i", "0.1", "-r", "1", "-c", "1"});
  ASSERT_TRUE(monitors.has_checked(2));
  freeze();
  EXPECT_EQ(monitor.wait().exit_code, 2);
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2, 74, 74, 6));
}

TEST_F(SmtpServer, AGreetingThatRefusesIsQuoted) {
  mta.refuse_all();
  start();
  const Result result = once({});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("554 no service here"));
  Process monitor = watch({"-i", "0.05", "-r", "20", "-c", "1"});
  EXPECT_EQ(monitor.wait().exit_code, 2);
  EXPECT_THAT(numbers(monitor.out()), ElementsAre(1, 2, 83, 83, 6));
  EXPECT_THAT(told(monitor.out())[2].reason, HasSubstr("554 no service here"));
}

TEST_F(SmtpServer, WithoutTlsFailsWhereItIsAskedFor) {
  start();
  const Result result = once({"--starttls", "--insecure"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("STARTTLS"));
}

class SmtpTls : public SmtpServer {
 protected:
  void serve(const Certificate& certificate) {
    mta.serve_tls(certificate);
    start();
  }
  // Each way to TLS.
  std::vector<std::string> seen(const Arguments& more,
                                const std::string& host = "localhost") const {
    std::vector<std::string> out;
    for (const bool from_start : {false, true}) {
      Arguments all{"-s", host, "-n", from_start ? mta.tls_port_text() : mta.port_text(),
                    from_start ? "--smtps" : "--starttls"};
      all.insert(all.end(), more.begin(), more.end());
      out.push_back(monitors.once(all).out);
    }
    return out;
  }

  Authority authority;
};

TEST_F(SmtpTls, IsVerified) {
  serve(authority.issue(kLocalhost));
  EXPECT_THAT(seen({"--cafile", authority.file()}), Each(StartsWith("ok: 250 ")));
  EXPECT_THAT(seen({"--cafile", authority.file()}, "127.0.0.1"), Each(StartsWith("ok: 250 ")));
  EXPECT_EQ(once({}).exit_code, 0);  // in plain text still
  expect_no_complaint();
}

TEST_F(SmtpTls, OfAnUnknownAuthorityFails) {
  serve(authority.issue(kLocalhost));
  const Authority other;
  EXPECT_THAT(seen({}), Each(StartsWith("failed: ")));
  EXPECT_THAT(seen({"--cafile", other.file()}), Each(HasSubstr("certificate")));
  EXPECT_THAT(seen({"--insecure"}), Each(StartsWith("ok: 250 ")));
}

TEST_F(SmtpTls, AnExpiredOrAnothersCertificateFails) {
  serve(authority.issue("DNS:other.test", -1));
  EXPECT_THAT(seen({"--cafile", authority.file(), "--tls-name", "other.test"}),
              Each(HasSubstr("expired")));
  EXPECT_THAT(seen({"--cafile", authority.file()}), Each(StartsWith("failed: ")));
}

TEST_F(SmtpTls, IsWatchedWithItsCertificate) {
  serve(authority.issue(kLocalhost, 10));
  Process monitor = watch({"-i", "0.1", "-r", "20", "--starttls", "--cafile", authority.file()});
  ASSERT_TRUE(monitors.has_checked(10));
  EXPECT_THAT(monitors.number("certificate_days"), AnyOf(9, 10));
  EXPECT_EQ(monitors.number("failed"), 0);
  ASSERT_TRUE(wait_until([this] { return count_of(log(), "closed by QUIT") >= 10; }));
  // Before the monitor ends: a handshake that is cut off then can't be told good-bye.
  expect_no_complaint();
  EXPECT_EQ(monitor.stop().exit_code, 0);
  // Once for each number of days, and the tenth day may end meanwhile.
  EXPECT_THAT(numbers(monitor.out()),
              AnyOf(ElementsAre(1, 2, 102, 3), ElementsAre(1, 2, 102, 102, 3)));
}

}  // namespace
}  // namespace genapp::tests
