// Everything works without privileges, except what the system keeps for root: low ports.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/e2e/namespace.hpp"
#include "tests/e2e/two_nodes.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"

namespace genapp::tests {
namespace {

constexpr uid_t kNobody = 65534;
// The node's folder as it is called inside: nobody may not be allowed to enter the temporary
// folder.
const std::string kInside = "/mnt";

std::string folder_of(const Node& node) {
  return std::filesystem::path(node.run_dir()).parent_path().string();
}

void give_to_nobody(const std::filesystem::path& path) {
  if (::lchown(path.c_str(), kNobody, kNobody) != 0)
    throw std::runtime_error("chown " + path.string());
}

// A node that belongs to somebody without privileges: the user nobody; or, when the test is not run
// by root, ourselves without capabilities. On a network of its own, where every port is free and
// low ports end at 1024 whatever the host's administrator has chosen.
class OrdinaryUser : public ::testing::Test {
 protected:
  void describe(const std::string& port) {
    node_.lbhc(kTag, kId, port + " OK", "wait_first_probe = false\n");
    write_file(node_.config_dir() + "/genapp.toml", "log_file = \"" + kInside + "/lbhcd.log\"\n");
    const std::string folder = folder_of(node_);
    for (const char* name : {"restore", "quickCheck", "remove"}) {
      // Nobody may not be allowed to enter the folder where they were built either.
      std::filesystem::copy_file(program(name), folder + "/" + name);
    }
    if (::geteuid() != 0) return;
    give_to_nobody(folder);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      give_to_nobody(entry.path());
    }
  }

  Result act(const std::string& action) const {
    std::vector<std::string> argv{"setpriv"};
    if (::geteuid() == 0) {
      const std::string id = std::to_string(kNobody);
      argv.insert(argv.end(), {"--reuid", id, "--regid", id, "--clear-groups"});
    } else {
      argv.insert(argv.end(), {"--inh-caps=-all", "--bounding-set=-all"});
    }
    argv.insert(argv.end(), {kInside + "/" + action, "-t", kTag, "-i", kId});
    Command command{std::move(argv)};
    command.env = {{"GENAPP_RUN_DIR", kInside + "/run"}, {"GENAPP_CONFIG_DIR", kInside + "/etc"}};
    command.unset = {"HC_TIMEOUT"};
    return run(host_.inside(std::move(command)));
  }

  bool answers(const std::string& port) const {
    return run(host_.inside({{"nc", "127.0.0.1", port}})).out == "OK";
  }

  Node node_;

 private:
  Namespace host_{Namespace::Network::own, "mount --bind " + folder_of(node_) + " " + kInside};
};

TEST_F(OrdinaryUser, ALowPortIsRefusedByAnErrorThatNamesIt) {
  describe("80");
  const Result result = act("restore");
  EXPECT_TRUE(failed_with_1(result));
  EXPECT_NE(result.err.find("port 80 "), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("permission denied"), std::string::npos) << result.err;
  EXPECT_FALSE(node_.has("app1.pid"));
}

TEST_F(OrdinaryUser, AHighPortIsServed) {
  describe("8080");
  ASSERT_TRUE(succeeded(act("restore")));
  EXPECT_TRUE(answers("8080"));
  EXPECT_TRUE(succeeded(act("quickCheck")));
  EXPECT_TRUE(succeeded(act("remove")));
  EXPECT_FALSE(answers("8080"));
  EXPECT_TRUE(node_.run_files().empty());
}

}  // namespace
}  // namespace genapp::tests
