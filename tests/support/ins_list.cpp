#include "tests/support/ins_list.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace genapp::tests {
namespace {

// `ins_list -t TAG`: the record on standard output; without a match no output and 7.
constexpr char kScript[] = R"(#!/bin/sh
PATH=/usr/bin:/bin
folder=${0%/bin/ins_list}
tr '\0' '\n' </proc/$$/environ >"$folder/environment"
echo "$*" >"$folder/arguments"
echo >>"$folder/calls"
[ "$1" = -t ] || exit 2
[ -e "$folder/records/$2" ] || exit 7
exec cat "$folder/records/$2"
)";

}  // namespace

InsListStandIn::InsListStandIn() {
  std::filesystem::create_directories(folder_ / "bin");
  std::filesystem::create_directories(folder_ / "records");
  replace(kScript);
}

void InsListStandIn::set(const std::string& tag, const std::string& id, const std::string& info,
                         const std::string& state) {
  set(tag, {"node-a", "gen", "app", tag, id, info, state, "", "further", ""});
}

void InsListStandIn::set(const std::string& tag, const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) line += field + "\x01";
  line.back() = '\n';
  set_raw(tag, line);
}

void InsListStandIn::set_raw(const std::string& tag, const std::string& text) {
  // At once: an action may be asking meanwhile.
  write_file(folder_ / "new", text);
  std::filesystem::rename(folder_ / "new", folder_ / ("records/" + tag));
}

void InsListStandIn::remove(const std::string& tag) {
  std::filesystem::remove(folder_ / ("records/" + tag));
}

void InsListStandIn::replace(const std::string& script) {
  write_file(program() + ".new", script);
  ::chmod((program() + ".new").c_str(), 0755);
  std::filesystem::rename(program() + ".new", program());
}

void InsListStandIn::make_unexecutable() { ::chmod(program().c_str(), 0644); }

void InsListStandIn::uninstall() { std::filesystem::remove(program()); }

long InsListStandIn::calls() const {
  const std::string lines = read_file(folder_ / "calls");
  return std::count(lines.begin(), lines.end(), '\n');
}

}  // namespace genapp::tests
