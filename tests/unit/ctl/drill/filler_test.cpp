#include "ctl/drill/filler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::ctl::drill {
namespace {

using testing::HasSubstr;

TEST(WhyNotFill, AllowsOnlyASmallTmpfsOfItsOwn) {
  EXPECT_EQ(why_not_fill({true, true, 0}, "/run/genapp"), "");
  EXPECT_EQ(why_not_fill({true, true, kMostFill}, "/run/genapp"), "");
  EXPECT_THAT(why_not_fill({true, true, kMostFill + 1}, "/run/genapp"), HasSubstr("64 MiB"));
  for (const Space& space : {Space{false, true, 4096}, Space{true, false, 4096}, Space{}}) {
    EXPECT_THAT(why_not_fill(space, "/run/genapp"),
                HasSubstr("/run/genapp is not a tmpfs of its own"));
  }
}

TEST(SpaceOf, TellsAFolderFromAFileSystem) {
  const tests::TempDir folder;
  EXPECT_FALSE(space_of(tests::open_dir(folder.path())).own);
  EXPECT_FALSE(space_of(tests::open_dir("/")).own) << "nothing is above it";
  const Space processes = space_of(tests::open_dir("/proc"));
  EXPECT_TRUE(processes.own);
  EXPECT_FALSE(processes.tmpfs);
}

}  // namespace
}  // namespace genapp::ctl::drill
