// A run directory that can't be written: read-only, without room, without inodes. A start fails
// cleanly; what runs already can still be checked and taken out of service.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/namespace.hpp"
#include "tests/e2e/two_nodes.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

// One way for a run directory to be unwritable: how to mount it, and what makes it so ($RUN).
struct Fault {
  const char* name;
  const char* mount_options;
  const char* begin;
  const char* says;  // in the error of a restore
};

constexpr Fault kReadOnly{"read_only", "size=1m", "mount -o remount,bind,ro $RUN",
                          "Read-only file system"};
constexpr Fault kNoRoom{"no_room", "size=64k",
                        "dd if=/dev/zero of=$RUN/filler bs=4k 2>/dev/null || :; ! printf x > "
                        "$RUN/more 2>/dev/null; rm $RUN/more",
                        "No space left on device"};
constexpr Fault kNoInodes{"no_inodes", "nr_inodes=16",
                          "i=0; while touch $RUN/filler$i 2>/dev/null; do i=$((i+1)); done",
                          "No space left on device"};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

// A node whose run directory is a file system of its own.
class NodeOnTmpfs {
 public:
  explicit NodeOnTmpfs(const std::string& mount_options)
      : host_(Namespace::Network::shared,
              "mount -t tmpfs -o mode=0755," + mount_options + " genapp-test " + node_.run_dir()) {
    node_.lbhc(kTag, kId, port_.text() + " OK", "wait_first_probe = false\nhc_timeout = 0.5\n");
  }

  std::uint16_t port() const { return port_.number(); }
  std::string run_dir() const { return node_.run_dir(); }
  // A shell command on this node; $RUN is the run directory.
  std::string shell(const std::string& script) const {
    return host_.shell("RUN=" + node_.run_dir() + "; " + script);
  }
  Result act(const std::string& action) const {
    return run(host_.inside(node_.command({action, "-t", kTag, "-i", kId})));
  }
  // The resource described otherwise.
  void resource(const std::string& text) { node_.resource_file(kTag, text); }
  // What lies in the run directory, apart from what made it full.
  std::string files() const { return shell("ls -A $RUN | grep -v filler || :"); }

 private:
  Port port_;
  Node node_;
  Namespace host_;
};

std::vector<std::string> error_lines(const std::string& log) {
  std::vector<std::string> found;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("error") != std::string::npos) found.push_back(line);
  }
  return found;
}

class AnyFault : public ::testing::TestWithParam<Fault> {};

TEST_P(AnyFault, RestoreFailsWithOneClearLineAndLeavesNothing) {
  const NodeOnTmpfs node(GetParam().mount_options);
  node.shell(GetParam().begin);
  const Result result = node.act("restore");
  EXPECT_TRUE(failed_with_1(result));
  const auto errors = error_lines(result.err);
  ASSERT_EQ(errors.size(), 1u) << result.err;
  EXPECT_NE(errors[0].find(GetParam().says), std::string::npos) << errors[0];
  EXPECT_NE(errors[0].find(node.run_dir() + "/app1."), std::string::npos) << errors[0];
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_EQ(node.files().find("app1.pid"), std::string::npos) << node.files();
  EXPECT_EQ(node.files().find("app1.sock"), std::string::npos) << node.files();
  // Nothing was started, so there is nothing to be ill.
  EXPECT_TRUE(succeeded(node.act("quickCheck")));
}

INSTANTIATE_TEST_SUITE_P(RunDirectory, AnyFault, ::testing::Values(kReadOnly, kNoRoom, kNoInodes),
                         [](const auto& fault) { return std::string(fault.param.name); });

class Full : public ::testing::TestWithParam<Fault> {};

TEST_P(Full, RemoveStillSucceeds) {
  const NodeOnTmpfs node(GetParam().mount_options);
  ASSERT_TRUE(succeeded(node.act("restore")));
  ASSERT_TRUE(accepts(node.port()));
  node.shell(GetParam().begin);
  EXPECT_TRUE(succeeded(node.act("remove")));
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_EQ(node.files(), "");
}

// With or without a flag file: the daemon itself says that no probe comes.
TEST_P(Full, QuickCheckStillNoticesThatNoProbeComes) {
  const NodeOnTmpfs node(GetParam().mount_options);
  ASSERT_TRUE(succeeded(node.act("restore")));
  node.shell(GetParam().begin);
  // Clears a flag that came up before the fault did.
  ASSERT_EQ(probe(node.port()).bytes, "OK");
  Result result;
  EXPECT_TRUE(wait_until([&] { return (result = node.act("quickCheck")).exit_code == 1; }));
  EXPECT_NE(result.err.find("no probe"), std::string::npos) << result.err;
  EXPECT_EQ(probe(node.port()).bytes, "OK");
}

INSTANTIATE_TEST_SUITE_P(RunDirectory, Full, ::testing::Values(kNoRoom, kNoInodes),
                         [](const auto& fault) { return std::string(fault.param.name); });

// The kernel lets nobody make a mount read-only under an open file, except in an emergency; so
// another mount of the same folder, read-only for all who come after the daemon.
TEST(RunDirectoryTurnedReadOnly, RemoveStopsTheDaemonAndSaysWhatItCouldNotTakeAway) {
  const NodeOnTmpfs node(kReadOnly.mount_options);
  ASSERT_TRUE(succeeded(node.act("restore")));
  node.shell("mount --bind $RUN $RUN; mount -o remount,bind,ro $RUN");
  const Result result = node.act("remove");
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_TRUE(failed_with_1(result));
  const auto errors = error_lines(result.err);
  ASSERT_EQ(errors.size(), 1u) << result.err;
  EXPECT_NE(errors[0].find(kReadOnly.says), std::string::npos) << errors[0];
}

// A script resource, too, can be looked at and taken out where there is no room.
TEST(RunDirectory, WithoutRoomKeepsNoScriptFromItsQuickCheckAndRemove) {
  NodeOnTmpfs node(kNoRoom.mount_options);
  const TempDir folder;
  for (const std::string action : {"restore", "remove", "quickCheck", "recover"}) {
    write_file(folder / action, "#!/bin/sh\necho " + action + " >> " + (folder / "ran") + "\n");
    std::filesystem::permissions(folder / action, std::filesystem::perms(0755));
  }
  node.resource("type = \"script\"\nid = \"" + std::string(kId) + "\"\n[script]\nfolder = \"" +
                folder.path() + "\"\n");
  ASSERT_EQ(node.act("restore").exit_code, 0);
  ASSERT_EQ(node.act("quickCheck").exit_code, 0);
  node.shell(kNoRoom.begin);
  EXPECT_EQ(node.act("quickCheck").exit_code, 0);
  const Result recovered = node.act("recover");
  EXPECT_EQ(recovered.exit_code, 1);
  EXPECT_THAT(recovered.err, testing::HasSubstr(kNoRoom.says));
  const Result removed = node.act("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_EQ(read_file(folder / "ran"), "restore\nquickCheck\nquickCheck\nremove\n");
  EXPECT_EQ(node.files(), "");
}

}  // namespace
}  // namespace genapp::tests
