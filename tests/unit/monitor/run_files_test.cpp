#include "monitor/run_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>

#include "common/control_socket.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::monitor {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RunFiles : public testing::Test {
 protected:
  RunFiles() { ::setenv("GENAPP_RUN_DIR", (folder_ / "run").c_str(), 1); }
  ~RunFiles() override { ::unsetenv("GENAPP_RUN_DIR"); }

  std::string path(const std::string& name) const { return folder_ / ("run/monitors/" + name); }

  // A process that dies with the identity, as by SIGKILL.
  void leave_dead(const MonitorId& id) const {
    tests::Child child([&] { return Identity::take(id, "httpmon") ? 0 : 1; });
    ASSERT_EQ(child.wait(), 0);
  }

 private:
  tests::TempDir folder_;
};

std::vector<std::string> texts(const std::vector<MonitorId>& ids) {
  std::vector<std::string> found;
  for (const MonitorId& id : ids) found.push_back(id.text());
  return found;
}

TEST_F(RunFiles, AnIdBelongsToOneProcessAtATime) {
  const MonitorId id("web");
  auto identity = Identity::take(id, "httpmon");
  ASSERT_TRUE(identity);
  EXPECT_TRUE(identity->in_place());
  EXPECT_FALSE(Identity::take(id, "smtpmon")) << "ids are unique over both commands";
  EXPECT_TRUE(Identity::take(MonitorId("Web"), "httpmon")) << "and case sensitive";
  const auto found = find_monitor(id);
  ASSERT_TRUE(found && found->process);
  EXPECT_EQ(found->process->pid, ::getpid());
  EXPECT_EQ(found->process->word, "httpmon");
}

TEST_F(RunFiles, AnEndInOrderLeavesNothingOfTheId) {
  const MonitorId id("web");
  Identity::take(id, "httpmon")->release();
  EXPECT_FALSE(fs::exists(path("web")));
  EXPECT_FALSE(fs::exists(path(".locks/web")));
  EXPECT_FALSE(find_monitor(id));
  EXPECT_THAT(known_monitors(), IsEmpty());
}

TEST_F(RunFiles, OneThatCouldNotStartIsNotTakenForOneThatWasKilled) {
  const MonitorId id("web");
  tests::Child child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit nothing{0, 0};  // as a full file system: the file is made, but can't be written
    ::setrlimit(RLIMIT_FSIZE, &nothing);
    try {
      Identity::take(id, "httpmon");
    } catch (const common::Error&) {
      return 0;
    }
    return 1;
  });
  ASSERT_EQ(child.wait(), 0);
  EXPECT_THAT(known_monitors(), IsEmpty());
  EXPECT_FALSE(fs::exists(path(".locks/web")));
}

TEST_F(RunFiles, ADeadOnesFilesAreInNobodysWay) {
  const MonitorId id("web");
  leave_dead(id);
  EXPECT_TRUE(fs::exists(path("web/pid")));
  const auto found = find_monitor(id);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->process);
  EXPECT_THAT(texts(known_monitors()), ElementsAre("web"));
  EXPECT_TRUE(Identity::take(id, "smtpmon"));
}

TEST_F(RunFiles, ADeadOnesFilesCanBeRemovedALivingOnesNot) {
  const MonitorId dead("dead");
  leave_dead(dead);
  EXPECT_TRUE(remove_files(dead));
  EXPECT_FALSE(fs::exists(path("dead")));
  EXPECT_TRUE(remove_files(dead)) << "nothing is left to do";
  const auto living = Identity::take(MonitorId("web"), "httpmon");
  EXPECT_FALSE(remove_files(MonitorId("web")));
  EXPECT_TRUE(living->in_place());
}

TEST_F(RunFiles, NothingIsKnownWhereThereIsNoRunDirectory) {
  EXPECT_FALSE(find_monitor(MonitorId("web")));
  EXPECT_THAT(known_monitors(), IsEmpty());
  EXPECT_TRUE(remove_files(MonitorId("web")));
}

TEST_F(RunFiles, TheLongestIdHasASocketToo) {
  const MonitorId id(std::string(255, 'x'));
  const auto identity = Identity::take(id, "httpmon");
  ASSERT_TRUE(identity);
  const auto address = common::socket_address(identity->directory(), "sock");
  const common::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(fs::exists(path(id.text() + "/sock")));
}

TEST_F(RunFiles, NoticesThatItsFilesAreGone) {
  const auto identity = Identity::take(MonitorId("web"), "httpmon");
  fs::remove_all(path("web"));
  EXPECT_FALSE(identity->in_place());
}

// Or another could start under the id beside it.
TEST_F(RunFiles, NoticesThatItsFilesAreElsewhere) {
  const auto identity = Identity::take(MonitorId("web"), "httpmon");
  fs::rename(path(""), path("../elsewhere"));
  EXPECT_FALSE(identity->in_place());
  const auto another = Identity::take(MonitorId("web"), "httpmon");
  ASSERT_TRUE(another);
  EXPECT_FALSE(identity->in_place());
  EXPECT_TRUE(another->in_place());
}

TEST_F(RunFiles, TroubleProvesNothingOfItsFiles) {
  const auto identity = Identity::take(MonitorId("web"), "httpmon");
  fs::permissions(path(""), fs::perms::others_write, fs::perm_options::add);
  EXPECT_TRUE(identity->in_place());
}

TEST_F(RunFiles, AFolderThatOthersMayWriteIsRefused) {
  Identity::take(MonitorId("web"), "httpmon")->release();
  fs::permissions(path(""), fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(tests::error_of([] { Identity::take(MonitorId("web"), "httpmon"); }),
              HasSubstr("writable"));
}

}  // namespace
}  // namespace genapp::monitor
