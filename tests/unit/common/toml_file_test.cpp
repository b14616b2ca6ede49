#include "common/toml_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;
using tests::error_of;

TomlFile parse(std::string_view text) { return TomlFile::parse("/etc/x.toml", text); }
std::string parse_error(std::string_view text) {
  return error_of([&] { parse(text); });
}

const Setting& setting(const TomlFile& file, std::string_view section, std::string_view key) {
  const Setting* found = file.find(section, key);
  if (!found) throw std::runtime_error(std::string(key) + " was not found");
  return *found;
}

TEST(TomlFile, KeepsValuesAndWhereTheyWereWritten) {
  const TomlFile file = parse("type = \"lbhc\"\n\n[lbhc]\n# remark\nhc_timeout = 0.2\n");
  EXPECT_EQ(file.path(), "/etc/x.toml");
  EXPECT_EQ(file.settings().size(), 2u);
  const Setting& type = setting(file, "", "type");
  EXPECT_EQ(type.name(), "type");
  EXPECT_EQ(type.as_string(), "lbhc");
  EXPECT_EQ(type.origin, "/etc/x.toml:1");
  const Setting& timeout = setting(file, "lbhc", "hc_timeout");
  EXPECT_EQ(timeout.name(), "lbhc.hc_timeout");
  EXPECT_EQ(timeout.as_number(), 0.2);
  EXPECT_EQ(timeout.origin, "/etc/x.toml:5");
  EXPECT_EQ(file.find("", "hc_timeout"), nullptr);
  EXPECT_EQ(file.find("lbhc", "type"), nullptr);
}

TEST(TomlFile, HasEveryTypeOfSetting) {
  const TomlFile file = parse("b=true\ni=-7\nf=1.5\ns=\"x\"\nl=[\"a\", \"b\"]\ne=[]\n");
  EXPECT_TRUE(setting(file, "", "b").as_bool());
  EXPECT_EQ(setting(file, "", "i").as_number(), -7);
  EXPECT_EQ(setting(file, "", "f").as_number(), 1.5);
  EXPECT_EQ(setting(file, "", "s").as_string(), "x");
  EXPECT_THAT(setting(file, "", "l").as_list(), testing::ElementsAre("a", "b"));
  EXPECT_THAT(setting(file, "", "e").as_list(), testing::IsEmpty());
}

TEST(TomlFile, EmptyTextIsAnEmptyFile) {
  EXPECT_TRUE(parse("").settings().empty());
  EXPECT_TRUE(parse("# nothing\n\n").settings().empty());
}

TEST(Setting, SaysWhichTypeItMustHave) {
  const TomlFile file = parse("\nb = true\ns = \"x\"\n[t]\nn = 5\n");
  EXPECT_EQ(error_of([&] { setting(file, "", "s").as_bool(); }),
            "/etc/x.toml:3: s must be true or false");
  EXPECT_EQ(error_of([&] { setting(file, "", "s").as_number(); }),
            "/etc/x.toml:3: s must be a number");
  EXPECT_EQ(error_of([&] { setting(file, "", "b").as_number(); }),
            "/etc/x.toml:2: b must be a number");
  EXPECT_THAT(error_of([&] { (void)setting(file, "t", "n").as_string(); }),
              StartsWith("/etc/x.toml:5: t.n must be a string"));
  EXPECT_THAT(error_of([&] { (void)setting(file, "", "s").as_list(); }),
              StartsWith("/etc/x.toml:3: s must be a list of strings"));
}

TEST(Setting, IsOneOfTheWordsOrAnErrorThatListsThem) {
  const TomlFile file = parse("w = \"two\"\nx = \"TWO\\n\"\n");
  EXPECT_EQ(setting(file, "", "w").as_word({"one", "two"}), 1u);
  EXPECT_EQ(error_of([&] {
              setting(file, "", "x").as_word({"one", "two"});
            }),
            "/etc/x.toml:2: x is \"TWO\\n\", must be one of: one, two");
}

TEST(TomlFile, NamesTheLineOfASyntaxError) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"a = 1\nb = \n", "/etc/x.toml:2: "},
      {"a = 1\n\n[t\n", "/etc/x.toml:3: "},
      {"a = \"x\n", "/etc/x.toml:1: "},
      {"a = 1\na = 2\n", "/etc/x.toml:2: "},
      {"a\n", "/etc/x.toml:1: "},
      {"a = 1\nb = 1 2\n", "/etc/x.toml:2: "},
      {"a = 1\nb = \"\xff\xfe\"\n", "/etc/x.toml:2: "},
      {"\n\n\x01\n", "/etc/x.toml:3: "},
      {"a = 'x\ny'\n", "/etc/x.toml:1: "},
      {"[t]\n[t]\n", "/etc/x.toml:2: "},
  };
  for (const auto& [text, place] : wrong) {
    const std::string problem = parse_error(text);
    EXPECT_THAT(problem, StartsWith(place)) << text;
    EXPECT_GT(problem.size(), place.size());
  }
}

// Whatever stands in the file: the error stays one line that a terminal shows as it is.
TEST(TomlFile, ErrorsAreOneLineOfPlainText) {
  const std::vector<std::string> wrong{
      "a = \x1b[2J\n",
      "\"a\\nb\" = [1]\n",
      "[\"a\\u001b\".t.u]\n",
      "[\"a\\u001b.t\"]\n",
      "[t]\n\"a\\nb\" = 1979-05-27\n",
      "a = \"\x07\"\n",
      "\xe2\x82\xac = 1\n",
      std::string("a\0b = 1\n", 8),
      "a = \xe2\x80\xa8\n",
  };
  for (const std::string& text : wrong) {
    const std::string problem = parse_error(text);
    EXPECT_NE(problem, "") << text;
    for (const char c : problem) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << problem;
  }
}

TEST(TomlFile, RefusesValuesThatNoSettingHas) {
  EXPECT_THAT(parse_error("a = 1\nd = 1979-05-27\n"), StartsWith("/etc/x.toml:2: d "));
  EXPECT_THAT(parse_error("d = 07:32:00\n"), StartsWith("/etc/x.toml:1: d "));
  EXPECT_THAT(parse_error("l = [\"a\", 1]\n"), HasSubstr("list of strings"));
  EXPECT_THAT(parse_error("l = [[\"a\"]]\n"), HasSubstr("list of strings"));
  EXPECT_THAT(parse_error("[[t]]\na = 1\n"), StartsWith("/etc/x.toml:1: t "));
  EXPECT_THAT(parse_error("[t]\nu = {a = 1}\n"), StartsWith("/etc/x.toml:2: t.u "));
  EXPECT_THAT(parse_error("[[t.u]]\na = 1\n"), StartsWith("/etc/x.toml:1: t.u "));
  EXPECT_THAT(parse_error("t = {u = {a = 1}}\n"), StartsWith("/etc/x.toml:1: t.u "));
  EXPECT_THAT(parse_error("[t.u]\nv = {a = 1}\n"), StartsWith("/etc/x.toml:2: t.u.v "));
  EXPECT_THAT(parse_error("[t.u]\n[t.u.v]\na = 1\n"), StartsWith("/etc/x.toml:2: t.u.v "));
  EXPECT_THAT(parse_error("[t]\nu.v.a = 1\n"), StartsWith("/etc/x.toml:2: t.u.v "));
}

TEST(TomlFile, TablesWithinTablesAreSectionsOfTheirOwn) {
  const TomlFile file = parse("[t.u]\na = 1\n[t]\na = 2\nv.a = 3\n[w.\"x.y\"]\n");
  const Setting& inner = setting(file, "t.u", "a");
  EXPECT_EQ(inner.as_number(), 1);
  EXPECT_EQ(inner.name(), "t.u.a");
  EXPECT_EQ(inner.origin, "/etc/x.toml:2");
  EXPECT_EQ(setting(file, "t", "a").as_number(), 2);
  EXPECT_EQ(setting(file, "t.v", "a").origin, "/etc/x.toml:5");
  EXPECT_THAT(file.sections(),
              testing::ElementsAre(Pair("t.u", 1), Pair("t", 3), Pair("t.v", 5), Pair("w.x.y", 6)));
}

// Whoever writes [monitor.db] has not written [monitor].
TEST(TomlFile, ATableAroundOthersIsListedForItsOwnKeysAlone) {
  EXPECT_THAT(parse("[t.u]\n").sections(), testing::ElementsAre(Pair("t.u", 1)));
  EXPECT_THAT(parse("[t.u]\na = 1\n[t]\nb = 1\n").sections(),
              testing::ElementsAre(Pair("t.u", 1), Pair("t", 3)));
  EXPECT_THAT(parse("\nt.a = 1\n").sections(), testing::ElementsAre(Pair("t", 2)));
  EXPECT_THAT(parse("\nt.u.a = 1\nt.a = 1\n").sections(),
              testing::ElementsAre(Pair("t.u", 2), Pair("t", 2)));
  EXPECT_THAT(parse("\nt = {a = 1}\n").sections(), testing::ElementsAre(Pair("t", 2)));
  EXPECT_THAT(parse("\n[t]\n").sections(), testing::ElementsAre(Pair("t", 2)));
}

// Else ["t.u"] and [t.u] would be one section, and [""] the top.
TEST(TomlFile, RefusesTableNamesThatWouldBeTakenForOthers) {
  EXPECT_EQ(parse_error("\n[\"t.u\"]\na = 1\n"), "/etc/x.toml:2: unknown table \"t.u\"");
  EXPECT_EQ(parse_error("[\"t.u\".v]\n"), "/etc/x.toml:1: unknown table \"t.u\"");
  EXPECT_EQ(parse_error("a = 1\n[\"\"]\na = 2\n"), "/etc/x.toml:2: unknown table \"\"");
}

TEST(TomlFile, UnknownKeysNameTheirLineAndTheKnownOnes) {
  constexpr std::array<std::string_view, 2> known{"a", "b"};
  const TomlFile file = parse("a = 1\n[t]\nb = 1\nhc_timeuot = 5\n");
  EXPECT_NO_THROW(file.require_known("", known));
  EXPECT_EQ(error_of([&] { file.require_known("t", known); }),
            "/etc/x.toml:4: unknown key \"t.hc_timeuot\"; known here: a, b");
}

// Of several unknown keys the first in the file: the user reads downwards.
TEST(TomlFile, TheFirstUnknownKeyIsTheOneNamed) {
  constexpr std::array<std::string_view, 1> known{"a"};
  const TomlFile file = parse("zz = 1\nbb = 2\n[y]\n[x]\n");
  EXPECT_THAT(error_of([&] { file.require_known("", known); }), StartsWith("/etc/x.toml:1: "));
  EXPECT_THAT(error_of([&] { file.require_known_sections(known); }), StartsWith("/etc/x.toml:3: "));
}

TEST(TomlFile, UnknownTablesAreErrorsEvenWhenEmpty) {
  constexpr std::array<std::string_view, 1> known{"lbhc"};
  EXPECT_NO_THROW(parse("[lbhc]\n").require_known_sections(known));
  EXPECT_EQ(error_of([&] { parse("a = 1\n[lbch]\n").require_known_sections(known); }),
            "/etc/x.toml:2: unknown table \"lbch\"; known here: lbhc");
  EXPECT_THAT(error_of([&] { parse("other.key = 1\n").require_known_sections(known); }),
              HasSubstr("unknown table \"other\""));
  EXPECT_EQ(error_of([&] { parse("[lbhc]\n[lbhc.x]\n").require_known_sections(known); }),
            "/etc/x.toml:2: unknown table \"lbhc.x\"; known here: lbhc");
}

TEST(TomlFile, AStarStandsForEveryTableWithinOne) {
  constexpr std::array<std::string_view, 2> known{"lbhc", "monitor.*"};
  EXPECT_NO_THROW(parse("[monitor.db]\n[monitor.web]\na = 1\n").require_known_sections(known));
  for (const char* other : {"monitor", "monitors.db", "agent.db", "x.monitor"}) {
    const std::string text = "[" + std::string(other) + "]\n";
    EXPECT_EQ(
        error_of([&] { parse(text).require_known_sections(known); }),
        "/etc/x.toml:1: unknown table \"" + std::string(other) + "\"; known here: lbhc, monitor.*");
  }
}

TEST(TomlFile, IsReadFromDisk) {
  const tests::TempDir temp;
  EXPECT_FALSE(TomlFile::read(temp / "none.toml"));
  tests::write_file(temp / "f.toml", "a = 1\nb = \n");
  EXPECT_THAT(error_of([&] { TomlFile::read(temp / "f.toml"); }),
              StartsWith((temp / "f.toml") + ":2: "));
  EXPECT_THAT(error_of([&] { TomlFile::read(temp.path()); }), HasSubstr("not a regular file"));
  tests::write_file(temp / "big.toml", "a = \"" + std::string(2 << 20, 'x') + "\"\n");
  EXPECT_THAT(error_of([&] { TomlFile::read(temp / "big.toml"); }), HasSubstr("larger than"));
}

// A hostile or broken file must not end the program.
TEST(TomlFile, DeepNestingIsAnErrorAndNotTheEnd) {
  EXPECT_NE(parse_error("a = " + std::string(100'000, '[')), "");
  EXPECT_NE(parse_error("a = " + std::string(1000, '[') + std::string(1000, ']')), "");
}

// toml++ nests a table for each dot. In a child, since running out of stack ends the process.
TEST(TomlFile, AKeyOfVeryManyPartsIsAnErrorAndNotTheEnd) {
  std::string dots;
  for (int i = 0; i < 250'000; ++i) dots += "a . ";
  std::string nested;
  for (int i = 0; i < 120; ++i) nested += "a.b.c.d.e.f.g.h = [\n{";
  tests::Child child([&] {
    for (const std::string& text :
         {dots + "a = 1\n", "[" + dots + "a]\n", "[[" + dots + "a]]\n", "a = {" + dots + "a = 1}\n",
          "'x' . \"y\" . " + dots + "a = 1\n", "a = {b = \"\"\"c\"\"\"\", " + dots + "a = 1}\n",
          nested}) {
      if (!parse_error("\n" + text).starts_with("/etc/x.toml:")) return 1;
    }
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(parse_error("\na.b.c.d.e.f.g.h.i.j = 1\n"),
            "/etc/x.toml:2: a key has too many dots: at most TABLE.NAME.KEY is known");
}

// Dots that join no key are no matter of that bound.
TEST(TomlFile, DotsElsewhereAreNotCounted) {
  const std::string many = "10.0.0.1 1.2.3.4.5.6.7.8.9.10.11.12";
  const TomlFile file =
      parse("# " + many + "\ns = \"" + many + "\"\nm = \"\"\"\n" + many + "\"\"\"\"\"\nl = ['" +
            many + "', '" + many + "']\nf = 1.5 # " + many + "\n");
  EXPECT_EQ(setting(file, "", "s").as_string(), many);
  EXPECT_EQ(setting(file, "", "m").as_string(), many + "\"\"");
  EXPECT_EQ(setting(file, "", "l").as_list().size(), 2u);
  EXPECT_THAT(parse_error("l = [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]\n"),
              HasSubstr("list of strings"));
}

// toml++ 3.3.0 asserts, or runs into what it calls unreachable, on some characters where a key, a
// value or the end of a line should stand. In a child each, since that ends the process.
TEST(TomlFile, StrangeCharactersAreErrorsAndNotTheEnd) {
  for (const std::string& odd :
       {std::string("!"), std::string("="), std::string("\x01"), std::string("\xc3\xa4"),
        std::string("\xd0\x96"), std::string("\xe2\x82\xac"), std::string("\xff")}) {
    tests::Child child([&] {
      for (const std::string& text :
           {odd + " = 1\n", "a" + odd + " = 1\n", "a." + odd + " = 1\n", "[" + odd + "]\n",
            "[[" + odd + "]]\n", "a = " + odd + "\n", "a = 1" + odd + "\n", "[a]" + odd + "\n",
            "a = {b = \"\"\"c\"\"\"\", " + odd + " = 1}\n",
            "a = {b = '''c''''', " + odd + " = 1}\n"}) {
        if (parse_error(text).empty()) return 1;
      }
      return 0;
    });
    EXPECT_EQ(child.wait(), 0) << odd;
  }
}

// A letter where toml++ asks for white space: after a backslash at a line's end it is a right one,
// and quotes within a wrong number hold no string. (Only UndefinedBehaviorSanitizer sees it go
// wrong.)
TEST(TomlFile, LettersBeyondAsciiAreNoWhiteSpace) {
  for (const std::string& letter :
       {std::string("\xc3\xa4"), std::string("\xd0\x96"), std::string("\xe2\x82\xac"),
        std::string("\xef\xbb\xaf"), std::string("\xf0\x9f\x98\x80")}) {
    const TomlFile file = parse("s = \"\"\"a \\\n  " + letter + "\"\"\"\n");
    EXPECT_EQ(setting(file, "", "s").as_string(), "a " + letter);
    EXPECT_THAT(parse_error("a = 3e=\"" + letter + "\"\n"), StartsWith("/etc/x.toml:1: "));
    EXPECT_THAT(parse_error("s = \"\\" + letter + "\"\n"), StartsWith("/etc/x.toml:1: "));
    EXPECT_THAT(parse_error("s = \"\"\"\\" + letter + "\"\"\"\n"), StartsWith("/etc/x.toml:1: "));
  }
}

TEST(TomlQuoted, EveryByteComesBack) {
  for (int byte = 1; byte < 128; ++byte) {
    const std::string text = "a" + std::string(1, static_cast<char>(byte)) + "b";
    const TomlFile file = parse("k = " + toml_quoted(text) + "\n");
    EXPECT_EQ(setting(file, "", "k").as_string(), text) << byte;
  }
}

TEST(TomlQuoted, WholeTextsComeBack) {
  std::string all;
  for (int byte = 1; byte < 128; ++byte) all += static_cast<char>(byte);
  const std::vector<std::string> texts{
      all, "",   "54321 OK \\r\\n",    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\"\"",
      "'", "\\", std::string("\0x", 2)};
  for (const std::string& text : texts) {
    EXPECT_EQ(setting(parse("k = " + toml_quoted(text)), "", "k").as_string(), text);
  }
}

}  // namespace
}  // namespace genapp::common
