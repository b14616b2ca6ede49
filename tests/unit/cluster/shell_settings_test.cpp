#include "cluster/shell_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.hpp"

namespace genapp::cluster {
namespace {

// "VALUE@LINE", or "-".
std::string found(const std::string& text) {
  const auto assignment = find_assignment(text, "HC_TIMEOUT");
  return assignment ? assignment->value + "@" + std::to_string(assignment->line) : "-";
}

TEST(ShellSettings, FindsAPlainLine) {
  EXPECT_EQ(found("LKROOT=/opt/LifeKeeper\nHC_TIMEOUT=15\nLKCHECKINTERVAL=120\n"), "15@2");
  EXPECT_EQ(found("HC_TIMEOUT=15"), "15@1");
  EXPECT_EQ(found(" \t export HC_TIMEOUT=15\n"), "15@1");
  EXPECT_EQ(found("HC_TIMEOUT=\n"), "@1");
  EXPECT_EQ(found("HC_TIMEOUT=15\r\n"), "15@1");
}

TEST(ShellSettings, FindsNothingWhereThereIsNothing) {
  EXPECT_EQ(found(""), "-");
  EXPECT_EQ(found("\n\n# HC_TIMEOUT=15\n"), "-");
  EXPECT_EQ(found("XHC_TIMEOUT=15\nHC_TIMEOUTX=15\nhc_timeout=15\n"), "-");
}

TEST(ShellSettings, TheLastOneHolds) {
  EXPECT_EQ(found("HC_TIMEOUT=15\nHC_TIMEOUT=20\n"), "20@2");
  EXPECT_EQ(found("HC_TIMEOUT=15 HC_TIMEOUT=20\n"), "20@1");
  EXPECT_EQ(found("A=1;HC_TIMEOUT=15; B=2\n"), "15@1");
}

TEST(ShellSettings, TakesQuotesOff) {
  EXPECT_EQ(found("HC_TIMEOUT=\"15\"\n"), "15@1");
  EXPECT_EQ(found("HC_TIMEOUT='15'\n"), "15@1");
  EXPECT_EQ(found("HC_TIMEOUT=1'5'\"0\"\\1\n"), "1501@1");
  EXPECT_EQ(found("HC_TIMEOUT=\"a \\\" \\x 'b'\" # why\n"), "a \" \\x 'b'@1");
  EXPECT_EQ(found("HC_TIMEOUT='a \\' # b\n"), "a \\@1");
}

TEST(ShellSettings, KnowsComments) {
  EXPECT_EQ(found("HC_TIMEOUT=15 # seconds\n"), "15@1");
  EXPECT_EQ(found("HC_TIMEOUT=15#x\n"), "15#x@1");
}

TEST(ShellSettings, WhatStandsInAQuoteOfSeveralLinesIsNone) {
  EXPECT_EQ(found("MOTD=\"\nHC_TIMEOUT=15\n\"\nHC_TIMEOUT=20\n"), "20@4");
  EXPECT_EQ(found("MOTD='\nHC_TIMEOUT=15\n"), "-");
}

TEST(ShellSettings, PassesOverWhatIsNoAssignment) {
  EXPECT_EQ(found("HC_TIMEOUT = 15\n"), "-");
  EXPECT_EQ(found("HC_TIMEOUT=15 some_command\n"), "-");
  EXPECT_EQ(found("echo HC_TIMEOUT=15\n"), "-");
  EXPECT_EQ(found("HC_TIMEOUT\n"), "-");
}

TEST(ShellSettings, ExpandsNothing) {
  EXPECT_EQ(found("HC_TIMEOUT=$OTHER\n"), "$OTHER@1");
  EXPECT_EQ(found("HC_TIMEOUT=`date`\n"), "`date`@1");
}

// What a shell says of the same text.
TEST(ShellSettings, AgreesWithAShell) {
  for (const std::string text :
       {"HC_TIMEOUT=15", "export HC_TIMEOUT=15", "HC_TIMEOUT='1'5 # x", "HC_TIMEOUT=\"1 5\"",
        "A=1;HC_TIMEOUT=2", "HC_TIMEOUT=1 HC_TIMEOUT=2", "HC_TIMEOUT=15 true", "HC_TIMEOUT=1\\\n5",
        "A='\nHC_TIMEOUT=3\n'", "HC_TIMEOUT=15#x", "HC_TIMEOUT=\"\\x\\\\\\\"\"", "HC_TIMEOUT=",
        "true HC_TIMEOUT=15", "HC_TIMEOUT='a'\"b\"c\\ d", "HC_TIMEOUT=1; # HC_TIMEOUT=2"}) {
    const auto assignment = find_assignment(text, "HC_TIMEOUT");
    const auto shell =
        tests::run({.argv = {"sh", "-c", text + "\nprintf %s \"${HC_TIMEOUT-none}\""},
                    .unset = {"HC_TIMEOUT"}});
    EXPECT_EQ(assignment ? assignment->value : "none", shell.out) << text;
  }
}

}  // namespace
}  // namespace genapp::cluster
