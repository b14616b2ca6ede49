#include "monitor/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <thread>

#include "common/error.hpp"
#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::monitor {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Metrics example_metrics() {
  Metrics metrics;
  metrics.status.id = "web";
  metrics.status.command = "httpmon";
  metrics.status.server = "http://a\"b\\:80/";
  metrics.status.state = "monitoring";
  metrics.status.checks = 7;
  metrics.status.failed = 2;
  return metrics;
}

TEST(Metrics, AreInPrometheussTextFormat) {
  Metrics metrics = example_metrics();
  metrics.status.last = LastCheck{true, 0, 1, "", "", {}};
  metrics.status.certificate_days = 12;
  metrics.last_check = common::WallClock::time_point(1'500'000'000'500ms);
  metrics.times = ResponseTimes::Summary{1ms, 2ms, 30ms, 4ms, 50ms, 5};
  const std::string labels = "{id=\"web\",command=\"httpmon\",server=\"http://a\\\"b\\\\:80/\"";
  EXPECT_EQ(metrics_text(metrics),
            "# HELP genapp_monitor_up 1 when the last check was healthy, else 0.\n"
            "# TYPE genapp_monitor_up gauge\n"
            "genapp_monitor_up" +
                labels +
                "} 1\n"
                "# HELP genapp_monitor_checks_total Checks that were judged.\n"
                "# TYPE genapp_monitor_checks_total counter\n"
                "genapp_monitor_checks_total" +
                labels +
                "} 7\n"
                "# HELP genapp_monitor_failures_total Checks that failed.\n"
                "# TYPE genapp_monitor_failures_total counter\n"
                "genapp_monitor_failures_total" +
                labels +
                "} 2\n"
                "# HELP genapp_monitor_pending_failures Failures that count at the moment.\n"
                "# TYPE genapp_monitor_pending_failures gauge\n"
                "genapp_monitor_pending_failures" +
                labels +
                "} 0\n"
                "# HELP genapp_monitor_paused 1 when monitoring is suspended, else 0.\n"
                "# TYPE genapp_monitor_paused gauge\n"
                "genapp_monitor_paused" +
                labels +
                "} 0\n"
                "# HELP genapp_monitor_last_check_timestamp_seconds When the last check ended.\n"
                "# TYPE genapp_monitor_last_check_timestamp_seconds gauge\n"
                "genapp_monitor_last_check_timestamp_seconds" +
                labels +
                "} 1500000000.5\n"
                "# HELP genapp_monitor_response_seconds How long healthy answers took; quantiles "
                "of the last 256.\n"
                "# TYPE genapp_monitor_response_seconds summary\n"
                "genapp_monitor_response_seconds" +
                labels +
                ",quantile=\"0.5\"} 0.002\n"
                "genapp_monitor_response_seconds" +
                labels +
                ",quantile=\"0.99\"} 0.03\n"
                "genapp_monitor_response_seconds_sum" +
                labels +
                "} 0.05\n"
                "genapp_monitor_response_seconds_count" +
                labels +
                "} 5\n"
                "# HELP genapp_monitor_certificate_days Days until the certificate expires.\n"
                "# TYPE genapp_monitor_certificate_days gauge\n"
                "genapp_monitor_certificate_days" +
                labels + "} 12\n");
}

TEST(Metrics, SayNothingOfWhatIsNotKnownYet) {
  const std::string text = metrics_text(example_metrics());
  EXPECT_THAT(text, Not(HasSubstr("genapp_monitor_up")));
  EXPECT_THAT(text, Not(HasSubstr("response_seconds")));
  EXPECT_THAT(text, Not(HasSubstr("certificate")));
}

TEST(Metrics, APausedMonitorSaysSo) {
  Metrics metrics = example_metrics();
  metrics.status.state = "paused";
  EXPECT_THAT(metrics_text(metrics), HasSubstr("server=\"http://a\\\"b\\\\:80/\"} 1\n"));
}

// The server in a loop of its own.
class Served {
 public:
  Served() : server_(io_, port_.number(), [this] { return "answer " + std::to_string(++asked_); }) {
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Served() {
    io_.stop();
    thread_.join();
  }
  std::uint16_t port() const { return port_.number(); }

 private:
  tests::Port port_;
  boost::asio::io_context io_;
  int asked_ = 0;
  MetricsServer server_;
  std::thread thread_;
};

TEST(MetricsServer, AnswersEachScrapeWithTheTextAsItIsThen) {
  Served served;
  const auto first = tests::probe(served.port(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(first.ended);
  EXPECT_THAT(first.bytes, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(first.bytes, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(first.bytes, EndsWith("\r\n\r\nanswer 1"));
  EXPECT_THAT(tests::probe(served.port(), "GET / HTTP/1.0\r\n\r\n").bytes, EndsWith("answer 2"));
}

TEST(MetricsServer, OneWhoAsksSlowlyOrTooMuchKeepsNobodyOut) {
  Served served;
  tests::Client silent("127.0.0.1", served.port());
  EXPECT_THAT(tests::probe(served.port(), "GET / HTTP/1.0\r\n\r\n").bytes, EndsWith("answer 1"));
  const auto flood = tests::probe(served.port(), std::string(20'000, 'x'));
  EXPECT_EQ(flood.bytes, "");
  const auto ended = silent.receive();
  EXPECT_TRUE(ended.ended) << "after its second";
  EXPECT_EQ(ended.bytes, "");
}

TEST(MetricsServer, APortInUseIsAnErrorThatNamesIt) {
  Served served;
  boost::asio::io_context io;
  try {
    MetricsServer second(io, served.port(), [] { return ""; });
    FAIL() << "the port was had twice";
  } catch (const common::Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("port " + std::to_string(served.port())));
    EXPECT_EQ(problem.error_number(), EADDRINUSE);
  }
}

TEST(WriteMetrics, ReplacesTheFileAndLetsAllRead) {
  tests::TempDir folder;
  write_metrics(folder / "web.prom", "one");
  write_metrics(folder / "web.prom", "two");
  EXPECT_EQ(tests::read_file(folder / "web.prom"), "two");
  struct stat info {};
  ASSERT_EQ(::stat((folder / "web.prom").c_str(), &info), 0);
  EXPECT_EQ(
      info.st_mode & 0777, 0644u & ~[] {
        const mode_t mask = ::umask(0);
        ::umask(mask);
        return mask;
      }());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(WriteMetrics, SaysWhichFolderIsMissing) {
  tests::TempDir folder;
  try {
    write_metrics(folder / "none/web.prom", "x");
    FAIL();
  } catch (const common::Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr(folder / "none"));
  }
}

}  // namespace
}  // namespace genapp::monitor
