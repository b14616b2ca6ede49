// The tests' own namespaces: a test that believes itself alone must be.

#include "tests/e2e/namespace.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace genapp::tests {
namespace {

TEST(Namespace, HasTheNetworkThatItWasAskedFor) {
  const std::string ours = std::filesystem::read_symlink("/proc/self/ns/net");
  const Namespace own(Namespace::Network::own, "");
  EXPECT_NE(own.shell("readlink /proc/self/ns/net"), ours + "\n");
  EXPECT_EQ(own.shell("ip -o link | wc -l"), "1\n");
  const Namespace shared(Namespace::Network::shared, "");
  EXPECT_EQ(shared.shell("readlink /proc/self/ns/net"), ours + "\n");
}

}  // namespace
}  // namespace genapp::tests
