#include "remote/ended.hpp"

#include <charconv>

namespace genapp::remote {
namespace {

constexpr std::string_view kCode = "code ";
constexpr std::string_view kSignal = "signal ";

}  // namespace

std::string format_ended(const common::Ending& ending) {
  std::string text(ending.signalled ? kSignal : kCode);
  return text + std::to_string(ending.number) + "\n";
}

std::optional<common::Ending> parse_ended(std::string_view text) {
  common::Ending ending;
  ending.signalled = text.starts_with(kSignal);
  if (!ending.signalled && !text.starts_with(kCode)) return std::nullopt;
  text.remove_prefix(ending.signalled ? kSignal.size() : kCode.size());
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > 255) return std::nullopt;
  if (std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)) != "\n") {
    return std::nullopt;
  }
  ending.number = static_cast<int>(number);
  return ending;
}

}  // namespace genapp::remote
