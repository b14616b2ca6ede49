#include "common/pid_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>

#include "common/paths.hpp"
#include "common/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using tests::Child;
using tests::error_of;
using tests::open_dir;
using tests::TempDir;

const Id kId("app1");
constexpr char kPidName[] = "app1.pid";

std::optional<PidFile> take(const Directory& dir) {
  return PidFile::take(LockFile::acquire(dir, paths::lock_name(kId)), dir, kId);
}

// A daemon of the test's: holds the pid file until it is killed.

int hold(const std::string& path) {
  const Directory dir = open_dir(path);
  const auto held = take(dir);
  if (!held) return 1;
  ::pause();
  return 0;
}

TEST(PidRecord, IsReadBackAsWritten) {
  const PidRecord record{4711, 123456789012345};
  EXPECT_EQ(format_pid_record(record), "4711 123456789012345\n");
  EXPECT_EQ(parse_pid_record(format_pid_record(record)), record);
}

TEST(PidRecord, MayHaveAWord) {
  const PidRecord record{4711, 99, "quickCheck"};
  EXPECT_EQ(format_pid_record(record), "4711 99 quickCheck\n");
  EXPECT_EQ(parse_pid_record(format_pid_record(record)), record);
}

TEST(PidRecord, IsNotReadFromAnythingElse) {
  const std::vector<std::string> wrong{
      "",
      "\n",
      "4711",
      "4711\n",
      "4711 1",
      "4711 1\n\n",
      "4711  1\n",
      " 4711 1\n",
      "4711 1 \n",
      "-1 1\n",
      "0 1\n",
      "+1 1\n",
      "4711 -1\n",
      "4711 1x\n",
      "x 1\n",
      "4711\t1\n",
      "1e3 1\n",
      "4711 1\n5",
      "4711 1 restore",
      "4711 1  restore\n",
      "4711 1 restore \n",
      "4711 1 restore\n\n",
      "4711 1 re store\n",
      "4711 1 restore2\n",
      "4711 1 r\xc3\xa4\n",
      "4711 1restore\n",
      "2147483648 1\n",
      "4711 18446744073709551616\n",
      std::string("4711 1\n\0", 8),
      std::string("\0", 1),
  };
  for (const std::string& text : wrong) EXPECT_FALSE(parse_pid_record(text)) << text;
}

TEST(PidFile, ProvesTheLifeOfItsHolder) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  EXPECT_FALSE(is_alive(dir, kId));
  Child holder([&] { return hold(temp.path()); });
  ASSERT_TRUE(tests::wait_until([&] { return is_alive(dir, kId); }));
  const auto living = find_living(dir, kId);
  ASSERT_TRUE(living);
  EXPECT_EQ(living->pid, holder.pid());
  EXPECT_TRUE(send_signal(living->pidfd, SIGKILL));
  EXPECT_TRUE(wait_for_end(living->pidfd, std::chrono::seconds(20)));
  EXPECT_FALSE(is_alive(dir, kId));
  EXPECT_FALSE(find_living(dir, kId));
  EXPECT_TRUE(dir.exists(kPidName));  // the dead leave it; nobody believes it
}

TEST(PidFile, IsHeldByOneOnly) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  auto first = take(dir);
  ASSERT_TRUE(first);
  const std::string record = tests::read_file(temp / kPidName);
  EXPECT_FALSE(take(dir));
  EXPECT_EQ(tests::read_file(temp / kPidName), record);
  first.reset();
  EXPECT_TRUE(take(dir));
}

TEST(PidFile, HoldsPidAndStartTime) {
  const TempDir temp;
  const auto held = take(open_dir(temp.path()));
  const auto record = parse_pid_record(tests::read_file(temp / kPidName));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->pid, ::getpid());
  EXPECT_EQ(record->start_ticks, start_ticks(::getpid()));
}

// A daemon that was killed, and a process of somebody else that lives under its number.
TEST(PidFile, AStaleOneWithAForeignLivingPidIsNotAlive) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  const pid_t foreign = ::getppid();
  tests::write_file(temp / kPidName,
                    format_pid_record({foreign, start_ticks(foreign).value_or(1)}));
  EXPECT_FALSE(is_alive(dir, kId));
  EXPECT_FALSE(find_living(dir, kId));
  EXPECT_TRUE(take(dir));
}

TEST(PidFile, OldContentIsReplacedWhole) {
  const TempDir temp;
  tests::write_file(temp / kPidName, std::string(5000, '9') + "\n");
  const auto held = take(open_dir(temp.path()));
  ASSERT_TRUE(held);
  EXPECT_TRUE(parse_pid_record(tests::read_file(temp / kPidName)));
}

// Somebody wrote into a living daemon's file: no number in it may be trusted with a signal.
TEST(PidFile, GarbageUnderAHeldLockIsAnErrorThatSaysWhere) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  const auto held = take(dir);
  ASSERT_TRUE(held);
  const auto other = std::to_string(::getppid());
  for (const std::string& garbage : {std::string("garbage"), other + " 1\n"}) {
    tests::write_file(temp / kPidName, garbage);
    EXPECT_TRUE(is_alive(dir, kId));
    EXPECT_THAT(error_of([&] { find_living(dir, kId); }),
                testing::AllOf(HasSubstr(temp / kPidName), HasSubstr("is held, but not by")));
  }
}

// The record of a starter that has the lock and has not written yet comes a moment later.
TEST(PidFile, FindLivingWaitsForTheRecord) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  const auto held = take(dir);
  const std::string record = tests::read_file(temp / kPidName);
  tests::write_file(temp / kPidName, "");
  Child writer([&] {
    tests::write_file(temp / kPidName, record);
    return 0;
  });
  const auto living = find_living(dir, kId);
  ASSERT_TRUE(living);
  EXPECT_EQ(living->pid, ::getpid());
  EXPECT_EQ(writer.wait(), 0);
}

TEST(PidFile, KnowsWhetherItsNameStillLeadsToIt) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  const auto held = take(dir);
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->in_place(dir, kId));
  fs::rename(temp / kPidName, temp / "elsewhere");
  EXPECT_FALSE(held->in_place(dir, kId));
  tests::write_file(temp / kPidName, "");
  EXPECT_FALSE(held->in_place(dir, kId));
  fs::rename(temp / "elsewhere", temp / kPidName);
  EXPECT_TRUE(held->in_place(dir, kId));
}

TEST(PidFile, RefusesASymlink) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  tests::write_file(temp / "victim", "untouched");
  fs::create_symlink("victim", temp / kPidName);
  EXPECT_THAT(error_of([&] { take(dir); }), HasSubstr("symbolic link"));
  EXPECT_THAT(error_of([&] { is_alive(dir, kId); }), HasSubstr("symbolic link"));
  EXPECT_EQ(tests::read_file(temp / "victim"), "untouched");
}

TEST(PidFile, LeavesNoFileWhenItCanNotBeWritten) {
  const TempDir temp;
  Child child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit most{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &most);
    const Directory dir = open_dir(temp.path());
    const std::string problem = error_of([&] { take(dir); });
    return problem == "writing pid file " + (temp / kPidName) + ": File too large" ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_FALSE(fs::exists(temp / kPidName));
}

// In its way: a directory, and a FIFO, on which nobody may get stuck.
TEST(PidFile, SaysWhatIsInItsWay) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  ASSERT_EQ(::mkfifo((temp / kPidName).c_str(), 0600), 0);
  EXPECT_FALSE(is_alive(dir, kId));
  EXPECT_THAT(error_of([&] { take(dir); }), HasSubstr(temp / kPidName));
  fs::remove(temp / kPidName);
  fs::create_directory(temp / kPidName);
  EXPECT_THAT(error_of([&] { take(dir); }), HasSubstr(temp / kPidName));
}

TEST(PidFile, MayHaveAnotherNameAndSayWhatItsHolderDoes) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  const auto held = PidFile::take(LockFile::acquire(dir, "app1.lock"), dir, "app1.turn", "restore");
  ASSERT_TRUE(held);
  EXPECT_TRUE(is_alive(dir, "app1.turn"));
  EXPECT_FALSE(is_alive(dir, kId));
  const auto living = find_living(dir, "app1.turn");
  ASSERT_TRUE(living);
  EXPECT_EQ(living->pid, ::getpid());
  EXPECT_EQ(living->word, "restore");
  EXPECT_EQ(read_pid_record(dir, "app1.turn"),
            (PidRecord{::getpid(), start_ticks(::getpid()).value(), "restore"}));
}

TEST(PidFile, ReleasedItStaysEmptyAndFree) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  auto held = take(dir);
  ASSERT_TRUE(held);
  std::move(*held).release();
  EXPECT_TRUE(dir.exists(kPidName));
  EXPECT_EQ(tests::read_file(temp / kPidName), "");
  EXPECT_FALSE(is_alive(dir, kId));
  EXPECT_FALSE(read_pid_record(dir, kPidName));
  EXPECT_TRUE(take(dir));
}

TEST(PidFile, TheDeadsRecordCanBeRead) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  EXPECT_FALSE(read_pid_record(dir, kPidName));
  tests::write_file(temp / kPidName, "4711 99 remove\n");
  EXPECT_EQ(read_pid_record(dir, kPidName), (PidRecord{4711, 99, "remove"}));
  tests::write_file(temp / kPidName, "4711 99 remo");
  EXPECT_FALSE(read_pid_record(dir, kPidName));
  fs::remove(temp / kPidName);
  fs::create_symlink("elsewhere", temp / kPidName);
  EXPECT_THAT(error_of([&] { read_pid_record(dir, kPidName); }), HasSubstr("symbolic link"));
}

// Who may write in the run directory may hold a lock there and name somebody else as its holder,
// to have root send him a signal.

// Holds the lock of app1.pid; the file names `victim`.
int lie(const std::string& path, pid_t victim) {
  const Directory dir = open_dir(path);
  const auto held = take(dir);
  tests::write_file(path + "/" + kPidName,
                    format_pid_record({victim, start_ticks(victim).value_or(0)}));
  tests::write_file(path + "/lied", "");
  ::pause();
  return held ? 0 : 1;
}

class LiarTest : public testing::Test {
 protected:
  // What find_living says once `victim` is named.
  std::string named(const Child& victim) {
    const Child liar([&] { return lie(temp_.path(), victim.pid()); });
    EXPECT_TRUE(tests::wait_until([&] { return fs::exists(temp_ / "lied"); }));
    const Directory dir = open_dir(temp_.path());
    EXPECT_TRUE(is_alive(dir, kId));
    return error_of([&] { find_living(dir, kId); });
  }

  TempDir temp_;
};

TEST_F(LiarTest, IsNotBelievedAboutAProcessThatHasNothingToDoWithTheFile) {
  const Child victim([] { return ::pause(); });
  EXPECT_THAT(named(victim), HasSubstr("is held, but not by"));
}

TEST_F(LiarTest, IsNotBelievedAboutAProcessThatMerelyReadsTheFile) {
  tests::write_file(temp_ / kPidName, "");
  const Child victim([&] {
    const Fd file(::open((temp_ / kPidName).c_str(), O_RDWR | O_CLOEXEC));
    tests::write_file(temp_ / "open", "");
    return ::pause();
  });
  ASSERT_TRUE(tests::wait_until([&] { return fs::exists(temp_ / "open"); }));
  EXPECT_THAT(named(victim), HasSubstr("is held, but not by"));
}

TEST_F(LiarTest, IsNotBelievedAboutAProcessThatHoldsTheLockOfAnotherFile) {
  fs::create_directory(temp_ / "other");
  const Child victim([&] { return hold(temp_ / "other"); });
  ASSERT_TRUE(
      tests::wait_until([&] { return find_living(open_dir(temp_ / "other"), kId).has_value(); }));
  EXPECT_THAT(named(victim), HasSubstr("is held, but not by"));
}

// A process can be handed the very descriptor that holds the lock, without asking for it (D-Bus).
TEST_F(LiarTest, IsNotBelievedAboutAnotherUsersProcess) {
  if (::geteuid() != 0) return;  // only root can make a file of somebody else's
  Child holder([&] { return hold(temp_.path()); });
  const Directory dir = open_dir(temp_.path());
  ASSERT_TRUE(tests::wait_until([&] { return is_alive(dir, kId); }));
  ASSERT_TRUE(find_living(dir, kId));
  ASSERT_EQ(::chown((temp_ / kPidName).c_str(), 12345, 12345), 0);
  EXPECT_THAT(error_of([&] { find_living(dir, kId); }), HasSubstr("is held, but not by"));
}

// Root without CAP_SYS_PTRACE, as in most containers, may not look at the descriptors of a daemon
// that has dropped its privileges.
class WithoutPtraceTest : public LiarTest {
 protected:
  static constexpr uid_t kUser = 12345;

  static void give_up_looking() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    ::syscall(SYS_capget, &header, sets.data());
    for (auto* set : {&sets[0].effective, &sets[0].permitted, &sets[0].inheritable}) {
      *set &= ~(1u << CAP_SYS_PTRACE);
    }
    ::syscall(SYS_capset, &header, sets.data());
  }
  static int become_user_and(const std::function<int()>& work) {
    return ::setresgid(kUser, kUser, kUser) == 0 && ::setresuid(kUser, kUser, kUser) == 0 ? work()
                                                                                          : 98;
  }
  // Whether root, so hindered, finds `pid`.
  bool finds(pid_t pid) const {
    return Child([&] {
             give_up_looking();
             const auto living = find_living(open_dir(temp_.path()), kId);
             return living && living->pid == pid ? 0 : 1;
           }).wait() == 0;
  }
};

TEST_F(WithoutPtraceTest, TheFilesOwnerNamesItsOwnDaemon) {
  if (::geteuid() != 0) return;  // an ordinary user has nobody else's processes to look for
  const Child holder([&] {
    const auto held = take(open_dir(temp_.path()));
    if (!held || ::chown((temp_ / kPidName).c_str(), kUser, kUser) != 0) return 97;
    return become_user_and([] { return ::pause(); });
  });
  ASSERT_TRUE(tests::wait_until([&] { return finds(holder.pid()); }));
}

TEST_F(WithoutPtraceTest, TheFilesOwnerCanNotNameAProcessOfRoots) {
  if (::geteuid() != 0) return;
  const Child victim([] { return ::pause(); });
  const Child liar([&] { return lie(temp_.path(), victim.pid()); });
  ASSERT_TRUE(tests::wait_until([&] { return fs::exists(temp_ / "lied"); }));
  ASSERT_EQ(::chown((temp_ / kPidName).c_str(), kUser, kUser), 0);
  EXPECT_FALSE(finds(victim.pid()));
}

TEST(PidFile, ADeadUsersFileIsItsNewHolders) {
  if (::geteuid() != 0) return;
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  tests::write_file(temp / kPidName, "");
  ASSERT_EQ(::chown((temp / kPidName).c_str(), 12345, 12345), 0);
  const auto held = take(dir);
  ASSERT_TRUE(held);
  EXPECT_TRUE(find_living(dir, kId));
}

// By it root ends the processes that a dead runner has left.
TEST(PidFile, TheDeadsRecordIsTakenFromNoOtherUser) {
  if (::geteuid() != 0) return;  // only root can make a file of somebody else's
  const TempDir temp;
  tests::write_file(temp / kPidName, "4711 99 remove\n");
  ASSERT_EQ(::chown((temp / kPidName).c_str(), 12345, 12345), 0);
  EXPECT_FALSE(read_pid_record(open_dir(temp.path()), kPidName));
}

// Root would empty and write whatever file a hostile writer of the run directory links there.
TEST(PidFile, RefusesAFileThatHasAnotherName) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  tests::write_file(temp / "victim", "untouched");
  fs::create_hard_link(temp / "victim", temp / kPidName);
  EXPECT_THAT(error_of([&] { take(dir); }),
              testing::AllOf(HasSubstr(temp / kPidName), HasSubstr("another name")));
  EXPECT_EQ(tests::read_file(temp / "victim"), "untouched");
}

}  // namespace
}  // namespace genapp::common
