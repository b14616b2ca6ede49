#include "cluster/cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cluster/registry.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::cluster {
namespace {

using common::ClusterKind;
using common::Id;
using common::Tag;
using testing::HasSubstr;
using tests::error_of;
using tests::ScopedEnv;
using tests::TempDir;

// A LifeKeeper of the test's, with an ins_list of that mode.
void install_lifekeeper(const TempDir& root, mode_t mode) {
  std::filesystem::create_directories(root / "bin");
  tests::write_file(root / "bin/ins_list", "#!/bin/sh\n");
  ::chmod((root / "bin/ins_list").c_str(), mode);
}

TEST(ClusterKindOfNode, IsWhatTheSettingsSay) {
  const TempDir root;
  install_lifekeeper(root, 0755);
  const ScopedEnv lkroot("LKROOT", root.path());
  common::Settings settings;
  settings.cluster = ClusterKind::registry;
  EXPECT_EQ(cluster_kind(settings), ClusterKind::registry);
  const ScopedEnv nowhere("LKROOT", root / "none");
  settings.cluster = ClusterKind::lifekeeper;
  EXPECT_EQ(cluster_kind(settings), ClusterKind::lifekeeper);
}

TEST(ClusterKindOfNode, IsLifeKeeperWhereItsProgramCanBeRun) {
  const TempDir root;
  const ScopedEnv lkroot("LKROOT", root.path());
  EXPECT_EQ(cluster_kind({}), ClusterKind::registry);
  install_lifekeeper(root, 0644);
  EXPECT_EQ(cluster_kind({}), ClusterKind::registry);
  install_lifekeeper(root, 0755);
  EXPECT_EQ(cluster_kind({}), ClusterKind::lifekeeper);
}

TEST(ClusterKindOfNode, TakesAnEmptyLkrootForNone) {
  const ScopedEnv empty("LKROOT", "");
  const ClusterKind with_empty = cluster_kind({});
  const ScopedEnv unset("LKROOT");
  EXPECT_EQ(with_empty, cluster_kind({}));
}

TEST(OpenCluster, ReadsTheRegistryAndChecksTheId) {
  const TempDir config;
  const ScopedEnv override_("GENAPP_CONFIG_DIR", config.path());
  const ScopedEnv lkroot("LKROOT", config / "none");
  Registry(config / "resources.d").create(Tag("lb"), "type = \"lbhc\"\nid = \"app1\"\n");
  const auto cluster = open_cluster({});
  EXPECT_EQ(cluster->read(Tag("lb"), Id("app1")).id.text(), "app1");
  EXPECT_THAT(error_of([&] { (void)cluster->read(Tag("lb"), Id("app2")); }),
              testing::AllOf(HasSubstr("\"app1\""), HasSubstr("not \"app2\"")));
  EXPECT_THAT(error_of([&] { (void)cluster->read(Tag("none"), Id("app1")); }),
              HasSubstr("no resource \"none\""));
}

TEST(OpenCluster, KeepsStatesInTheRunDirectory) {
  const TempDir run;
  const ScopedEnv lkroot("LKROOT", run / "none");
  const ScopedEnv config("GENAPP_CONFIG_DIR", run / "etc");
  Registry(run / "etc/resources.d").create(Tag("lb"), "type = \"lbhc\"\nid = \"app1\"\n");
  const common::Directory dir = tests::open_dir(run.path());
  const auto cluster = open_cluster({});
  const auto states = cluster->states(dir, cluster->find(Tag("lb")));
  states->write(common::State::in_service_protected);
  EXPECT_EQ(tests::read_file(run / "app1.state"), "ISP\n");
}

}  // namespace
}  // namespace genapp::cluster
