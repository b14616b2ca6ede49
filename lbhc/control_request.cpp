#include "lbhc/control_request.hpp"

#include <charconv>
#include <cmath>

namespace genapp::lbhc {
namespace {

// The seconds after `word`; nothing when the line is something else, or not from 0 to `most`.
std::optional<common::Clock::duration> length_after(std::string_view word, std::string_view line,
                                                    std::chrono::seconds most) {
  if (!line.starts_with(word)) return std::nullopt;
  line.remove_prefix(word.size());
  double seconds = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), seconds);
  if (error != std::errc() || end != line.data() + line.size() || !std::isfinite(seconds) ||
      seconds < 0 || seconds > static_cast<double>(most.count())) {
    return std::nullopt;
  }
  return std::chrono::round<common::Clock::duration>(std::chrono::duration<double>(seconds));
}

std::optional<std::uint16_t> port_after(std::string_view word, std::string_view line) {
  if (!line.starts_with(word)) return std::nullopt;
  line.remove_prefix(word.size());
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), port);
  if (error != std::errc() || end != line.data() + line.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::optional<ControlRequest> parse_control_request(std::string_view line) {
  if (line == "status") return ControlRequest{};
  if (const auto length = length_after("drain ", line, kMostDrain)) {
    return ControlRequest{ControlRequest::Kind::drain, *length, 0};
  }
  if (const auto length = length_after("ignore ", line, kMostIgnore)) {
    return ControlRequest{ControlRequest::Kind::ignore, *length, 0};
  }
  if (const auto length = length_after("check ", line, kMostLease)) {
    return ControlRequest{ControlRequest::Kind::check, *length, 0};
  }
  if (const auto port = port_after("own-probe ", line)) {
    return ControlRequest{ControlRequest::Kind::own_probe, {}, *port};
  }
  return std::nullopt;
}

}  // namespace genapp::lbhc
