#pragma once

// Prometheus's text format (version 0.0.4): families of samples with labels. Pure.

#include <string>
#include <string_view>

namespace genapp::common {

class PrometheusText {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  // `name="value"`, the value escaped. Several are joined by commas.
  static std::string label(std::string_view name, std::string_view value);

  // One family after the other, as the format wants it: what follows are its samples. `name` is the
  // whole name, `type` "gauge", "counter" or "summary", `help` a line.
  void family(std::string name, std::string_view type, std::string_view help);
  void sample(double value, std::string_view labels = {}, std::string_view suffix = {});

  std::string take() { return std::move(out_); }

 private:
  std::string name_{};
  std::string out_{};
};

}  // namespace genapp::common
