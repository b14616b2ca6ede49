// What a daemon can't do any more that somebody has taken over. Each in a child, since it is for
// good.

#include "lbhc/confine.hpp"

#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/paths.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

namespace fs = std::filesystem;
using common::Directory;
using tests::Child;

#ifdef GENAPP_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr char kUser[] = "12345:12346";
const common::Id kId("app1");

class ConfineTest : public testing::Test {
 protected:
  ConfineTest() {
    fs::create_directory(temp_ / "run");
    fs::create_directory(temp_ / "log");
  }

  // A confined process that then does `work`; its exit code, or -1 and the signal.
  int confined(const std::function<int()>& work, const std::string& user = "root") {
    Child child([&] {
      const Directory dir = tests::open_dir(temp_ / "run");
      const auto held = common::PidFile::take(
          common::LockFile::acquire(dir, common::paths::lock_name(kId)), dir, kId);
      const std::string in_force =
          confine({::geteuid() == 0 ? user : "", temp_ / "log/lbhcd.log"}, dir, *held);
      landlock_ = in_force.find(", landlock") != std::string::npos;
      if (!kSanitized && in_force.find(", seccomp") == std::string::npos) return 90;
      return work();
    });
    const pid_t pid = child.pid();
    siginfo_t end{};
    ::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOWAIT);
    signal_ = end.si_code == CLD_EXITED ? 0 : end.si_status;
    return child.wait();
  }

  // Whether opening fails; where the kernel has no Landlock, it need not.
  bool is_out_of_reach(const std::string& path, int flags) const {
    const common::Fd file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    return !landlock_ || (!file && errno == EACCES);
  }

  tests::TempDir temp_;
  int signal_ = 0;
  bool landlock_ = false;  // in the child
};

TEST_F(ConfineTest, TheRunDirectoryStaysWritable) {
  EXPECT_EQ(confined([&] {
              const Directory dir = tests::open_dir(temp_ / "run");
              dir.write("app1.state", "ISP\n", Directory::Durability::synced);
              dir.write("app1.state", "OSU\n", Directory::Durability::synced);
              if (dir.read("app1.state", 9) != "OSU\n") return 1;
              return dir.unlink("app1.state") && dir.unlink("app1.pid") ? 0 : 2;
            }),
            0);
}

TEST_F(ConfineTest, TheLogCanBeOpenedAnew) {
  EXPECT_EQ(confined([&] {
              const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
              const common::Fd log(::open((temp_ / "log/lbhcd.log").c_str(), flags, 0644));
              return log ? 0 : 1;
            }),
            0);
}

TEST_F(ConfineTest, NoOtherFileIsReadOrWritten) {
  tests::write_file(temp_ / "secret", "x");
  tests::write_file(temp_ / "log/lbhcd.log.1", "x");
  EXPECT_EQ(confined([&] {
              const bool well = is_out_of_reach(temp_ / "secret", O_RDONLY) &&
                                is_out_of_reach(temp_ / "secret", O_WRONLY) &&
                                is_out_of_reach(temp_ / "new", O_WRONLY | O_CREAT) &&
                                is_out_of_reach("/etc/passwd", O_RDONLY) &&
                                is_out_of_reach("/", O_RDONLY | O_DIRECTORY) &&
                                is_out_of_reach(temp_ / "log/lbhcd.log.1", O_RDONLY);
              return well ? 0 : 1;
            }),
            0);
}

TEST_F(ConfineTest, ExecutingAProgramKillsIt) {
  if (kSanitized) return;  // without the filter
  EXPECT_EQ(confined([] { return ::execl("/bin/true", "true", nullptr); }), -1);
  EXPECT_EQ(signal_, SIGSYS);
}

TEST_F(ConfineTest, SoDoForkAndPtrace) {
  if (kSanitized) return;
  EXPECT_EQ(confined([] { return static_cast<int>(::fork()); }), -1);
  EXPECT_EQ(signal_, SIGSYS);
  EXPECT_EQ(confined([] { return static_cast<int>(::ptrace(PTRACE_TRACEME, 0, 0, 0)); }), -1);
  EXPECT_EQ(signal_, SIGSYS);
}

TEST_F(ConfineTest, ItOpensNoPortAndConnectsToNone) {
  if (kSanitized) return;
  EXPECT_EQ(confined([] {
              for (const int family : {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET}) {
                if (::socket(family, SOCK_STREAM, 0) >= 0 || errno != EAFNOSUPPORT) return 1;
              }
              return ::socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 ? 0 : 2;
            }),
            0);
}

TEST_F(ConfineTest, NoMemoryBecomesCode) {
  if (kSanitized) return;
  EXPECT_EQ(confined([] {
              void* const page =
                  ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              if (page == MAP_FAILED) return 1;
              return ::mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0 && errno == EPERM ? 0 : 2;
            }),
            0);
}

TEST_F(ConfineTest, NobodyElseGetsASignal) {
  if (kSanitized) return;
  Child other([] { return ::pause(); });
  EXPECT_EQ(confined([&] {
              if (::kill(other.pid(), SIGKILL) == 0) return 1;
              return ::syscall(SYS_tgkill, other.pid(), other.pid(), SIGKILL) == 0 ? 2 : 0;
            }),
            0);
  EXPECT_TRUE(other.running());
}

// A later C library may try a call that this filter does not know; it must find its old way.
TEST_F(ConfineTest, AnUnknownCallIsAnsweredAsByAnOldKernel) {
  if (kSanitized) return;
  EXPECT_EQ(confined([] { return ::syscall(100'000) < 0 && errno == ENOSYS ? 0 : 1; }), 0);
}

// Root's daemon.

class DroppedTest : public ConfineTest {
 protected:
  DroppedTest() {
    // Only root can change users.
    if (::geteuid() == 0 && ::chown((temp_ / "run").c_str(), 0, 12346) == 0) {
      fs::permissions(temp_ / "run", fs::perms(0775));
      fs::permissions(temp_.path(), fs::perms(0755));
    }
  }
};

TEST_F(DroppedTest, KeepsNothingOfRoot) {
  if (::geteuid() != 0) return;
  tests::write_file(temp_ / "log/lbhcd.log", "");
  EXPECT_EQ(confined(
                [] {
                  const bool user = ::getuid() == 12345 && ::geteuid() == 12345;
                  return user && ::getgid() == 12346 && ::getegid() == 12346 ? 0 : 1;
                },
                kUser),
            0);
  // remove believes a file of its owner's process only; and the log must be opened anew.
  for (const std::string& name : {temp_ / "run/app1.pid", temp_ / "log/lbhcd.log"}) {
    struct stat info {};
    ASSERT_EQ(::stat(name.c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_uid, 12345u) << name;
  }
}

TEST_F(DroppedTest, BecomingRootAgainKillsIt) {
  if (::geteuid() != 0 || kSanitized) return;
  EXPECT_EQ(confined([] { return ::setuid(0); }, kUser), -1);
  EXPECT_EQ(signal_, SIGSYS);
}

TEST_F(DroppedTest, IDLockIsSharedAndTheOthersFilesAreNot) {
  if (::geteuid() != 0) return;
  tests::write_file(temp_ / "run/roots", "x");
  fs::permissions(temp_ / "run/roots", fs::perms(0600));
  EXPECT_EQ(confined(
                [&] {
                  const Directory dir = tests::open_dir(temp_ / "run");
                  common::LockFile::acquire(dir, common::paths::lock_name(kId));
                  const int flags = O_RDONLY | O_CLOEXEC;
                  return ::openat(dir.fd(), "roots", flags) < 0 && errno == EACCES ? 0 : 1;
                },
                kUser),
            0);
}

// Whatever another log file is, a shared one or a link, it is not given away.
TEST_F(DroppedTest, OnlyALogOfRootsAloneIsGivenToTheUser) {
  if (::geteuid() != 0) return;
  tests::write_file(temp_ / "log/lbhcd.log", "");
  fs::create_hard_link(temp_ / "log/lbhcd.log", temp_ / "log/other");
  EXPECT_EQ(confined([] { return 0; }, kUser), 0);
  struct stat info {};
  ASSERT_EQ(::stat((temp_ / "log/other").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0u);
}

TEST_F(DroppedTest, WhatGenappTomlAsksForAndCanNotBeDoneIsAnError) {
  if (::geteuid() != 0) return;
  fs::permissions(temp_ / "run", fs::perms(0755));
  EXPECT_EQ(confined([] { return 0; }, kUser), 99);
}

}  // namespace
}  // namespace genapp::lbhc
