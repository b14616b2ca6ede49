// Hundreds of actions at once on as many resources, their logs in one file: none is lost, none is
// mixed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "tests/support/node.hpp"
#include "tests/support/sanitized.hpp"

namespace genapp::tests {
namespace {

constexpr int kResources = kSanitized ? 50 : 500;

std::string tag(int i) { return "web" + std::to_string(i); }

void add(Node& node, const std::string& script, int i) {
  node.resource_file(tag(i), "type = \"script\"\nid = \"id" + std::to_string(i) +
                                 "\"\n[script]\nrestore = [\"" + script + "\"]\nremove = [\"" +
                                 script + "\"]\n");
}

// How often each tag has a line that ends so.
std::map<std::string, int> count(const std::string& log, const std::string& end) {
  std::map<std::string, int> counts;
  std::istringstream in(log);
  for (std::string line; std::getline(in, line);) {
    const auto begin = line.find('"');
    const auto close = line.find('"', begin + 1);
    if (begin == std::string::npos || close == std::string::npos) continue;
    if (line.find(end, close) != std::string::npos)
      ++counts[line.substr(begin + 1, close - begin - 1)];
  }
  return counts;
}

TEST(ManyScripts, NoneIsLostAndNoneIsMixedInTheLog) {
  Node node;
  const TempDir folder;
  const std::string script = folder / "script";
  // Long lines: two of them would not fit into one another's gap by luck.
  write_file(script,
             "#!/bin/sh\nfor n in one two three; do\n"
             "printf '%s %0900d %s\\n' \"$GENAPP_TAG\" 0 \"$n of $GENAPP_TAG\"\ndone\n");
  std::filesystem::permissions(script, std::filesystem::perms(0755));
  for (int i = 0; i < kResources; ++i) add(node, script, i);

  const Result all = node.run({"/bin/sh", "-c",
                               "for i in $(seq 0 " + std::to_string(kResources - 1) + "); do " +
                                   program("restore") + " -t web$i -i id$i 2>> " +
                                   (folder / "log") + " & done; wait"});
  ASSERT_EQ(all.exit_code, 0) << all.err;

  const std::string log = read_file(folder / "log");
  const auto ends = count(log, ", exit 0)");
  for (int i = 0; i < kResources; ++i) {
    SCOPED_TRACE(tag(i));
    EXPECT_EQ(ends.count(tag(i)) ? ends.at(tag(i)) : 0, 1);
    EXPECT_EQ(read_file(node.run_file("id" + std::to_string(i) + ".state")), "ISP\n");
  }
  // Every line is whole: what a tag's line says, its own script has said.
  int said = 0;
  std::istringstream in(log);
  for (std::string line; std::getline(in, line);) {
    ASSERT_THAT(line,
                testing::ContainsRegex("^[0-9T:.-]+Z restore\\[[0-9]+\\] (info|warning|error): "));
    const auto at = line.find("\" stdout: ");
    if (at == std::string::npos) continue;
    const std::string name = line.substr(line.find('"') + 1, at - line.find('"') - 1);
    EXPECT_THAT(line,
                testing::ContainsRegex("stdout: " + name + " 0+ (one|two|three) of " + name + "$"));
    ++said;
  }
  EXPECT_EQ(said, 3 * kResources);
}

}  // namespace
}  // namespace genapp::tests
