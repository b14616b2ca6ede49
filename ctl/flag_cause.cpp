#include "ctl/flag_cause.hpp"

#include <boost/json.hpp>

namespace genapp::ctl {

namespace json = boost::json;

std::optional<std::string> flag_cause(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* cause = object ? object->if_contains("cause") : nullptr;
  const auto* text = cause ? cause->if_string() : nullptr;
  return text ? std::optional<std::string>(std::string_view(*text)) : std::nullopt;
}

}  // namespace genapp::ctl
