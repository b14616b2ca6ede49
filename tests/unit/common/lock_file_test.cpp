#include "common/lock_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <list>
#include <new>

#include "common/file_lock.hpp"
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

constexpr char kName[] = "app1.lock";

// Counters that forked children share with the test.
struct Shared {
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  std::atomic<int> rounds{0};
};

class SharedMemory {
 public:
  SharedMemory()
      : memory_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)),
        shared_(new (memory_) Shared) {}
  ~SharedMemory() { ::munmap(memory_, sizeof(Shared)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  Shared* operator->() const { return shared_; }

 private:
  void* memory_;
  Shared* shared_;
};

bool is_held(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  return file && is_locked(file, path);
}

// Takes the lock `rounds` times; every third time it takes the file away with it.
int contend(const std::string& path, const SharedMemory& shared, int rounds) {
  const Directory dir = open_dir(path);
  for (int round = 0; round < rounds; ++round) {
    auto lock = LockFile::acquire(dir, kName);
    const int inside = ++shared->inside;
    if (inside > shared->most_inside) shared->most_inside = inside;
    ::sched_yield();
    ++shared->rounds;
    --shared->inside;
    if (round % 3 == 0) std::move(lock).release_and_unlink();
  }
  return 0;
}

TEST(LockFile, LetsOneProcessInAtATimeAlsoWhenTheFileIsUnlinked) {
  const TempDir temp;
  const SharedMemory shared;
  std::list<Child> children;
  for (int i = 0; i < 4; ++i) {
    children.emplace_back([&] { return contend(temp.path(), shared, 60); });
  }
  for (Child& child : children) EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(shared->most_inside, 1);
  EXPECT_EQ(shared->rounds, 240);
}

TEST(LockFile, IsGivenBackAtTheEndOfTheScope) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  {
    const auto lock = LockFile::acquire(dir, kName);
    EXPECT_TRUE(is_held(temp / kName));
  }
  EXPECT_FALSE(is_held(temp / kName));
  EXPECT_TRUE(dir.exists(kName));
}

TEST(LockFile, IsGivenBackWhenItsHolderIsKilled) {
  const TempDir temp;
  Child holder([&] {
    const Directory dir = open_dir(temp.path());
    const auto lock = LockFile::acquire(dir, kName);
    ::pause();
    return 0;
  });
  ASSERT_TRUE(tests::wait_until([&] { return is_held(temp / kName); }));
  holder.signal(SIGKILL);
  const Directory dir = open_dir(temp.path());
  EXPECT_NO_THROW(LockFile::acquire(dir, kName));
  EXPECT_EQ(holder.wait(), -1);
}

TEST(LockFile, MayBeKeptToTheProcessesEnd) {
  const TempDir temp;
  Child holder([&] {
    const Directory dir = open_dir(temp.path());
    LockFile::acquire(dir, kName).keep_until_exit();
    ::pause();
    return 0;
  });
  ASSERT_TRUE(tests::wait_until([&] { return is_held(temp / kName); }));
  holder.signal(SIGTERM);
  holder.wait();
  EXPECT_FALSE(is_held(temp / kName));
}

TEST(LockFile, TakesItsFileAwayWhenToldTo) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  LockFile::acquire(dir, kName).release_and_unlink();
  EXPECT_FALSE(dir.exists(kName));
}

// A waiter holds the unlinked file's lock in the end; it must not take that for the name's lock.
TEST(LockFile, AWaiterNoticesThatTheFileWasUnlinked) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  auto lock = std::optional(LockFile::acquire(dir, kName));
  struct stat unlinked {};
  ASSERT_EQ(::stat((temp / kName).c_str(), &unlinked), 0);
  Child waiter([&] {
    lock.reset();  // this copy of the descriptor; the test's own keeps the lock
    const auto mine = LockFile::acquire(dir, kName);
    return is_held(temp / kName) ? 0 : 1;
  });
  const std::string opened = "/proc/" + std::to_string(waiter.pid()) + "/fd";
  ASSERT_TRUE(tests::wait_until([&] {
    for (const auto& entry : fs::directory_iterator(opened)) {
      std::error_code gone;
      if (fs::read_symlink(entry, gone) == temp / kName) return true;
    }
    return false;
  }));
  std::move(*lock).release_and_unlink();
  EXPECT_EQ(waiter.wait(), 0);
  EXPECT_TRUE(dir.exists(kName));
}

TEST(LockFile, MakesNoFileWhereOnlyAskedForOneThatIsThere) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  EXPECT_FALSE(LockFile::acquire_if_there(dir, kName));
  EXPECT_FALSE(dir.exists(kName));
  tests::write_file(temp / kName, "");
  EXPECT_TRUE(LockFile::acquire_if_there(dir, kName));
}

TEST(LockFile, SaysThatItIsHeldTooLong) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  const auto lock = LockFile::acquire(dir, kName);
  EXPECT_THAT(error_of([&] { LockFile::acquire(dir, kName); }),
              testing::AllOf(HasSubstr(temp / kName), HasSubstr("held by another process")));
}

TEST(LockFile, SaysWhatIsInItsWay) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  fs::create_symlink("elsewhere", temp / "link");
  EXPECT_THAT(error_of([&] { LockFile::acquire(dir, "link"); }), HasSubstr("symbolic link"));
  EXPECT_FALSE(dir.exists("elsewhere"));
  fs::create_directory(temp / "folder");
  EXPECT_THAT(error_of([&] { LockFile::acquire(dir, "folder"); }), HasSubstr(temp / "folder"));
  // A directory that was removed while it is open takes no new file.
  fs::create_directory(temp / "gone");
  const Directory gone = open_dir(temp / "gone");
  fs::remove(temp / "gone");
  EXPECT_THAT(error_of([&] { LockFile::acquire(gone, kName); }), HasSubstr(kName));
}

// A daemon that has become that group's user takes it at its end.
TEST(LockFile, IsTheGroupsTooInADirectoryThatAGroupCanWrite) {
  if (::geteuid() != 0) return;  // only root makes files for others
  const TempDir temp;
  ASSERT_EQ(::chown(temp.path().c_str(), 0, 12346), 0);
  for (const mode_t mode : {0770u, 0755u}) {
    ASSERT_EQ(::chmod(temp.path().c_str(), mode), 0);
    fs::remove(temp / kName);
    LockFile::acquire(open_dir(temp.path()), kName);
    struct stat info {};
    ASSERT_EQ(::stat((temp / kName).c_str(), &info), 0);
    EXPECT_EQ(info.st_gid, mode == 0770 ? 12346u : 0u);
    EXPECT_EQ(info.st_mode & 0777, mode == 0770 ? 0660u : 0600u);
  }
}

TEST(LockFile, SharesNoFileThatHasAnotherName) {
  if (::geteuid() != 0) return;
  const TempDir temp;
  fs::create_directory(temp / "run");
  ASSERT_EQ(::chown((temp / "run").c_str(), 0, 12346), 0);
  ASSERT_EQ(::chmod((temp / "run").c_str(), 0770), 0);
  tests::write_file(temp / "victim", "");
  ASSERT_EQ(::chmod((temp / "victim").c_str(), 0600), 0);
  fs::create_hard_link(temp / "victim", temp / "run/app1.lock");
  LockFile::acquire(open_dir(temp / "run"), kName);
  struct stat info {};
  ASSERT_EQ(::stat((temp / "victim").c_str(), &info), 0);
  EXPECT_EQ(info.st_gid, 0u);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace genapp::common
