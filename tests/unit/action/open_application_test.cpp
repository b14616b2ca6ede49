#include "action/open_application.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::action {
namespace {

using testing::HasSubstr;
using tests::error_of;
using tests::ScopedEnv;

class OpenApplicationTest : public testing::Test {
 protected:
  OpenApplicationTest() { std::filesystem::create_directory(temp_ / "resources.d"); }

  OpenedApplication open(const std::string& resource, const std::string& settings = "") {
    tests::write_file(temp_ / "resources.d/lb.toml", resource);
    tests::write_file(temp_ / "genapp.toml", settings);
    return open_application({common::Tag("lb"), common::Id("app1"), {}}, common::read_settings(),
                            run_dir_);
  }

  tests::TempDir temp_;
  tests::TempDir run_;
  common::Directory run_dir_ = tests::open_dir(run_.path());
  ScopedEnv config_{"GENAPP_CONFIG_DIR", temp_.path()};
  ScopedEnv lkroot_{"LKROOT", temp_ / "none"};
  ScopedEnv timeout_{"HC_TIMEOUT"};
};

TEST_F(OpenApplicationTest, TouchesNothing) {
  const auto opened = open("type = \"lbhc\"\nid = \"app1\"\ninfo = \"54321\"\n");
  EXPECT_EQ(opened.states->read(), common::State::out_unimpaired);
  EXPECT_EQ(opened.application->quick_check().exit_code, common::ExitCode::ok);
  EXPECT_THAT(run_dir_.names(), testing::IsEmpty());
}

TEST_F(OpenApplicationTest, ReadsTheNodesDefaults) {
  EXPECT_THAT(error_of([&] {
                open("type = \"lbhc\"\nid = \"app1\"\ninfo = \"54321\"\n",
                     "[lbhc]\nhc_timeout = -1\n");
              }),
              HasSubstr("genapp.toml:2: lbhc.hc_timeout"));
}

TEST_F(OpenApplicationTest, AScriptResourceTouchesNothingEither) {
  const auto opened = open(
      "type = \"script\"\nid = \"app1\"\n[script]\nfolder = \"/no/such\"\n"
      "quickcheck = [\"/no/such\"]\nquickcheck_timeout = 3\n");
  EXPECT_EQ(opened.application->quick_check().exit_code, common::ExitCode::ok);
  EXPECT_GE(opened.application->longest_quick_check(), std::chrono::seconds(3));
  EXPECT_THAT(run_dir_.names(), testing::IsEmpty());
}

TEST_F(OpenApplicationTest, ARemoteResourceTouchesNothingEither) {
  const auto opened = open(
      "type = \"remote\"\nid = \"app1\"\n[remote]\nnode = \"guest1\"\ncommand = [\"/a\"]\n"
      "appmgr = \"/no/such\"\n");
  EXPECT_EQ(opened.application->quick_check().exit_code, common::ExitCode::ok);
  EXPECT_LE(opened.application->longest_quick_check(), std::chrono::seconds(5));
  EXPECT_GT(opened.application->longest_quick_check(), std::chrono::seconds(0));
  EXPECT_THAT(run_dir_.names(), testing::IsEmpty());
}

TEST_F(OpenApplicationTest, EachTypeHasItsOwnDefaults) {
  const std::string script = "type = \"script\"\nid = \"app1\"\n[script]\nfolder = \"/a\"\n";
  EXPECT_THAT(error_of([&] { open(script, "[script]\nkill_after = -1\n"); }),
              HasSubstr("genapp.toml:2: script.kill_after"));
  EXPECT_EQ(error_of([&] { open(script, "[lbhc]\nhc_timeout = -1\n"); }), "");
  EXPECT_EQ(error_of([&] {
              open("type = \"lbhc\"\nid = \"app1\"\ninfo = \"54321\"\n",
                   "[script]\nkill_after = -1\n");
            }),
            "");
}

// Only an LBHC can be taken out by its id alone.
TEST_F(OpenApplicationTest, AScriptResourceIsNoKnownLbhc) {
  open("type = \"lbhc\"\nid = \"app1\"\ninfo = \"54321\"\n");
  const common::ResourceArgs args{common::Tag("lb"), common::Id("app1"), {}};
  EXPECT_EQ(error_of([&] { require_known_lbhc(args, common::read_settings()); }), "");
  open("type = \"script\"\nid = \"app1\"\n[script]\nfolder = \"/a\"\n");
  EXPECT_THAT(error_of([&] { require_known_lbhc(args, common::read_settings()); }),
              HasSubstr("of type script"));
  open("type = \"remote\"\nid = \"app1\"\n[remote]\nnode = \"g\"\ncommand = [\"/a\"]\n");
  EXPECT_THAT(error_of([&] { require_known_lbhc(args, common::read_settings()); }),
              HasSubstr("of type remote"));
}

TEST_F(OpenApplicationTest, NamesWhatIsWrongWithTheResource) {
  EXPECT_THAT(error_of([&] { open("type = \"script\"\nid = \"app1\"\n"); }),
              testing::AllOf(HasSubstr("lb.toml"), HasSubstr("say what to run for restore")));
  EXPECT_THAT(error_of([&] { open("type = \"lbhc\"\nid = \"app1\"\n"); }), HasSubstr("no port"));
  EXPECT_THAT(error_of([&] { open("type = \"lbhc\"\nid = \"other\"\ninfo = \"1\"\n"); }),
              HasSubstr("not \"app1\""));
}

}  // namespace
}  // namespace genapp::action
