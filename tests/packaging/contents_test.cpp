// What is in the packages, and in which form.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/packaging/packages.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

const std::string kSource = GENAPP_SOURCE_DIR;

class Contents : public testing::Test {
 protected:
  // Unpacks it; nothing is installed.
  std::string unpacked() {
    output_of({"dpkg-deb", "-x", file_, folder_.path()});
    return folder_.path();
  }
  std::string field(const std::string& name) const {
    return output_of({"dpkg-deb", "-f", file_, name});
  }

  const std::string file_ = package_file("genapp");
  const std::map<std::string, Entry> entries_ = contents(file_);

 private:
  TempDir folder_;
};

TEST_F(Contents, LintianFindsNothing) {
  Command lintian{{"lintian", "--allow-root", "--fail-on", "error,warning", file_,
                   package_file("genapp-agents")}};
  const TempDir its_own;  // it leaves files there
  lintian.env = {{"TMPDIR", its_own.path()}};
  const Result result = run(lintian);
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

TEST_F(Contents, ProgramsAreWhereTheGuideSays) {
  std::vector<std::string> programs;
  for (const auto& [path, entry] : entries_) {
    const bool data = path.starts_with("/usr/share/");
    if (entry.is_file() && !data && entry.mode == "-rwxr-xr-x") programs.push_back(path);
  }
  EXPECT_THAT(programs,
              ElementsAre("/usr/bin/appmgr", "/usr/bin/genapp", "/usr/bin/httpmon",
                          "/usr/bin/smtpmon", "/usr/libexec/genapp/genapp-keys",
                          "/usr/libexec/genapp/keeper", "/usr/libexec/genapp/monitor-tls",
                          "/usr/libexec/genapp/quickCheck", "/usr/libexec/genapp/recover",
                          "/usr/libexec/genapp/remove", "/usr/libexec/genapp/restore",
                          "/usr/sbin/appserver", "/usr/sbin/genapp-agent", "/usr/sbin/lbhcd"));
}

// These ask the node's name service, or have OpenSSL's updates.
bool is_dynamic(const std::string& path) {
  return path.ends_with("mon") || path.ends_with("/monitor-tls") || path.ends_with("-agent") ||
         path.ends_with("/genapp-keys") || path.ends_with("/appserver") ||
         path.ends_with("/appmgr");
}

TEST_F(Contents, EveryProgramTellsItsVersionAndIsStrippedAndStaticUnlessItWatchesServers) {
  const std::string root = unpacked();
  for (const auto& [path, entry] : entries_) {
    if (!entry.is_file() || path.starts_with("/usr/share/") || entry.mode != "-rwxr-xr-x") continue;
    const std::string name = fs::path(path).filename();
    EXPECT_EQ(output_of({root + path, "--version"}), name + " (genapp) " GENAPP_VERSION "\n");
    const std::string sections = output_of({"readelf", "--wide", "--section-headers", root + path});
    EXPECT_EQ(sections.find(".symtab"), std::string::npos) << path << " is not stripped";
    EXPECT_EQ(sections.find(".interp") != std::string::npos, is_dynamic(path)) << path;
  }
}

TEST_F(Contents, EverythingIsRootsAndReadableByAll) {
  auto entries = entries_;
  entries.merge(contents(package_file("genapp-agents")));
  for (const auto& [path, entry] : entries) {
    EXPECT_EQ(entry.owner, "root/root") << path;
    if (entry.is_folder()) {
      EXPECT_EQ(entry.mode, "drwxr-xr-x") << path;
    } else if (entry.is_file()) {
      EXPECT_THAT(entry.mode, testing::AnyOf("-rw-r--r--", "-rwxr-xr-x")) << path;
    }
  }
}

TEST(ManPages, AreAllThereCompressed) {
  std::vector<std::string> pages{"/usr/share/man/man7/ocf_genapp_lbhc.7.gz",
                                 "/usr/share/man/man7/ocf_genapp_script.7.gz"};
  for (const auto& page : fs::directory_iterator(kSource + "/docs/man")) {
    const std::string name = page.path().filename();
    pages.push_back("/usr/share/man/man" + name.substr(name.size() - 1) + "/" + name + ".gz");
  }
  TempDir root;
  std::vector<std::string> packed;
  for (const std::string package : {"genapp", "genapp-agents"}) {
    const std::string file = package_file(package);
    const auto found = files_under(contents(file), "/usr/share/man");
    packed.insert(packed.end(), found.begin(), found.end());
    output_of({"dpkg-deb", "-x", file, root.path()});
  }
  EXPECT_THAT(packed, UnorderedElementsAreArray(pages));
  for (const std::string& page : packed) {
    EXPECT_THAT(output_of({"zcat", root.path() + page}), testing::StartsWith(".Dd ")) << page;
  }
}

TEST_F(Contents, TemplatesAndExamplesAreThoseOfTheSourcesExecutableWhereTheyAre) {
  std::set<std::string> expected;
  for (const char* folder : {"/templates", "/examples"}) {
    for (const auto& file : fs::recursive_directory_iterator(kSource + folder)) {
      if (!file.is_regular_file()) continue;
      const std::string path = "/usr/share/genapp" + file.path().string().substr(kSource.size());
      expected.insert(path);
      ASSERT_TRUE(entries_.contains(path)) << path;
      const bool executable =
          (file.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
      EXPECT_EQ(entries_.at(path).mode[3] == 'x', executable) << path;
    }
  }
  EXPECT_THAT(files_under(entries_, "/usr/share/genapp"), UnorderedElementsAreArray(expected));
}

TEST_F(Contents, GuidesStandToEachOtherAsInTheSources) {
  const std::string folder = "/usr/share/doc/genapp/";
  std::vector<std::string> expected{folder + "README.md", folder + "changelog.gz",
                                    folder + "changelog.Debian.gz", folder + "copyright",
                                    folder + "examples"};
  for (const auto& guide : fs::directory_iterator(kSource + "/docs")) {
    const std::string name = guide.path().filename();
    if (name.ends_with(".md") || name.ends_with(".svg"))
      expected.push_back(folder + "docs/" + name);
  }
  EXPECT_THAT(files_under(entries_, "/usr/share/doc/genapp"), UnorderedElementsAreArray(expected));
  EXPECT_TRUE(entries_.contains("/usr/share/genapp/examples/nginx/README.md"));
  EXPECT_EQ(entries_.at(folder + "examples").target, "../../genapp/examples");
}

TEST_F(Contents, TheSettingsAreAConffileThatCanBeLoaded) {
  EXPECT_EQ(output_of({"dpkg-deb", "-I", file_, "conffiles"}),
            "/etc/genapp/appserver.toml\n/etc/genapp/genapp.toml\n");
  EXPECT_TRUE(entries_.at("/etc/genapp/resources.d").is_folder());
  const std::string root = unpacked();
  // The defaults that it shows must be accepted where their remark is taken away.
  const std::string settings = root + "/etc/genapp/genapp.toml";
  for (const char* edit : {"", "s/^#\\([a-z_]* = \\)/\\1/"}) {
    output_of({"sed", "-i", edit, settings});
    Command list{{root + "/usr/bin/genapp", "create", "-t", "a", "-i", "b", "--info", "1"}};
    list.env = {{"GENAPP_CONFIG_DIR", root + "/etc/genapp"}, {"GENAPP_RUN_DIR", root}};
    const Result created = run(list);
    EXPECT_EQ(created.exit_code, 0) << created.err;
    fs::remove(root + "/etc/genapp/resources.d/a.toml");
  }
  EXPECT_THAT(read_file(settings), HasSubstr("\nhc_timeout = 30"));
}

TEST_F(Contents, ChecksumsAreRight) {
  TempDir control;
  output_of({"dpkg-deb", "-e", file_, control.path()});
  const std::string root = unpacked();
  const Result sums =
      run({{"sh", "-c", "cd \"$1\" && md5sum --quiet -c \"$2\"", "sh", root, control / "md5sums"}});
  EXPECT_EQ(sums.exit_code, 0) << sums.out << sums.err;
  EXPECT_GT(lines_of(read_file(control / "md5sums")).size(), 30u);
}

TEST_F(Contents, TheVersionAndWhatIsNeededAreStated) {
  EXPECT_EQ(field("Version"), GENAPP_VERSION "-1\n");
  EXPECT_EQ(field("Recommends"), "ca-certificates\n");
  EXPECT_THAT(output_of({"zcat", unpacked() + "/usr/share/doc/genapp/changelog.Debian.gz"}),
              testing::StartsWith("genapp (" GENAPP_VERSION "-1) "));
}

// "adduser, libc6 (>= 2.36)": by name, what is behind it.
std::map<std::string, std::string> dependencies(const std::string& field) {
  std::map<std::string, std::string> all;
  std::string text = field;
  for (std::string& one : lines_of(std::regex_replace(text, std::regex(", *"), "\n"))) {
    const auto end = one.find(' ');
    all[one.substr(0, end)] = end == std::string::npos ? "" : one.substr(end + 1);
  }
  return all;
}

// The package that a library which the loader has found is of. Debian's /lib is a link to /usr/lib,
// and dpkg knows a file by one of the two names.
std::string package_of(const std::string& library) {
  std::string owner = run({{"dpkg", "-S", library}}).out;
  if (owner.empty()) owner = output_of({"dpkg", "-S", fs::canonical(library)});
  if (owner.empty()) owner = output_of({"dpkg", "-S", "/usr" + library});
  return owner.substr(0, owner.find(':'));
}

// Where the loader finds the libraries that the program itself names (not what those need in turn,
// which is for their packages to say).
std::vector<std::string> libraries_of(const std::string& program) {
  const std::string named = output_of({"readelf", "--wide", "--dynamic", program});
  std::vector<std::string> found;
  for (const std::string& line : lines_of(output_of({"ldd", program}))) {
    const auto arrow = line.find(" => /");
    if (arrow == std::string::npos) continue;
    const std::string name = line.substr(1, arrow - 1);
    if (named.find("Shared library: [" + name + "]") == std::string::npos) continue;
    found.push_back(line.substr(arrow + 4, line.find(" (", arrow) - arrow - 4));
  }
  return found;
}

TEST_F(Contents, WhatTheDynamicOnesAreLinkedWithIsNeededWithAVersionAndNothingElse) {
  auto stated = dependencies(field("Depends").substr(0, field("Depends").find('\n')));
  EXPECT_EQ(stated.at("adduser"), "");
  stated.erase("adduser");
  std::set<std::string> linked;
  const std::string root = unpacked();
  for (const char* program : {"/usr/bin/appmgr", "/usr/bin/httpmon", "/usr/bin/smtpmon",
                              "/usr/libexec/genapp/genapp-keys", "/usr/libexec/genapp/monitor-tls",
                              "/usr/sbin/appserver", "/usr/sbin/genapp-agent"}) {
    for (const std::string& library : libraries_of(root + program)) {
      linked.insert(package_of(library));
    }
  }
  EXPECT_THAT(linked, testing::IsSupersetOf({"libc6", "libssl3"}));
  std::set<std::string> names;
  for (const auto& [name, version] : stated) {
    names.insert(name);
    EXPECT_THAT(version, testing::MatchesRegex("\\(>= [0-9.]+\\)")) << name;
  }
  EXPECT_EQ(names, linked);
}

TEST(Agents, AreOneExecutableThatNeedsThisVersionOfGenapp) {
  const std::string file = package_file("genapp-agents");
  const auto entries = contents(file);
  const std::string folder = "/usr/lib/ocf/resource.d/genapp";
  EXPECT_THAT(files_under(entries, "/usr/lib"), ElementsAre(folder + "/lbhc", folder + "/script"));
  EXPECT_EQ(entries.at(folder + "/lbhc").mode, "-rwxr-xr-x");
  EXPECT_EQ(entries.at(folder + "/script").target, "lbhc");
  EXPECT_EQ(output_of({"dpkg-deb", "-f", file, "Depends"}), "genapp (= " GENAPP_VERSION "-1)\n");
  TempDir root;
  output_of({"dpkg-deb", "-x", file, root.path()});
  EXPECT_EQ(output_of({root.path() + folder + "/lbhc", "--version"}),
            "ocf:genapp:lbhc (genapp) " GENAPP_VERSION "\n");
  for (const std::string agent : {"lbhc", "script"}) {
    EXPECT_THAT(output_of({root.path() + folder + "/" + agent, "meta-data"}),
                HasSubstr("<resource-agent name=\"" + agent + "\""));
  }
}

// Whatever the umask is. (It shows in the mode of the archive's own members, which nobody looks
// at.)
TEST(PackageFile, HoldsTheSameBytesForTheSameBuild) {
  TempDir folder;
  Command again{{"sh", "-c", "umask 077; exec \"$@\"", "sh", GENAPP_CPACK, "--config",
                 GENAPP_BUILD_DIR "/CPackConfig.cmake", "-D", "CPACK_DEBIAN_PACKAGE_RELEASE=2",
                 "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip", "-B", folder.path()}};
  again.env = {{"SOURCE_DATE_EPOCH", "1790000000"}};
  const Result made = run(again);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  for (const std::string package : {"genapp", "genapp-agents"}) {
    const std::string file = package_file(package, Release::next);
    const std::string second = folder / fs::path(file).filename().string();
    for (const std::string part : {"--fsys-tarfile", "--ctrl-tarfile"}) {
      EXPECT_TRUE(output_of({"dpkg-deb", part, file}) == output_of({"dpkg-deb", part, second}))
          << package << " " << part;
    }
  }
}

}  // namespace
}  // namespace genapp::tests
