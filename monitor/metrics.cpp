#include "monitor/metrics.hpp"

#include "common/directory.hpp"
#include "common/prometheus.hpp"

namespace genapp::monitor {
namespace {

using common::PrometheusText;

// The families, each with the monitor's labels.
class Text {
 public:
  explicit Text(const Status& status)
      : labels_(PrometheusText::label("id", status.id) + "," +
                PrometheusText::label("command", status.command) + "," +
                PrometheusText::label("server", status.server)) {}

  void family(const std::string& name, const char* type, const char* help) {
    text_.family("genapp_monitor_" + name, type, help);
  }
  void sample(double value, const std::string& suffix = "", const std::string& more = "") {
    text_.sample(value, labels_ + more, suffix);
  }
  void one(const std::string& name, const char* type, const char* help, double value) {
    family(name, type, help);
    sample(value);
  }
  std::string take() { return text_.take(); }

 private:
  std::string labels_;
  PrometheusText text_{};
};

double seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

void add_times(Text& text, const ResponseTimes::Summary& times) {
  text.family("response_seconds", "summary",
              "How long healthy answers took; quantiles of the last 256.");
  text.sample(seconds(times.p50), "", ",quantile=\"0.5\"");
  text.sample(seconds(times.p99), "", ",quantile=\"0.99\"");
  text.sample(seconds(times.sum), "_sum");
  text.sample(static_cast<double>(times.count), "_count");
}

}  // namespace

std::string metrics_text(const Metrics& metrics) {
  const Status& status = metrics.status;
  Text text(status);
  if (status.last) {
    text.one("up", "gauge", "1 when the last check was healthy, else 0.", status.last->ok ? 1 : 0);
  }
  text.one("checks_total", "counter", "Checks that were judged.",
           static_cast<double>(status.checks));
  text.one("failures_total", "counter", "Checks that failed.", static_cast<double>(status.failed));
  text.one("pending_failures", "gauge", "Failures that count at the moment.",
           static_cast<double>(status.pending_failures));
  text.one("paused", "gauge", "1 when monitoring is suspended, else 0.",
           status.state == "paused" ? 1 : 0);
  if (metrics.last_check) {
    text.one("last_check_timestamp_seconds", "gauge", "When the last check ended.",
             std::chrono::duration<double>(metrics.last_check->time_since_epoch()).count());
  }
  if (metrics.times) add_times(text, *metrics.times);
  if (status.certificate_days) {
    text.one("certificate_days", "gauge", "Days until the certificate expires.",
             *status.certificate_days);
  }
  return text.take();
}

void write_metrics(const std::string& path, const std::string& text) {
  const auto slash = path.rfind('/');
  const auto directory =
      common::Directory::open(slash == 0 ? "/" : path.substr(0, slash), "directory of --metrics",
                              common::Directory::Symlink::follow);
  directory.write(path.substr(slash + 1), text, common::Directory::Durability::visible,
                  common::Directory::Existing::replace, 0644);
}

}  // namespace genapp::monitor
