// Which file may include what (docs/architecture.md): the layers, and the libraries that are slow
// to compile or that only one file may know.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/temp_dir.hpp"

namespace genapp {
namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // from the repository's top: "lbhc/daemon.cpp"
  std::string text;
};

// A layer: what its files may include of ours, besides their own folder's files.
const std::map<std::string, std::set<std::string>> kAllowed{
    {"common", {}},
    {"monitor", {"common"}},
    {"monitor/httpmon", {"common", "monitor"}},
    {"monitor/smtpmon", {"common", "monitor"}},
    {"monitor/tls", {"common", "monitor"}},
    {"cluster", {"common"}},
    {"lbhc", {"common"}},
    {"script", {"common"}},
    {"agent", {"common", "cluster", "monitor"}},
    {"agent/page", {"agent"}},
    {"agent/run", {"common", "cluster", "script", "monitor", "agent"}},
    {"agent/web", {"common", "agent"}},
    {"agent/genapp-agent", {"common", "cluster", "agent", "agent/run", "agent/web"}},
    {"remote", {"common"}},
    {"remote/keeper", {"common", "remote"}},
    {"remote/appserver", {"common", "remote"}},
    {"remote/appmgr", {"common", "remote"}},
    {"remote/keys", {"common", "remote"}},
    {"remote/resource", {"common", "script"}},
    {"lbhc/lbhcd", {"common", "cluster", "lbhc"}},
    {"action", {"common", "cluster", "lbhc", "script", "remote/resource"}},
    {"cluster/ocf", {"common", "cluster", "lbhc", "script", "action"}},
    {"restore", {"action"}},
    {"remove", {"action"}},
    {"quickcheck", {"action"}},
    {"recover", {"action"}},
    {"ctl", {"common", "cluster", "lbhc", "script", "remote/resource", "agent"}},
    {"ctl/drill", {"common", "cluster", "lbhc", "ctl"}},
    {"bench", {}},  // the programs as they are shipped, not their code
    {"bench/failover", {"bench", "tests/e2e/lab"}},
    {"fuzz",
     {"common", "monitor", "cluster", "lbhc", "script", "agent", "agent/web", "remote",
      "remote/appserver", "remote/resource", "ctl"}},
};

// Not in headers, since every file that includes such a header pays for it.
const std::vector<std::string> kSlow{"boost/asio", "boost/beast", "boost/json", "boost/process",
                                     "toml++",     "spdlog",      "fmt/",       "openssl/"};
// In one source file in all.
const std::vector<std::string> kOnce{"toml++", "spdlog"};

struct Include {
  std::string name;
  bool quoted;
};

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

bool skip(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  skip_blanks(text);
  return true;
}

// By hand: with g++ 12 and sanitizers std::regex does not compile without warnings.
std::optional<Include> include_in(std::string_view line) {
  skip_blanks(line);
  if (!skip(line, "#") || !skip(line, "include") || line.empty()) return std::nullopt;
  const bool quoted = line.front() == '"';
  if (!quoted && line.front() != '<') return std::nullopt;
  const auto end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{std::string(line.substr(1, end - 1)), quoted};
}

std::vector<Include> includes_of(const std::string& text) {
  std::vector<Include> found;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (auto include = include_in(line)) found.push_back(std::move(*include));
  }
  return found;
}

std::string layer_of(const std::string& path) { return fs::path(path).parent_path().string(); }

bool begins_with_any(const std::string& name, const std::vector<std::string>& starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](const std::string& start) { return name.starts_with(start); });
}

void check_arrow(const Source& source, const Include& include, std::vector<std::string>& faults) {
  const std::string from = layer_of(source.path);
  const std::string to = layer_of(include.name);
  const auto rule = kAllowed.find(from);
  if (rule == kAllowed.end()) {
    faults.push_back(source.path + " is in no known layer");
  } else if (to != from && !rule->second.count(to)) {
    faults.push_back(source.path + " must not include " + include.name);
  }
}

void check_library(const Source& source, const Include& include,
                   std::map<std::string, std::set<std::string>>& users,
                   std::vector<std::string>& faults) {
  if (source.path.ends_with(".hpp") && begins_with_any(include.name, kSlow)) {
    faults.push_back(source.path + " is a header and must not include " + include.name);
  }
  for (const std::string& library : kOnce) {
    if (include.name.starts_with(library)) users[library].insert(source.path);
  }
}

// What is forbidden in `sources`; empty when all is well.
std::vector<std::string> faults_in(const std::vector<Source>& sources) {
  std::vector<std::string> faults;
  std::map<std::string, std::set<std::string>> users;
  for (const Source& source : sources) {
    for (const Include& include : includes_of(source.text)) {
      if (include.quoted) {
        check_arrow(source, include, faults);
      } else {
        check_library(source, include, users, faults);
      }
    }
  }
  for (const auto& [library, files] : users) {
    if (files.size() > 1) faults.push_back(library + " is included in more than one file");
  }
  return faults;
}

std::vector<Source> all_sources() {
  static const std::set<std::string> not_ours{"build", "tests", ".git"};
  const fs::path top(GENAPP_SOURCE_DIR);
  std::vector<Source> sources;
  for (auto entry = fs::recursive_directory_iterator(top);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path path = entry->path().lexically_relative(top);
    if (entry.depth() == 0 && not_ours.count(path.string())) entry.disable_recursion_pending();
    const bool is_source = path.extension() == ".cpp" || path.extension() == ".hpp";
    if (is_source) sources.push_back({path.string(), tests::read_file(entry->path())});
  }
  return sources;
}

TEST(Layers, NoSourceIncludesWhatItMayNot) {
  EXPECT_THAT(faults_in(all_sources()), testing::IsEmpty());
}

// Otherwise the test above could pass because it sees nothing.
TEST(Layers, EveryLayerIsSeen) {
  std::set<std::string> seen;
  std::size_t includes = 0;
  for (const Source& source : all_sources()) {
    seen.insert(layer_of(source.path));
    includes += includes_of(source.text).size();
  }
  for (const auto& [layer, allowed] : kAllowed) EXPECT_TRUE(seen.count(layer)) << layer;
  EXPECT_GT(includes, 300u);
}

std::vector<std::string> faults_of(const std::string& path, const std::string& text) {
  return faults_in({{path, text}});
}

TEST(Layers, EveryForbiddenArrowWouldBeFound) {
  for (const auto& [from, allowed] : kAllowed) {
    for (const auto& [to, ignored] : kAllowed) {
      const bool may = from == to || allowed.count(to);
      const auto faults =
          faults_of(from + "/x.cpp", "#pragma once\n#include \"" + to + "/y.hpp\"\nint x;\n");
      EXPECT_EQ(faults.empty(), may) << from << " -> " << to;
    }
  }
}

TEST(Layers, ForbiddenLinesAreFoundHoweverTheyAreWritten) {
  using testing::SizeIs;
  EXPECT_THAT(faults_of("common/x.cpp", "  #  include   \"lbhc/y.hpp\"  // why\n"), SizeIs(1));
  EXPECT_THAT(faults_of("common/x.cpp", "#include\"cluster/y.hpp\"\r\n"), SizeIs(1));
  EXPECT_THAT(faults_of("common/x.cpp", "#include \"tests/support/net.hpp\"\n"), SizeIs(1));
  EXPECT_THAT(faults_of("common/x.cpp", "#include \"y.hpp\"\n"), SizeIs(1));  // not root-relative
  EXPECT_THAT(faults_of("newcomer/x.cpp", "#include \"common/y.hpp\"\n"), SizeIs(1));
  EXPECT_THAT(faults_of("common/x.cpp", "// #include \"lbhc/y.hpp\"\n#include <vector>\n"),
              SizeIs(0));
}

TEST(Layers, SlowLibrariesInHeadersWouldBeFound) {
  for (const char* library :
       {"boost/asio/io_context.hpp", "boost/asio.hpp", "boost/beast/http.hpp", "boost/json.hpp",
        "boost/process/v2.hpp", "toml++/toml.h", "spdlog/spdlog.h", "openssl/ssl.h"}) {
    const std::string line = std::string("#include <") + library + ">\n";
    EXPECT_THAT(faults_of("lbhc/x.hpp", line), testing::SizeIs(1)) << library;
    EXPECT_THAT(faults_of("lbhc/x.cpp", line), testing::IsEmpty()) << library;
  }
}

TEST(Layers, ASecondUserOfALibraryForOneWouldBeFound) {
  for (const char* library : {"toml++/toml.h", "spdlog/spdlog.h"}) {
    const std::string line = std::string("#include <") + library + ">\n";
    EXPECT_THAT(faults_in({{"common/x.cpp", line + line}}), testing::IsEmpty());
    EXPECT_THAT(faults_in({{"common/x.cpp", line}, {"common/y.cpp", line}}), testing::SizeIs(1));
  }
}

}  // namespace
}  // namespace genapp
