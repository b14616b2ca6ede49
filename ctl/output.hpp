#pragma once

// What genapp prints: results on standard output, problems on standard error.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace genapp::ctl {

// What stands in place of a table without rows.
inline constexpr char kNoResources[] =
    "no resources: make one with 'genapp create'; one of LifeKeeper's: 'genapp status TAG'\n";

// One answer of a command.
struct Block {
  std::string out;
  std::string err;
};

// To standard output, at once. Throws common::Error when it can't be written: a full disk, or a
// reader that has gone.
void print(std::string_view text);

// Both parts of a block, as print(); `err` after `out`.
void print(const Block& block);

// One "genapp: error: "TAG": PROBLEM" line for each that has a problem, safe to print. Pure.
std::string problem_lines(const std::vector<std::pair<std::string, std::string>>& tag_and_problem);

}  // namespace genapp::ctl
