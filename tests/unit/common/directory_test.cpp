#include "common/directory.hpp"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::error_of;
using tests::open_dir;
using tests::ScopedEnv;
using tests::TempDir;
using Durability = Directory::Durability;
using Existing = Directory::Existing;

std::vector<std::string> all_names(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
  return names;
}

// From here on this process, a forked child, sees a file system of 8 kB at `path`; where it may not
// mount one (a container), its files may not grow beyond 8 kB instead.
void limit_space(const std::string& path) {
  if (::unshare(CLONE_NEWNS) == 0 && ::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) == 0 &&
      ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=8k,nr_inodes=16") == 0) {
    return;
  }
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit most{8192, 8192};
  ::setrlimit(RLIMIT_FSIZE, &most);
}

TEST(DirectoryOpen, SaysWhatTheDirectoryIsFor) {
  const TempDir temp;
  const auto follow = Directory::Symlink::follow;
  EXPECT_THAT(error_of([&] { Directory::open(temp / "none", "run directory", follow); }),
              testing::AllOf(HasSubstr("run directory " + temp.path() + "/none"),
                             HasSubstr("does not exist")));
  tests::write_file(temp / "file", "");
  EXPECT_THAT(error_of([&] { Directory::open(temp / "file", "resource folder", follow); }),
              HasSubstr("resource folder " + temp.path() + "/file is not a directory"));
}

TEST(DirectoryOpen, RefusesASymlinkOnlyWhenTold) {
  const TempDir temp;
  fs::create_directory(temp / "real");
  fs::create_directory_symlink("real", temp / "link");
  EXPECT_NO_THROW(Directory::open(temp / "link", "folder", Directory::Symlink::follow));
  EXPECT_THAT(
      error_of([&] { Directory::open(temp / "link", "folder", Directory::Symlink::refuse); }),
      HasSubstr("symbolic link"));
}

TEST(DirectoryNames, AreSortedAndWithoutHiddenOnes) {
  const TempDir temp;
  for (const char* name : {"b", "a", ".hidden", "c.toml"}) tests::write_file(temp / name, "");
  EXPECT_THAT(open_dir(temp.path()).names(), ElementsAre("a", "b", "c.toml"));
  EXPECT_THAT(open_dir(temp.path()).names(), ElementsAre("a", "b", "c.toml"));
}

TEST(DirectoryUnlink, TellsWhetherTheFileWasThere) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  tests::write_file(temp / "f", "");
  EXPECT_TRUE(dir.exists("f"));
  EXPECT_TRUE(dir.unlink("f"));
  EXPECT_FALSE(dir.exists("f"));
  EXPECT_FALSE(dir.unlink("f"));
  fs::create_directory(temp / "d");
  EXPECT_THAT(error_of([&] { dir.unlink("d"); }), HasSubstr(temp / "d"));
}

TEST(DirectoryRead, ReadsUpToTheLimitAndNotAByteMore) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  tests::write_file(temp / "f", std::string("a\0\nb", 4));
  EXPECT_EQ(dir.read("f", 4), std::string("a\0\nb", 4));
  EXPECT_EQ(dir.read("f", 100), std::string("a\0\nb", 4));
  EXPECT_THAT(error_of([&] { (void)dir.read("f", 3); }), HasSubstr("larger than 3 bytes"));
  tests::write_file(temp / "empty", "");
  EXPECT_EQ(dir.read("empty", 0), "");
  EXPECT_EQ(dir.read("none", 4), std::nullopt);
}

TEST(DirectoryRead, RefusesWhatIsNoRegularFile) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  fs::create_directory(temp / "d");
  ASSERT_EQ(::mkfifo((temp / "fifo").c_str(), 0600), 0);
  tests::write_file(temp / "f", "x");
  fs::create_symlink("f", temp / "link");
  EXPECT_THAT(error_of([&] { (void)dir.read("d", 9); }), HasSubstr("not a regular file"));
  // Must not wait for a writer.
  EXPECT_THAT(error_of([&] { (void)dir.read("fifo", 9); }), HasSubstr("not a regular file"));
  EXPECT_THAT(error_of([&] { (void)dir.read("link", 9); }), HasSubstr("symbolic link"));
}

TEST(ReadFile, FollowsSymlinksAndHasTheSameLimits) {
  const TempDir temp;
  tests::write_file(temp / "f", "abc");
  fs::create_symlink("f", temp / "link");
  EXPECT_EQ(read_file(temp / "link", 3), "abc");
  EXPECT_EQ(read_file(temp / "none", 3), std::nullopt);
  EXPECT_THAT(error_of([&] { (void)read_file(temp / "f", 2); }), HasSubstr("larger than 2"));
  EXPECT_THAT(error_of([&] { (void)read_file("/dev/zero", 9); }), HasSubstr("not a regular file"));
  // Files whose size the kernel does not tell (in /proc) are read whole.
  EXPECT_THAT(read_file("/proc/self/status", 1 << 16).value_or(""), HasSubstr("Pid:"));
}

TEST(DirectoryWrite, ReplacesOrRefuses) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  for (const Durability durability : {Durability::visible, Durability::synced}) {
    EXPECT_TRUE(dir.write("f", "one", durability));
    EXPECT_TRUE(dir.write("f", "two", durability));
    EXPECT_EQ(tests::read_file(temp / "f"), "two");
    EXPECT_FALSE(dir.write("f", "three", durability, Existing::refuse));
    EXPECT_EQ(tests::read_file(temp / "f"), "two");
    EXPECT_THAT(all_names(temp.path()), ElementsAre("f"));
    EXPECT_TRUE(dir.unlink("f"));
    EXPECT_TRUE(dir.write("f", "four", durability, Existing::refuse));
    EXPECT_EQ(tests::read_file(temp / "f"), "four");
  }
}

TEST(DirectoryWrite, GivesTheModeAskedFor) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  dir.write("secret", "", Durability::visible);
  dir.write("open", "", Durability::visible, Existing::replace, 0644);
  struct stat info {};
  ASSERT_EQ(::stat((temp / "secret").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((temp / "open").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644u);
}

// What a writer that was killed left behind; also when it is a link to somebody else's file.
TEST(DirectoryWrite, TakesAwayALeftTemporaryFile) {
  const TempDir temp;
  tests::write_file(temp / "victim", "untouched");
  fs::create_symlink("victim", temp / ".f.new");
  open_dir(temp.path()).write("f", "new", Durability::visible);
  EXPECT_EQ(tests::read_file(temp / "victim"), "untouched");
  EXPECT_THAT(all_names(temp.path()), testing::UnorderedElementsAre("f", "victim"));
}

// A link as the file's own name is replaced, never written through.
TEST(DirectoryWrite, ReplacesASymlinkItself) {
  const TempDir temp;
  tests::write_file(temp / "victim", "untouched");
  fs::create_symlink("victim", temp / "f");
  open_dir(temp.path()).write("f", "new", Durability::visible);
  EXPECT_EQ(tests::read_file(temp / "victim"), "untouched");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(temp / "f")));
}

TEST(DirectoryWrite, LeavesTheOldFileAndNoTemporaryOneWhenItFails) {
  const TempDir temp;
  tests::write_file(temp / "f", "old");
  tests::Child child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit most{4, 4};
    ::setrlimit(RLIMIT_FSIZE, &most);
    const std::string problem =
        error_of([&] { open_dir(temp.path()).write("f", "longer than four", Durability::synced); });
    return problem == "writing " + (temp / "f") + ": File too large" ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(tests::read_file(temp / "f"), "old");
  EXPECT_THAT(all_names(temp.path()), ElementsAre("f"));
}

TEST(DirectoryWrite, KeepsTheOldFileOnAFullFileSystem) {
  const TempDir temp;
  tests::Child child([&] {
    limit_space(temp.path());
    const Directory dir = open_dir(temp.path());
    dir.write("f", "old", Durability::visible);
    const std::string problem =
        error_of([&] { dir.write("f", std::string(1 << 16, 'x'), Durability::visible); });
    if (!problem.starts_with("writing " + (temp / "f") + ": ")) return 3;
    if (dir.read("f", 9) != "old") return 4;
    return all_names(temp.path()) == std::vector<std::string>{"f"} ? 0 : 5;
  });
  EXPECT_EQ(child.wait(), 0);
}

// /proc takes no file, not even from root.
TEST(DirectoryWrite, SaysThatNoFileCanBeMade) {
  EXPECT_THAT(error_of([] { open_dir("/proc").write("f", "x", Durability::visible); }),
              HasSubstr("/proc/f: "));
}

TEST(DirectoryWrite, DoesNotReplaceADirectory) {
  const TempDir temp;
  fs::create_directory(temp / "f");
  EXPECT_THAT(error_of([&] { open_dir(temp.path()).write("f", "x", Durability::visible); }),
              HasSubstr(temp / "f"));
  EXPECT_THAT(all_names(temp.path()), ElementsAre("f"));
}

// Through the descriptor: a directory that is moved away under us is still the one written to.
TEST(Directory, StaysWithTheDirectoryItOpened) {
  const TempDir temp;
  fs::create_directory(temp / "run");
  const Directory dir = open_dir(temp / "run");
  fs::rename(temp / "run", temp / "moved");
  fs::create_directory(temp / "run");
  dir.write("f", "x", Durability::synced);
  EXPECT_THAT(all_names(temp / "moved"), ElementsAre("f"));
  EXPECT_THAT(all_names(temp / "run"), IsEmpty());
}

TEST(Subdirectory, IsMadeOnceAndOpenedThroughTheDirectory) {
  const TempDir temp;
  fs::create_directory(temp / "run");
  const Directory dir = open_dir(temp / "run");
  EXPECT_FALSE(dir.subdirectory_if_there("monitors"));
  EXPECT_THAT(all_names(temp / "run"), IsEmpty());
  fs::rename(temp / "run", temp / "moved");
  const Directory made = dir.subdirectory("monitors", 0750);
  EXPECT_EQ(made.path(), temp / "run/monitors");
  made.write("f", "x", Durability::visible);
  EXPECT_THAT(all_names(temp / "moved/monitors"), ElementsAre("f"));
  struct stat info {};
  ASSERT_EQ(::stat((temp / "moved/monitors").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0750u);
  EXPECT_TRUE(dir.subdirectory("monitors", 0700).exists("f"));
  EXPECT_TRUE(dir.subdirectory_if_there("monitors")->exists("f"));
}

// What both ways to open `name` in `temp` complain about.
std::string subdirectory_error(const TempDir& temp, const std::string& name) {
  const Directory dir = open_dir(temp.path());
  const std::string problem = error_of([&] { dir.subdirectory(name, 0755); });
  EXPECT_EQ(error_of([&] { dir.subdirectory_if_there(name); }), problem);
  return problem;
}

TEST(Subdirectory, RefusesASymlinkAndWhatIsNoDirectory) {
  const TempDir temp;
  fs::create_directory(temp / "real");
  fs::create_directory_symlink("real", temp / "link");
  fs::create_directory_symlink("nowhere", temp / "dangling");
  tests::write_file(temp / "file", "");
  EXPECT_THAT(subdirectory_error(temp, "link"), HasSubstr((temp / "link") + " is a symbolic link"));
  EXPECT_THAT(subdirectory_error(temp, "dangling"), HasSubstr("symbolic link"));
  EXPECT_THAT(subdirectory_error(temp, "file"), HasSubstr((temp / "file") + ": Not a directory"));
  EXPECT_FALSE(fs::exists(temp / "nowhere"));
}

TEST(Subdirectory, RefusesOneThatOthersCanWrite) {
  const TempDir temp;
  fs::create_directory(temp / "d");
  for (const unsigned mode : {0775u, 0757u, 01777u}) {
    ASSERT_EQ(::chmod((temp / "d").c_str(), mode), 0);
    EXPECT_THAT(subdirectory_error(temp, "d"), HasSubstr("writable by")) << mode;
  }
  ASSERT_EQ(::chmod((temp / "d").c_str(), 0755), 0);
  EXPECT_EQ(subdirectory_error(temp, "d"), "");
}

TEST(Subdirectory, RefusesAnotherUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  const TempDir temp;
  fs::create_directory(temp / "d");
  ASSERT_EQ(::chown((temp / "d").c_str(), 12345, 0), 0);
  EXPECT_THAT(subdirectory_error(temp, "d"), HasSubstr("belongs to user 12345"));
}

TEST(Subdirectory, SaysThatItCanNotBeMade) {
  EXPECT_THAT(error_of([] { open_dir("/proc").subdirectory("d", 0755); }),
              HasSubstr("making the directory /proc/d: "));
}

TEST(RemoveDirectory, TellsWhetherItWasThereAndTakesEmptyOnesOnly) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  EXPECT_FALSE(dir.remove_directory("d"));
  fs::create_directory(temp / "d");
  tests::write_file(temp / "d/f", "");
  EXPECT_THAT(error_of([&] { dir.remove_directory("d"); }), HasSubstr(temp / "d"));
  EXPECT_TRUE(dir.subdirectory("d", 0755).unlink("f"));
  EXPECT_TRUE(dir.remove_directory("d"));
  EXPECT_FALSE(fs::exists(temp / "d"));
  tests::write_file(temp / "f", "");
  EXPECT_THAT(error_of([&] { dir.remove_directory("f"); }), HasSubstr(temp / "f"));
}

std::string run_dir_error(const std::string& path) {
  const ScopedEnv run("GENAPP_RUN_DIR", path);
  return error_of([] { open_run_dir(); });
}

TEST(RunDir, TakesAnOrdinaryDirectory) {
  const TempDir temp;
  EXPECT_EQ(run_dir_error(temp.path()), "");
}

TEST(RunDir, RefusesWhatIsMissingOrNoDirectory) {
  const TempDir temp;
  tests::write_file(temp / "file", "");
  EXPECT_THAT(run_dir_error(temp / "none"), HasSubstr("does not exist"));
  EXPECT_THAT(run_dir_error(temp / "file"), HasSubstr("is not a directory"));
  EXPECT_THAT(run_dir_error(temp / "file/below"), HasSubstr("not a directory"));
}

TEST(RunDir, IsMadeForWhoAsks) {
  const TempDir temp;
  const ScopedEnv run("GENAPP_RUN_DIR", temp / "run");
  EXPECT_EQ(error_of([] { make_run_dir(); }), "");
  EXPECT_TRUE(fs::is_directory(temp / "run"));
  EXPECT_EQ(error_of([] { make_run_dir(); }), "");
  const ScopedEnv below("GENAPP_RUN_DIR", temp / "none/run");
  EXPECT_THAT(error_of([] { make_run_dir(); }), HasSubstr("making the run directory"));
  fs::create_directory_symlink("run", temp / "link");
  const ScopedEnv link("GENAPP_RUN_DIR", temp / "link");
  EXPECT_THAT(error_of([] { make_run_dir(); }), HasSubstr("symbolic link"));
}

TEST(RunDir, RefusesASymlink) {
  const TempDir temp;
  fs::create_directory(temp / "real");
  fs::create_directory_symlink("real", temp / "link");
  EXPECT_THAT(run_dir_error(temp / "link"), HasSubstr("symbolic link"));
}

// The kernel follows a last link when a slash comes after it, whatever O_NOFOLLOW says.
TEST(RunDir, RefusesASymlinkWithASlashAfterIt) {
  const TempDir temp;
  fs::create_directory(temp / "real");
  fs::create_directory_symlink("real", temp / "link");
  EXPECT_THAT(run_dir_error(temp / "link/"), HasSubstr("symbolic link"));
}

TEST(RunDir, RefusesOneThatEverybodyCanWrite) {
  const TempDir temp;
  fs::create_directory(temp / "run");
  for (const unsigned mode : {0777u, 01777u, 0702u}) {
    ASSERT_EQ(::chmod((temp / "run").c_str(), mode), 0);
    EXPECT_THAT(run_dir_error(temp / "run"), HasSubstr("writable by everybody")) << mode;
  }
}

TEST(RunDir, RefusesOneThatAForeignGroupCanWrite) {
  const TempDir temp;
  const std::string path = temp / "run";
  fs::create_directory(path);
  ASSERT_EQ(::chmod(path.c_str(), 0775), 0);
  EXPECT_EQ(run_dir_error(path), "");  // one's own group
  if (::geteuid() != 0) return;        // only root can give a directory to a foreign group
  ASSERT_EQ(::chown(path.c_str(), 0, 12345), 0);
  EXPECT_THAT(run_dir_error(path), HasSubstr("writable by group 12345"));
}

// Daemons raise their flags there as that user.
TEST(RunDir, TakesOneThatTheDaemonsGroupCanWrite) {
  if (::geteuid() != 0) return;  // only root can give a directory to a foreign group
  const TempDir temp;
  const std::string path = temp / "run";
  fs::create_directory(path);
  ASSERT_EQ(::chown(path.c_str(), 0, 12346), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0775), 0);
  const ScopedEnv config("GENAPP_CONFIG_DIR", temp.path());
  tests::write_file(temp / "genapp.toml", "user = \"12345:12346\"\n");
  EXPECT_EQ(run_dir_error(path), "");
  tests::write_file(temp / "genapp.toml", "user = \"12345:12347\"\n");
  EXPECT_THAT(run_dir_error(path), HasSubstr("writable by group 12346"));
  tests::write_file(temp / "genapp.toml", "user = ");
  EXPECT_EQ(run_dir_error(path), "") << "remove must work in spite of a typing error";
  ASSERT_EQ(::chmod(path.c_str(), 0777), 0);
  EXPECT_THAT(run_dir_error(path), HasSubstr("writable by everybody"));
}

TEST(RunDir, RefusesAnotherUsersDirectory) {
  const TempDir temp;
  fs::create_directory(temp / "run");
  // Root may give it away; for others the root directory serves: it belongs to root, which is fine.
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((temp / "run").c_str(), 12345, 12345), 0);
    EXPECT_THAT(run_dir_error(temp / "run"), HasSubstr("belongs to user 12345"));
  } else {
    EXPECT_EQ(run_dir_error("/"), "");
  }
}

TEST(RunDir, MayBeMissingOnlyWhereAskedSo) {
  const TempDir temp;
  const ScopedEnv run("GENAPP_RUN_DIR", temp / "none");
  EXPECT_FALSE(open_run_dir_if_there());
  fs::create_directory_symlink("nowhere", temp / "none");
  EXPECT_THAT(error_of([] { open_run_dir_if_there(); }), HasSubstr("symbolic link"));
}

}  // namespace
}  // namespace genapp::common
