#include "common/prometheus.hpp"

#include <charconv>
#include <utility>

namespace genapp::common {
namespace {

std::string number(double value) {
  char out[64];
  const auto end = std::to_chars(out, out + sizeof out, value).ptr;
  return {out, end};
}

}  // namespace

std::string PrometheusText::label(std::string_view name, std::string_view value) {
  std::string out = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

void PrometheusText::family(std::string name, std::string_view type, std::string_view help) {
  name_ = std::move(name);
  out_.append("# HELP ").append(name_).append(" ").append(help);
  out_.append("\n# TYPE ").append(name_).append(" ").append(type).append("\n");
}

void PrometheusText::sample(double value, std::string_view labels, std::string_view suffix) {
  out_.append(name_).append(suffix);
  if (!labels.empty()) out_.append("{").append(labels).append("}");
  out_.append(" ").append(number(value)).append("\n");
}

}  // namespace genapp::common
