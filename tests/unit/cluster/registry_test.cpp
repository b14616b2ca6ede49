#include "cluster/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>

#include "common/file_lock.hpp"
#include "common/paths.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::cluster {
namespace {

namespace fs = std::filesystem;
using common::Id;
using common::Tag;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::Child;
using tests::error_of;
using tests::TempDir;

std::string text(const std::string& id, const std::string& info = "54321 OK") {
  return "type = \"lbhc\"\nid = \"" + id + "\"\ninfo = \"" + info + "\"\n";
}

std::vector<std::string> tags(const Registry& registry) {
  std::vector<std::string> found;
  for (const auto& entry : registry.list()) found.push_back(entry.tag);
  return found;
}

// Everything in the folder, hidden files too.
std::vector<std::string> files(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

class RegistryTest : public testing::Test {
 protected:
  TempDir temp_;
  std::string folder_ = temp_ / "etc/resources.d";
  Registry registry_{folder_};
};

TEST_F(RegistryTest, IsEmptyBeforeTheFolderIsThere) {
  EXPECT_THAT(registry_.list(), testing::IsEmpty());
  EXPECT_THAT(error_of([&] { (void)registry_.read(Tag("lb")); }),
              testing::AllOf(HasSubstr("no resource \"lb\""), HasSubstr(folder_ + "/lb.toml")));
  EXPECT_THAT(error_of([&] { registry_.remove(Tag("lb")); }), HasSubstr("no resource \"lb\""));
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(RegistryTest, KeepsWhatIsCreated) {
  registry_.create(Tag("lb"), text("app1", "54321 OK "));
  registry_.create(Tag("a.b"), text("app2"));
  EXPECT_THAT(tags(registry_), ElementsAre("a.b", "lb"));
  const Resource resource = registry_.read(Tag("lb"));
  EXPECT_EQ(resource.id.text(), "app1");
  EXPECT_EQ(resource.info, "54321 OK ");
  EXPECT_EQ(tests::read_file(folder_ + "/lb.toml"), text("app1", "54321 OK "));
  EXPECT_THAT(files(folder_), ElementsAre(".lock", "a.b.toml", "lb.toml"));
}

TEST_F(RegistryTest, RefusesATagThatIsTaken) {
  registry_.create(Tag("lb"), text("app1"));
  EXPECT_THAT(error_of([&] { registry_.create(Tag("lb"), text("app2")); }),
              HasSubstr("\"lb\" exists already"));
  EXPECT_EQ(registry_.read(Tag("lb")).id.text(), "app1");
}

// Run-time files are named by the id: two resources with one id would stop each other's daemon.
TEST_F(RegistryTest, RefusesAnIdThatIsTaken) {
  registry_.create(Tag("lb"), text("app1"));
  EXPECT_THAT(error_of([&] { registry_.create(Tag("other"), text("app1")); }),
              testing::AllOf(HasSubstr("id \"app1\" is taken"), HasSubstr("\"lb\"")));
  EXPECT_THAT(tags(registry_), ElementsAre("lb"));
}

TEST_F(RegistryTest, CreatesNothingFromAWrongText) {
  EXPECT_THAT(error_of([&] { registry_.create(Tag("lb"), "type = \"lbhc\"\n"); }),
              HasSubstr("key id is missing"));
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(RegistryTest, RemovesWholly) {
  registry_.create(Tag("lb"), text("app1"));
  registry_.remove(Tag("lb"));
  EXPECT_THAT(tags(registry_), testing::IsEmpty());
  EXPECT_THAT(error_of([&] { registry_.remove(Tag("lb")); }), HasSubstr("no resource \"lb\""));
  EXPECT_NO_THROW(registry_.create(Tag("new"), text("app1")));
}

TEST_F(RegistryTest, AnUnreadableEntryDoesNotHideTheOthers) {
  registry_.create(Tag("good"), text("app1"));
  tests::write_file(folder_ + "/bad.toml", "type = \n");
  fs::create_directory(folder_ + "/folder.toml");
  fs::create_symlink("nowhere", folder_ + "/dangling.toml");
  const auto entries = registry_.list();
  EXPECT_THAT(tags(registry_), ElementsAre("bad", "dangling", "folder", "good"));
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_THAT(std::get<std::string>(entries[0].resource), HasSubstr("bad.toml:1: "));
  EXPECT_EQ(entries[1].resource.index(), 1u);
  EXPECT_THAT(std::get<std::string>(entries[2].resource), HasSubstr("not a regular file"));
  EXPECT_EQ(std::get<Resource>(entries[3].resource).id.text(), "app1");
  // And it is in nobody's way: a new one can be created, the bad one deleted.
  EXPECT_NO_THROW(registry_.create(Tag("new"), text("app2")));
  EXPECT_NO_THROW(registry_.remove(Tag("bad")));
}

TEST_F(RegistryTest, PassesOverNamesThatNoResourceHas) {
  registry_.create(Tag("lb"), text("app1"));
  for (const char* name : {"README", "lb.toml~", ".lb.toml.swp", "-x.toml", "a b.toml", ".toml"}) {
    tests::write_file(folder_ + "/" + name, text("app9"));
  }
  EXPECT_THAT(tags(registry_), ElementsAre("lb"));
}

// A create that was killed before its rename.
TEST_F(RegistryTest, ALeftTemporaryFileIsHarmless) {
  registry_.create(Tag("lb"), text("app1"));
  tests::write_file(folder_ + "/" + common::paths::temporary_name("new.toml"), "type = \"lb");
  EXPECT_THAT(tags(registry_), ElementsAre("lb"));
  EXPECT_NO_THROW(registry_.create(Tag("new"), text("app2")));
  EXPECT_THAT(files(folder_), ElementsAre(".lock", "lb.toml", "new.toml"));
}

TEST_F(RegistryTest, ConcurrentCreatesLoseNothing) {
  std::list<Child> children;
  for (int i = 0; i < 8; ++i) {
    children.emplace_back([&, i] {
      const std::string number = std::to_string(i);
      registry_.create(Tag("lb" + number), text("app" + number));
      return 0;
    });
  }
  for (Child& child : children) EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(registry_.list().size(), 8u);
  EXPECT_EQ(files(folder_).size(), 9u);  // and the lock
}

int create_or_refuse(const Registry& registry, const std::string& tag, const std::string& id) {
  const std::string problem = error_of([&] { registry.create(Tag(tag), text(id)); });
  if (problem.empty()) return 0;
  const bool taken = problem.find("exists already") != std::string::npos ||
                     problem.find("is taken") != std::string::npos;
  return taken ? 1 : 2;
}

// How many of eight creates at once succeed; the others must say that it is taken.
int winners(const std::function<int(int)>& create) {
  std::list<Child> children;
  for (int i = 0; i < 8; ++i) children.emplace_back([&create, i] { return create(i); });
  int won = 0;
  for (Child& child : children) {
    const int code = child.wait();
    EXPECT_TRUE(code == 0 || code == 1) << code;
    if (code == 0) ++won;
  }
  return won;
}

TEST_F(RegistryTest, OfConcurrentCreatesForOneTagOneWins) {
  EXPECT_EQ(
      winners([&](int i) { return create_or_refuse(registry_, "lb", "app" + std::to_string(i)); }),
      1);
  EXPECT_THAT(tags(registry_), ElementsAre("lb"));
}

TEST_F(RegistryTest, OfConcurrentCreatesForOneIdOneWins) {
  EXPECT_EQ(
      winners([&](int i) { return create_or_refuse(registry_, "lb" + std::to_string(i), "app1"); }),
      1);
  EXPECT_EQ(registry_.list().size(), 1u);
}

TEST_F(RegistryTest, SaysThatItsFolderIsNone) {
  fs::create_directories(temp_ / "etc");
  tests::write_file(folder_, "");
  EXPECT_THAT(error_of([&] { (void)registry_.list(); }), HasSubstr(folder_));
  EXPECT_THAT(error_of([&] { registry_.create(Tag("lb"), text("app1")); }), HasSubstr(folder_));
  tests::write_file(temp_ / "file", "");
  EXPECT_THAT(error_of([&] { (void)Registry(temp_ / "file/resources.d").list(); }),
              HasSubstr("file/resources.d"));
}

TEST_F(RegistryTest, RefusesAFileThatIsTooLarge) {
  registry_.create(Tag("lb"), text("app1"));
  tests::write_file(folder_ + "/big.toml", text("app2", std::string(2 << 20, 'x')));
  EXPECT_THAT(error_of([&] { (void)registry_.read(Tag("big")); }), HasSubstr("larger than"));
  EXPECT_EQ(registry_.list().size(), 2u);
}

class StateFileTest : public testing::Test {
 protected:
  TempDir temp_;
  common::Directory dir_ = tests::open_dir(temp_.path());
  StateFile states_{dir_, Id("app1")};
};

TEST_F(StateFileTest, IsOutOfServiceWithoutAFile) {
  EXPECT_EQ(states_.read(), common::State::out_unimpaired);
}

TEST_F(StateFileTest, KeepsWhatIsWritten) {
  for (const auto state : {common::State::in_service_protected, common::State::out_failed,
                           common::State::in_service_unprotected}) {
    states_.write(state);
    EXPECT_EQ(states_.read(), state);
    EXPECT_EQ(StateFile(dir_, Id("app2")).read(), common::State::out_unimpaired);
  }
  EXPECT_EQ(tests::read_file(temp_ / "app1.state"), "ISU\n");
}

TEST_F(StateFileTest, OutOfServiceTakesTheFileAway) {
  states_.write(common::State::in_service_protected);
  states_.write(common::State::out_unimpaired);
  EXPECT_THAT(files(temp_.path()), testing::IsEmpty());
  EXPECT_NO_THROW(states_.write(common::State::out_unimpaired));
}

// A state that is misread as "not in service" would make quickCheck look away for ever.
TEST_F(StateFileTest, GarbageIsAnErrorThatSaysWhatToDo) {
  for (const std::string& garbage :
       {std::string(), std::string("ISP"), std::string("isp\n"), std::string("ISP\n\n"),
        std::string("\xff\n"), std::string("ISP \n"), std::string("ISP\n\0", 5)}) {
    tests::write_file(temp_ / "app1.state", garbage);
    const std::string problem = error_of([&] { (void)states_.read(); });
    EXPECT_THAT(problem, testing::AllOf(HasSubstr(temp_ / "app1.state"), HasSubstr("remove and")))
        << garbage;
    EXPECT_EQ(problem.find('\n'), std::string::npos);
  }
  tests::write_file(temp_ / "app1.state", std::string(1000, 'x'));
  EXPECT_THAT(error_of([&] { (void)states_.read(); }), HasSubstr("larger than"));
}

}  // namespace
}  // namespace genapp::cluster
