// SIGKILL and each errno at each system call of genapp-keys: what is there afterwards is a whole
// set that fits together, and the authority goes on signing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>

#include "tests/support/full_length.hpp"
#include "tests/support/node.hpp"
#include "tests/sweep/points.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;

enum class Before { nothing, keys, rotated };

struct Subject {
  const char* name;
  std::vector<std::string> arguments;
  Before before;
};

void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name; }

std::string keys_program() { return GENAPP_BIN_DIR "/../libexec/genapp/genapp-keys"; }

Result keys(const Node& node, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), keys_program());
  return node.run(std::move(arguments));
}

void must(const Result& result) {
  if (result.exit_code != 0) throw std::runtime_error(result.err);
}

class KeysSweep : public testing::TestWithParam<Subject> {
 protected:
  // Made once: copies are soon made.
  KeysSweep() {
    if (GetParam().before == Before::nothing) return;
    must(keys(origin_, {"init"}));
    must(keys(origin_, {"host", "host1", "--install"}));
    must(keys(origin_, {"guest", "guest1", "--install"}));
    if (GetParam().before == Before::rotated) must(keys(origin_, {"rotate"}));
  }

  void prepare(const Node& node) const {
    for (const char* folder : {"/ca", "/tls"}) {
      const std::string from = origin_.config_dir() + folder;
      if (fs::exists(from)) {
        fs::copy(from, node.config_dir() + folder, fs::copy_options::recursive);
      }
    }
  }

  Command under(const Node& node, std::vector<std::string> tracer) const {
    tracer.push_back(keys_program());
    for (const std::string& argument : GetParam().arguments) tracer.push_back(argument);
    return node.command(std::move(tracer));
  }

  Trace trace() const {
    const Node node;
    prepare(node);
    const TempDir folder;
    must(run(under(node, {"/usr/bin/strace", "-n", "-yy", "-s", "64", "-o", folder / "trace"})));
    return parse_trace(read_file(folder / "trace"));
  }

  // False when the run ended before the point.
  bool strike(const Point& point) const {
    const Node node;
    prepare(node);
    const TempDir folder;
    const std::string report = folder / "reached";
    run(under(node, {GENAPP_INJECT, report, "0", std::to_string(point.number),
                     std::to_string(point.nth), std::to_string(point.error)}));
    if (!fs::exists(node.config_dir() + "/ca")) must(keys(node, {"init"}));
    // Looks at keys, certificates, and whether they are of each other.
    const Result shown = keys(node, {"show"});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    const Result made = keys(node, {"host", "next", "--out", folder / "next"});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    const Result verified = run({.argv = {"openssl", "verify", "-purpose", "sslclient", "-CAfile",
                                          folder / "next/ca.crt", folder / "next/appmgr.crt"}});
    EXPECT_EQ(verified.exit_code, 0) << verified.err;
    return fs::exists(report);
  }

  const Node origin_;
};

TEST_P(KeysSweep, WhatIsThereFitsTogether) {
  const Trace traced = trace();
  const Choice choice = full_length() ? Choice::every : Choice::spread;
  std::vector<Point> points = kill_points(traced, Who::command, choice);
  for (const Point& point : errno_points(traced, Who::command, choice)) points.push_back(point);
  ASSERT_FALSE(points.empty());
  std::size_t reached = 0;
  for (const Point& point : points) {
    SCOPED_TRACE(std::string(GetParam().name) + " " + point.text() + " (" + point.traced + ")");
    reached += strike(point) ? 1 : 0;
  }
  std::cout << "sweep of genapp keys " << GetParam().name << ": " << points.size() << " points, "
            << points.size() - reached << " not reached" << std::endl;
  EXPECT_GE(reached, points.size() * 4 / 5);
}

INSTANTIATE_TEST_SUITE_P(
    Commands, KeysSweep,
    testing::Values(Subject{"init", {"init"}, Before::nothing},
                    Subject{"install", {"host", "host1", "--install"}, Before::keys},
                    Subject{"rotate", {"rotate"}, Before::keys},
                    Subject{"retire", {"retire"}, Before::rotated}),
    [](const auto& subject) { return std::string(subject.param.name); });

}  // namespace
}  // namespace genapp::tests
