#include "agent/notice.hpp"

#include <array>

namespace genapp::agent {
namespace {

// Each in the order of its enumeration.
constexpr std::array<std::string_view, 10> kNoticeKinds{"state",    "command",  "fault",  "restart",
                                                        "monitor",  "fallover", "method", "adopted",
                                                        "settings", "agent"};
constexpr std::array<std::string_view, 3> kSeverities{"info", "warning", "error"};

}  // namespace

std::string_view name_of(NoticeKind kind) {
  return kNoticeKinds.at(static_cast<std::size_t>(kind));
}
std::string_view name_of(Severity severity) {
  return kSeverities.at(static_cast<std::size_t>(severity));
}

}  // namespace genapp::agent
