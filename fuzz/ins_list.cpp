// What LifeKeeper's ins_list prints about a resource, and LifeKeeper's KEY=value settings.

#include "cluster/ins_list.hpp"

#include <algorithm>

#include "cluster/shell_settings.hpp"
#include "common/printable.hpp"
#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

constexpr char kSeparator = '\x01';

// A second reading, by other means: the line's fields by counting separators.
std::string field_of(const std::string& line, int wanted) {
  std::string field;
  int at = 0;
  for (const char c : line) {
    if (c == kSeparator) {
      ++at;
    } else if (at == wanted) {
      field += c;
    }
  }
  return field;
}

void check_record(const cluster::InsListRecord& read, std::string_view input) {
  auto lines = lines_of(input);
  std::erase(lines, "");
  require(lines.size() == 1, "a record is the only line");
  require(field_of(lines[0], 3) == "lb", "a record is the tag's own");
  require(field_of(lines[0], 4) == read.id, "the id is field 4");
  require(field_of(lines[0], 5) == read.info, "the info is field 5, byte for byte");
  require(field_of(lines[0], 6) == common::state_text(read.state), "the state is field 6");
  const auto longer = cluster::parse_ins_list(common::Tag("lb"), lines[0] + kSeparator + "x\n");
  require(longer.id == read.id && longer.info == read.info && longer.state == read.state,
          "a further field changes nothing");
}

void check_ins_list(std::string_view input) {
  cluster::InsListRecord read;
  const std::string problem =
      refusal([&] { read = cluster::parse_ins_list(common::Tag("lb"), input); });
  if (problem.empty()) check_record(read, input);
}

void check_settings(std::string_view input) {
  const auto found = cluster::find_assignment(input, "HC_TIMEOUT");
  if (!found) return;
  require(input.find("HC_TIMEOUT=") != std::string_view::npos, "what is found stands there");
  require(found->line >= 1 && found->line <= 1 + std::count(input.begin(), input.end(), '\n'),
          "an assignment is on a line of the file");
  require(found->value.size() <= input.size(), "reading makes nothing longer");
  const std::string before = "HC_TIMEOUT=before\n" + std::string(input);
  const auto again = cluster::find_assignment(before, "HC_TIMEOUT");
  require(again && again->value == found->value && again->line == found->line + 1,
          "the last assignment holds");
}

}  // namespace

void check(std::string_view input) {
  check_ins_list(input);
  check_settings(input);
}

}  // namespace genapp::fuzz
