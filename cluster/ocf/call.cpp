#include "cluster/ocf/call.hpp"

#include <array>
#include <charconv>

#include "common/printable.hpp"

namespace genapp::ocf {
namespace {

struct Row {
  std::string_view word;
  Action action;
};

// reload is what OCF 1.0 calls it; status is monitor's older name.
constexpr std::array kActions{
    Row{"start", Action::start},           Row{"stop", Action::stop},
    Row{"monitor", Action::monitor},       Row{"status", Action::monitor},
    Row{"validate-all", Action::validate}, Row{"meta-data", Action::metadata},
    Row{"reload-agent", Action::reload},   Row{"reload", Action::reload},
};

long long read_number(const Environment& environment, const std::string& variable) {
  const auto text = environment(variable);
  if (!text || text->empty()) return 0;
  long long value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0 ||
      value > 1'000'000'000'000) {
    throw Refusal(Code::arguments,
                  "environment variable " + variable + " is " + common::quoted(*text));
  }
  return value;
}

}  // namespace

Action parse_action(std::string_view word) {
  std::string known;
  for (const Row& row : kActions) {
    if (row.word == word) return row.action;
    known += (known.empty() ? "" : ", ") + std::string(row.word);
  }
  throw Refusal(Code::unimplemented,
                "there is no action " + common::quoted(word) + "; there are: " + known);
}

Call read_call(const Environment& environment) {
  const std::string name = environment("OCF_RESOURCE_INSTANCE").value_or("");
  if (!common::is_identifier(name)) {
    throw Refusal(Code::arguments, "OCF_RESOURCE_INSTANCE, the resource's name, is " +
                                       common::quoted(name) +
                                       ": 1 to 64 letters, digits and _ . : @ - are needed");
  }
  return {
      .tag = common::Tag(name),
      .id = common::Id(name),
      .interval =
          std::chrono::milliseconds(read_number(environment, "OCF_RESKEY_CRM_meta_interval")),
      .timeout = std::chrono::milliseconds(read_number(environment, "OCF_RESKEY_CRM_meta_timeout")),
      .check_level = static_cast<int>(read_number(environment, "OCF_CHECK_LEVEL")),
  };
}

}  // namespace genapp::ocf
