#pragma once

// A monitor's figures in Prometheus's text format (version 0.0.4), for a scrape or a file.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/clock.hpp"
#include "monitor/response_times.hpp"
#include "monitor/status.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::monitor {

struct Metrics {
  Status status;
  std::optional<ResponseTimes::Summary> times{};
  std::optional<common::WallClock::time_point> last_check{};  // when the last one ended
};

// Pure.
std::string metrics_text(const Metrics& metrics);

// Answers HTTP requests on 127.0.0.1:PORT, each with the text as it is then
// (common/request_server.hpp).
class MetricsServer {
 public:
  // Throws common::Error naming the port when it can't be had.
  MetricsServer(boost::asio::io_context& io, std::uint16_t port, std::function<std::string()> text);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Replaces the file, in one step and readable by all: what Prometheus's node exporter reads. Throws
// common::Error.
void write_metrics(const std::string& path, const std::string& text);

}  // namespace genapp::monitor
