#include "common/account.hpp"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using testing::HasSubstr;
using tests::error_of;

TEST(Account, RootIsFoundByNameAndByNumber) {
  for (const char* user : {"root", "0"}) {
    const Account root = find_account(user);
    EXPECT_EQ(root.identity.user, 0u);
    EXPECT_EQ(root.identity.group, 0u);
    EXPECT_EQ(root.name, "root");
    EXPECT_EQ(root.home, "/root");
    EXPECT_THAT(root.identity.groups, testing::Contains(0u));
  }
}

// As the C library tells them, which reads the same files (and others, on a machine that has them).
TEST(Account, EveryAccountOfTheFileIsTheSystems) {
  FILE* const file = ::fopen("/etc/passwd", "re");
  ASSERT_TRUE(file);
  int seen = 0;
  while (const passwd* line = ::fgetpwent(file)) {
    const passwd known = *line;
    const std::string name = line->pw_name;
    const Account account = find_account(name);
    EXPECT_EQ(account.identity.user, known.pw_uid) << name;
    EXPECT_EQ(account.identity.group, known.pw_gid) << name;
    EXPECT_EQ(account.name, name);
    EXPECT_THAT(account.identity.groups, testing::Contains(account.identity.group)) << name;
    ++seen;
  }
  ::fclose(file);
  EXPECT_GT(seen, 5);
}

TEST(Account, ANumberNeedsNoName) {
  const Account account = find_account("3999999999");
  EXPECT_EQ(account.identity.user, 3999999999u);
  EXPECT_EQ(account.identity.group, 3999999999u);
  EXPECT_THAT(account.identity.groups, testing::ElementsAre(3999999999u));
  EXPECT_EQ(account.name, "");
  EXPECT_EQ(account.home, "/");
  EXPECT_EQ(account_of(3999999999u).home, "/");
}

TEST(Account, AGroupMayBeGivenByNumberToo) {
  const Account account = find_account("3999999999:77");
  EXPECT_EQ(account.identity.user, 3999999999u);
  EXPECT_EQ(account.identity.group, 77u);
  EXPECT_THAT(account.identity.groups, testing::ElementsAre(77u));
}

TEST(Account, NobodyElsesNameIsOne) {
  for (const char* user : {"no such user", "", "root ", "-1", "+0", "0x0", "4294967296", "1.5",
                           "1:", ":1", "1:-1", "1:2:3", "1:x", "x:1"}) {
    EXPECT_THAT(error_of([&] { find_account(user); }),
                testing::AllOf(HasSubstr("there is no user \""), HasSubstr("/etc/passwd")))
        << user;
  }
}

// setresuid(2) would take it for "leave it as it is".
TEST(Account, TheNumberThatMeansNoChangeIsNoUser) {
  EXPECT_THAT(error_of([&] { find_account("4294967295"); }), HasSubstr("there is no user"));
}

}  // namespace
}  // namespace genapp::common
