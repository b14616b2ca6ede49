#include "common/paths.hpp"

#include <gtest/gtest.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using tests::ScopedEnv;

TEST(Paths, AreTheDocumentedOnesWithoutOverrides) {
  const ScopedEnv config("GENAPP_CONFIG_DIR");
  const ScopedEnv run("GENAPP_RUN_DIR");
  EXPECT_EQ(paths::settings_file(), "/etc/genapp/genapp.toml");
  EXPECT_EQ(paths::resources_dir(), "/etc/genapp/resources.d");
  EXPECT_EQ(paths::resource_file(Tag("lb")), "/etc/genapp/resources.d/lb.toml");
  EXPECT_EQ(paths::run_dir(), "/run/genapp");
}

TEST(Paths, FollowTheOverrides) {
  const ScopedEnv config("GENAPP_CONFIG_DIR", "/home/u/etc");
  const ScopedEnv run("GENAPP_RUN_DIR", "/home/u/run");
  EXPECT_EQ(paths::settings_file(), "/home/u/etc/genapp.toml");
  EXPECT_EQ(paths::resource_file(Tag("lb")), "/home/u/etc/resources.d/lb.toml");
  EXPECT_EQ(paths::run_dir(), "/home/u/run");
}

// "GENAPP_RUN_DIR= restore ..." must not end up in the root directory.
TEST(Paths, TakeAnEmptyOverrideForNone) {
  const ScopedEnv config("GENAPP_CONFIG_DIR", "");
  const ScopedEnv run("GENAPP_RUN_DIR", "");
  EXPECT_EQ(paths::config_dir(), "/etc/genapp");
  EXPECT_EQ(paths::run_dir(), "/run/genapp");
}

TEST(Paths, NameRunFilesByTheId) {
  const Id id("app4238");
  EXPECT_EQ(paths::pid_name(id), "app4238.pid");
  EXPECT_EQ(paths::flag_name(id), "app4238-hc-ng");
  EXPECT_EQ(paths::state_name(id), "app4238.state");
  EXPECT_EQ(paths::sock_name(id), "app4238.sock");
  EXPECT_EQ(paths::lock_name(id), "app4238.lock");
  EXPECT_EQ(paths::turn_name(id), "app4238.turn");
  EXPECT_EQ(paths::check_name(id), "app4238.check");
}

// No identifier begins with a dot, so a temporary file is never taken for a resource.
TEST(Paths, HideTemporaryFiles) {
  EXPECT_EQ(paths::temporary_name("lb.toml").front(), '.');
  EXPECT_NE(paths::temporary_name("a"), paths::temporary_name("b"));
}

}  // namespace
}  // namespace genapp::common
