#include "cluster/ins_list.hpp"

#include <array>
#include <optional>
#include <vector>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::cluster {
namespace {

using common::Error;
using common::quoted;
using common::Tag;

constexpr char kSeparator = '\x01';
constexpr std::size_t kTag = 3;
constexpr std::size_t kId = 4;
constexpr std::size_t kInfo = 5;
constexpr std::size_t kState = 6;
constexpr std::size_t kLeastFields = kState + 1;

struct Code {
  int number;
  std::string_view meaning;
};

// The exit codes of LifeKeeper's ins_ and other commands.
constexpr std::array kCodes{
    Code{1, "system error"},   Code{2, "syntax error"},     Code{3, "internal error"},
    Code{4, "object exists"},  Code{5, "illegal argument"}, Code{6, "index out of range"},
    Code{7, "no such object"}, Code{8, "dependency error"}, Code{9, "remote communication error"},
};
constexpr int kNoSuchObject = 7;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string see(const Tag& tag) { return "; see 'ins_list -t " + tag.text() + "'"; }

// The one line that is not empty.
std::string_view only_line(const Tag& tag, std::string_view printed) {
  std::optional<std::string_view> found;
  for (const std::string_view line : split(printed, '\n')) {
    if (line.empty()) continue;
    if (found) {
      throw Error("printed more than one record for the tag " + quoted(tag.text()) +
                  ": a tag must be one resource's" + see(tag));
    }
    found = line;
  }
  if (found) return *found;
  throw Error("printed no record: LifeKeeper has no resource " + quoted(tag.text()) +
              " on this node; create it there");
}

}  // namespace

InsListRecord parse_ins_list(const Tag& tag, std::string_view printed) {
  const std::string_view line = only_line(tag, printed);
  const auto fields = split(line, kSeparator);
  if (fields.size() < kLeastFields) {
    throw Error("printed " + quoted(line) + ", which is no record: " +
                std::to_string(fields.size()) + " fields, at least 7 are needed" + see(tag));
  }
  if (fields[kTag] != tag.text()) {
    throw Error("printed a record of the tag " + quoted(fields[kTag]) + ", not of " +
                quoted(tag.text()) + see(tag));
  }
  const auto state = common::parse_state(fields[kState]);
  if (!state) {
    throw Error("printed the state " + quoted(fields[kState]) +
                ", which is none of ISP, ISU, OSU, OSF" + see(tag));
  }
  return {std::string(fields[kId]), std::string(fields[kInfo]), *state};
}

std::string ins_list_exit_text(const Tag& tag, int exit_code) {
  std::string text = std::to_string(exit_code);
  for (const Code& code : kCodes) {
    if (code.number == exit_code) text += " (" + std::string(code.meaning) + ")";
  }
  return exit_code == kNoSuchObject ? text + ": LifeKeeper has no resource " + quoted(tag.text()) +
                                          " on this node; create it there, or mend the tag"
                                    : text + ": is LifeKeeper running?" + see(tag).substr(1);
}

}  // namespace genapp::cluster
