#include "ctl/table.hpp"

#include <gtest/gtest.h>

namespace genapp::ctl {
namespace {

TEST(Table, AlignsColumnsByTheirWidestCell) {
  EXPECT_EQ(table_text({{"TAG", "ID"}, {"a", "app1"}, {"longer", "b"}}),
            "TAG     ID\n"
            "a       app1\n"
            "longer  b\n");
}

TEST(Table, ShowsAnEmptyCellAsADash) {
  EXPECT_EQ(table_text({{"A", "B", "C"}, {"", "x", ""}}),
            "A  B  C\n"
            "-  x  -\n");
}

TEST(Table, LeavesNoSpaceAtALinesEnd) {
  EXPECT_EQ(table_text({{"A", "LONG HEADER"}, {"1", "2"}}), "A  LONG HEADER\n1  2\n");
}

TEST(Table, OfNoRowsIsNothing) { EXPECT_EQ(table_text({}), ""); }

}  // namespace
}  // namespace genapp::ctl
