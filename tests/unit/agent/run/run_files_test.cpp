#include "agent/run/run_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/paths.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::agent {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using tests::error_of;

class AgentRunFiles : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_ / ("run/agent/" + name); }

 private:
  tests::TempDir folder_;
  tests::ScopedEnv run_dir_{"GENAPP_RUN_DIR", folder_ / "run"};
};

TEST_F(AgentRunFiles, TheIdentityIsOneProcesssAndForItsOwnerAlone) {
  const auto identity = AgentIdentity::take();
  EXPECT_TRUE(identity.in_place());
  EXPECT_EQ(identity.directory().path(), fs::path(path("pid")).parent_path());
  EXPECT_EQ(error_of([] { AgentIdentity::take(); }),
            "an agent runs already, process " + std::to_string(::getpid()) + ": it holds " +
                path("pid") + "; end that one first");
  struct stat info {};
  ASSERT_EQ(::stat(identity.directory().path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  const auto living = common::find_living(identity.directory(), common::paths::kAgentPid);
  ASSERT_TRUE(living);
  EXPECT_EQ(living->word, "agent");
}

TEST_F(AgentRunFiles, AnEndInOrderLeavesTheFoldersForTheNext) {
  {
    auto identity = AgentIdentity::take();
    identity.directory().subdirectory(common::paths::kAgentResources, 0700);
    tests::write_file(path("sock"), "");
    identity.release();
  }
  EXPECT_FALSE(fs::exists(path("pid")));
  EXPECT_FALSE(fs::exists(path("sock")));
  EXPECT_TRUE(fs::exists(path("resources")));
  EXPECT_EQ(error_of([] { AgentIdentity::take(); }), "");
}

// As one that was killed between the fork of a child and its exec.
TEST_F(AgentRunFiles, ADeadOnesForkedChildIsWaitedFor) {
  tests::Child agent([] {
    const auto identity = AgentIdentity::take();
    const pid_t child = ::fork();
    if (child == 0) {
      ::usleep(300'000);
      ::_exit(0);
    }
    return child > 0 ? 0 : 1;
  });
  ASSERT_EQ(agent.wait(), 0);
  EXPECT_EQ(error_of([] { AgentIdentity::take(); }), "");
}

TEST_F(AgentRunFiles, WhatAKilledOneLeftIsTakenOver) {
  tests::Child child([] { return AgentIdentity::take().in_place() ? 0 : 1; });
  ASSERT_EQ(child.wait(), 0);
  ASSERT_TRUE(fs::exists(path("pid")));
  const auto identity = AgentIdentity::take();
  EXPECT_TRUE(identity.in_place());
}

TEST_F(AgentRunFiles, ACleanedRunDirectoryIsNoticed) {
  const auto identity = AgentIdentity::take();
  fs::remove(path("pid"));
  EXPECT_FALSE(identity.in_place());
}

TEST_F(AgentRunFiles, AFolderThatOthersCanWriteIsRefused) {
  { AgentIdentity::take().release(); }
  ::chmod(fs::path(path("pid")).parent_path().c_str(), 0777);
  EXPECT_THAT(error_of([] { AgentIdentity::take(); }), HasSubstr("agent"));
}

}  // namespace
}  // namespace genapp::agent
