// `genapp keys`, as an administrator has it: with openssl's own program as the judge.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "tests/support/node.hpp"
#include "tests/support/tls.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class Keys : public testing::Test {
 protected:
  Result keys(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"genapp", "keys"});
    return node_.run(std::move(arguments));
  }
  // Expects it to work.
  Result done(const std::vector<std::string>& arguments) const {
    const Result result = keys(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  }
  // With `prefix` before it in a shell.
  Result in_shell(const std::string& prefix, const std::string& arguments) const {
    return node_.run({"/bin/sh", "-c", prefix + program("genapp") + " keys " + arguments});
  }

  std::string out(const std::string& name) const { return folder_ / name; }
  std::string ca(const std::string& name) const { return node_.config_dir() + "/ca/" + name; }
  std::string tls(const std::string& name) const { return node_.config_dir() + "/tls/" + name; }

  // What openssl says of the certificate; "" when it is good.
  static std::string judge(const std::string& authorities, const std::string& purpose,
                           const std::string& certificate, std::vector<std::string> more = {}) {
    std::vector<std::string> argv{"openssl",   "verify",   "-no-CApath", "-CAfile",
                                  authorities, "-purpose", purpose,      "-x509_strict"};
    argv.insert(argv.end(), more.begin(), more.end());
    argv.push_back(certificate);
    const Result result = run({.argv = argv});
    return result.exit_code == 0 ? "" : result.err;
  }

  static unsigned mode(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  static std::set<std::string> names_in(const std::string& path) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename());
    return names;
  }

  static std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> found;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) found.push_back(line);
    return found;
  }

  Node node_;
  TempDir folder_;
};

TEST_F(Keys, OpensslAcceptsEachForItsOwnPurposeAndNoOther) {
  done({"init"});
  done({"host", "host1", "--out", out("host1")});
  done({"guest", "guest1", "--address", "192.0.2.1", "--address", "guest1.example", "--out",
        out("guest1")});
  EXPECT_THAT(names_in(out("host1")), UnorderedElementsAre("appmgr.key", "appmgr.crt", "ca.crt"));
  EXPECT_THAT(names_in(out("guest1")),
              UnorderedElementsAre("appserver.key", "appserver.crt", "ca.crt"));
  const std::string host = out("host1/appmgr.crt");
  const std::string guest = out("guest1/appserver.crt");
  EXPECT_EQ(judge(out("host1/ca.crt"), "sslclient", host), "");
  EXPECT_EQ(judge(out("guest1/ca.crt"), "sslserver", guest), "");
  EXPECT_NE(judge(out("host1/ca.crt"), "sslserver", host), "");
  EXPECT_NE(judge(out("guest1/ca.crt"), "sslclient", guest), "");
  const std::string bundle = ca("ca.crt");
  for (const char* name : {"guest1", "guest1.example"}) {
    EXPECT_EQ(judge(bundle, "sslserver", guest, {"-verify_hostname", name}), "") << name;
  }
  EXPECT_EQ(judge(bundle, "sslserver", guest, {"-verify_ip", "192.0.2.1"}), "");
  EXPECT_NE(judge(bundle, "sslserver", guest, {"-verify_hostname", "guest2"}), "");
  EXPECT_NE(judge(bundle, "sslserver", guest, {"-verify_ip", "192.0.2.2"}), "");
  const Result subject = run({.argv = {"openssl", "x509", "-noout", "-subject", "-in", host}});
  EXPECT_EQ(subject.out, "subject=CN = host1\n");
  // The key is the certificate's.
  const Result of_key =
      run({.argv = {"openssl", "pkey", "-pubout", "-in", out("host1/appmgr.key")}});
  EXPECT_EQ(of_key.out, run({.argv = {"openssl", "x509", "-noout", "-pubkey", "-in", host}}).out);
}

TEST_F(Keys, ANameThatIsAnAddressIsOne) {
  done({"init"});
  done({"guest", "127.0.0.1", "--out", out("g")});
  EXPECT_EQ(judge(ca("ca.crt"), "sslserver", out("g/appserver.crt"), {"-verify_ip", "127.0.0.1"}),
            "");
}

TEST_F(Keys, ModesAreTheirOwnWhateverTheUmaskIs) {
  for (const char* umask : {"umask 0; ", "umask 0777; ", "umask 022; "}) {
    const Node fresh;
    const TempDir place;
    const auto call = [&](const std::string& arguments) {
      const Result result =
          fresh.run({"/bin/sh", "-c", umask + program("genapp") + " keys " + arguments});
      EXPECT_EQ(result.exit_code, 0) << umask << result.err;
    };
    call("init");
    call("host host1 --out " + place / "host1");
    call("host host1 --install");
    call("guest guest1 --install");
    const std::string config = fresh.config_dir();
    for (const std::string& secret :
         {config + "/ca/ca.key", config + "/ca/issued", config + "/tls/appmgr.key",
          config + "/tls/appserver.key", place / "host1/appmgr.key"}) {
      EXPECT_EQ(mode(secret), 0600u) << umask << secret;
    }
    for (const std::string& folder : {config + "/ca", config + "/tls", place / "host1"}) {
      EXPECT_EQ(mode(folder), 0700u) << umask << folder;
    }
    for (const std::string& shown : {config + "/ca/ca.crt", config + "/tls/appmgr.crt",
                                     config + "/tls/ca.crt", place / "host1/appmgr.crt"}) {
      EXPECT_EQ(mode(shown), 0644u) << umask << shown;
    }
  }
}

TEST_F(Keys, AnAuthorityIsNotOverwritten) {
  done({"init", "--name", "first"});
  const std::string key = read_file(ca("ca.key"));
  const Result again = keys({"init"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, AllOf(HasSubstr(node_.config_dir() + "/ca: is there already"),
                               HasSubstr("genapp keys rotate")));
  EXPECT_EQ(read_file(ca("ca.key")), key);
  // Nor a folder with something else.
  fs::remove_all(node_.config_dir() + "/ca");
  fs::create_directory(node_.config_dir() + "/ca");
  write_file(ca("mine"), "");
  EXPECT_EQ(keys({"init"}).exit_code, 1);
  EXPECT_THAT(names_in(node_.config_dir() + "/ca"), ElementsAre("mine"));
  // An empty one will do.
  fs::remove(ca("mine"));
  done({"init"});
}

TEST_F(Keys, AFolderWithSomethingInItIsNotTouched) {
  done({"init"});
  fs::create_directory(out("host1"));
  done({"host", "host1", "--out", out("host1")});
  const std::string key = read_file(out("host1/appmgr.key"));
  const std::string issued = read_file(ca("issued"));
  const Result again = keys({"host", "host1", "--out", out("host1")});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr(out("host1") + ": is there already"));
  EXPECT_EQ(read_file(out("host1/appmgr.key")), key);
  EXPECT_EQ(read_file(ca("issued")), issued);  // nor was a key made for nothing
  write_file(out("file"), "");
  EXPECT_EQ(keys({"host", "host1", "--out", out("file")}).exit_code, 1);
}

TEST_F(Keys, TheFolderIsMadeWhereOneStands) {
  done({"init"});
  const Result result = in_shell("cd " + folder_.path() + " && ", "host host1");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("made ./host1: "));
  EXPECT_THAT(names_in(folder_.path()), ElementsAre("host1"));
}

// A failure at each step must leave no part of a set behind.
TEST_F(Keys, WhatCanNotBeWrittenLeavesNothing) {
  done({"init"});
  const auto before = names_in(node_.config_dir());
  fs::create_directory(ca("issued"));
  EXPECT_EQ(keys({"host", "host1", "--out", out("host1")}).exit_code, 1);
  EXPECT_EQ(keys({"host", "host1", "--install"}).exit_code, 1);
  EXPECT_THAT(names_in(folder_.path()), IsEmpty());
  EXPECT_EQ(names_in(node_.config_dir()), before);
  fs::remove(ca("issued"));
  // No file may be larger than nothing; its words go to a pipe, which has no size.
  const Result full = in_shell("(trap '' XFSZ; ulimit -f 0; exec ",
                               "host host1 --out " + out("host1") + ") 2>&1 | cat");
  EXPECT_THAT(full.out, StartsWith("genapp-keys: error: "));
  EXPECT_THAT(names_in(folder_.path()), IsEmpty());
  const Result no_parent = keys({"host", "host1", "--out", out("none/host1")});
  EXPECT_EQ(no_parent.exit_code, 1);
  EXPECT_THAT(no_parent.err, HasSubstr(out("none/host1") + ": No such file or directory"));
}

TEST_F(Keys, InitThatCanNotWriteLeavesNothing) {
  const auto before = names_in(node_.config_dir());
  const Result full = in_shell("(trap '' XFSZ; ulimit -f 0; exec ", "init) 2>&1 | cat");
  EXPECT_THAT(full.out, HasSubstr("File too large"));
  EXPECT_EQ(names_in(node_.config_dir()), before);
}

TEST_F(Keys, InstallChangesAllFilesOfASetAndKeepsTheOthers) {
  done({"init"});
  done({"host", "host1", "--install"});
  done({"guest", "guest1", "--install"});
  EXPECT_THAT(
      names_in(node_.config_dir() + "/tls"),
      UnorderedElementsAre("appmgr.key", "appmgr.crt", "appserver.key", "appserver.crt", "ca.crt"));
  write_file(tls(".note"), "mine");
  fs::create_symlink("/dev/null", tls("link"));
  // As for a daemon that is not root: its group reads them.
  fs::permissions(tls("appserver.key"), fs::perms(0640));
  fs::permissions(node_.config_dir() + "/tls", fs::perms(0750));
  const std::string host_key = read_file(tls("appmgr.key"));
  const std::string guest_key = read_file(tls("appserver.key"));
  done({"guest", "guest1", "--install"});
  EXPECT_EQ(read_file(tls("appmgr.key")), host_key);
  EXPECT_NE(read_file(tls("appserver.key")), guest_key);
  EXPECT_EQ(read_file(tls(".note")), "mine");
  EXPECT_EQ(fs::read_symlink(tls("link")), "/dev/null");
  EXPECT_EQ(mode(tls("appserver.key")), 0640u);
  EXPECT_EQ(mode(tls("appmgr.key")), 0600u);
  EXPECT_EQ(mode(node_.config_dir() + "/tls"), 0750u);
  // Rights that were too wide are not taken over.
  fs::permissions(tls("appserver.key"), fs::perms(0666));
  done({"guest", "guest1", "--install"});
  EXPECT_EQ(mode(tls("appserver.key")), 0640u);
  EXPECT_THAT(names_in(node_.config_dir()), Not(testing::Contains(StartsWith("."))));
}

// UndefinedBehaviorSanitizer opens a descriptor to look at an object that is thrown, and ends the
// program where there is none.
#ifndef __SANITIZE_ADDRESS__
TEST_F(Keys, WithoutDescriptorsNothingIsLeft) {
  done({"init"});
  const auto before = names_in(node_.config_dir());
  int failed = 0;
  for (int limit = 3; limit < 30; ++limit) {
    const std::string name = "host" + std::to_string(limit);
    const Result result = in_shell("ulimit -n " + std::to_string(limit) + "; exec ",
                                   "host " + name + " --out " + out(name));
    if (result.exit_code == 0) continue;
    ++failed;
    EXPECT_FALSE(fs::exists(out(name)));
    for (const std::string& left : names_in(folder_.path())) {
      EXPECT_THAT(left, StartsWith("host")) << limit << result.err;
    }
  }
  EXPECT_GE(failed, 3);
  EXPECT_THAT(names_in(folder_.path()), Not(IsEmpty()));
  EXPECT_EQ(names_in(node_.config_dir()), before);
}
#endif

TEST_F(Keys, InstallTakesAwayWhatWasKilledBefore) {
  done({"init"});
  done({"host", "host1", "--install"});
  const std::string left = node_.config_dir() + "/.tls.aB3dE6";
  fs::create_directory(left);
  write_file(left + "/appmgr.key", "old");
  fs::create_directory(node_.config_dir() + "/.tls.backup1");
  write_file(node_.config_dir() + "/.tls.backup", "a file");
  done({"host", "host1", "--install"});
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(node_.config_dir() + "/.tls.backup1"));
  EXPECT_TRUE(fs::exists(node_.config_dir() + "/.tls.backup"));
}

TEST_F(Keys, InstallRefusesAFolderThatIsNotOurs) {
  done({"init"});
  fs::create_directory(out("elsewhere"));
  fs::create_directory_symlink(out("elsewhere"), node_.config_dir() + "/tls");
  EXPECT_EQ(keys({"host", "host1", "--install"}).exit_code, 1);
  EXPECT_THAT(names_in(out("elsewhere")), IsEmpty());
  fs::remove(node_.config_dir() + "/tls");
  fs::create_directories(tls("folder"));
  const Result result = keys({"host", "host1", "--install"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(tls("folder") + ": is a folder"));
  EXPECT_THAT(names_in(node_.config_dir() + "/tls"), ElementsAre("folder"));
}

TEST_F(Keys, ARotationAcceptsTheOldAndTheNewUntilItIsEnded) {
  done({"init", "--name", "office"});
  done({"host", "old", "--out", out("old")});
  const Result rotated = done({"rotate"});
  EXPECT_THAT(rotated.out, AllOf(HasSubstr("the authority \"office "), HasSubstr("retire")));
  done({"host", "new", "--out", out("new")});
  const std::string bundle = out("new/ca.crt");
  EXPECT_EQ(read_file(bundle), read_file(ca("ca.crt")));
  EXPECT_EQ(judge(bundle, "sslclient", out("old/appmgr.crt")), "");
  EXPECT_EQ(judge(bundle, "sslclient", out("new/appmgr.crt")), "");
  // Who has the former bundle alone does not know the new one yet.
  EXPECT_NE(judge(out("old/ca.crt"), "sslclient", out("new/appmgr.crt")), "");

  const Result third = keys({"rotate"});
  EXPECT_EQ(third.exit_code, 1);
  EXPECT_THAT(third.err, HasSubstr("genapp keys retire"));

  const Result retired = done({"retire"});
  EXPECT_THAT(lines(retired.err), ElementsAre(AllOf(StartsWith("genapp-keys: warning: host old: "),
                                                    HasSubstr("genapp keys host old"))));
  EXPECT_NE(judge(ca("ca.crt"), "sslclient", out("old/appmgr.crt")), "");
  EXPECT_EQ(judge(ca("ca.crt"), "sslclient", out("new/appmgr.crt")), "");
  const Result again = keys({"retire"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("holds no former authority"));
  done({"host", "newer", "--out", out("newer")});
  EXPECT_EQ(judge(out("newer/ca.crt"), "sslclient", out("newer/appmgr.crt")), "");
}

// ca.crt is written before ca.key: a crash between the two must leave an authority that works.
TEST_F(Keys, ARotationThatACrashCutShortIsTheFormerAuthority) {
  done({"init"});
  const std::string key = read_file(ca("ca.key"));
  done({"rotate"});
  write_file(ca("ca.key"), key);
  fs::permissions(ca("ca.key"), fs::perms(0600));
  done({"host", "host1", "--out", out("host1")});
  EXPECT_EQ(judge(out("host1/ca.crt"), "sslclient", out("host1/appmgr.crt")), "");
  done({"retire"});
  EXPECT_EQ(judge(ca("ca.crt"), "sslclient", out("host1/appmgr.crt")), "");
  done({"rotate"});
}

TEST_F(Keys, EachCertificateIsRecorded) {
  done({"init", "--name", "office"});
  done({"host", "host1", "--out", out("host1")});
  // As a crash leaves it.
  write_file(ca("issued"), read_file(ca("issued")) + "2026-11-25T08:1");
  done({"guest", "guest1", "--out", out("guest1")});
  const std::string time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z";
  const auto line = [&](const std::string& who) {
    return MatchesRegex(time + " [0-9A-F]{24,32} " + who + " " + time + " office [0-9A-F]{8}");
  };
  EXPECT_THAT(lines(read_file(ca("issued"))),
              ElementsAre(line("host host1"), "2026-11-25T08:1", line("guest guest1")));
  const Result serial =
      run({.argv = {"openssl", "x509", "-noout", "-serial", "-in", out("host1/appmgr.crt")}});
  const std::string number = serial.out.substr(serial.out.find('=') + 1);
  EXPECT_THAT(read_file(ca("issued")), HasSubstr(" " + number.substr(0, number.find('\n')) + " "));
}

TEST_F(Keys, TwoAtOnceAreBothRecorded) {
  done({"init"});
  std::vector<Process> running;
  std::vector<std::string> expected;
  for (int i = 0; i < 8; ++i) {
    const std::string name = "host" + std::to_string(i);
    running.emplace_back(node_.command({"genapp", "keys", "host", name, "--out", out(name)}));
    expected.push_back(name);
  }
  for (Process& process : running) {
    const Result result = process.wait();
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  std::vector<std::string> recorded;
  for (const std::string& line : lines(read_file(ca("issued")))) {
    std::istringstream words(line);
    std::string when, serial, kind, name;
    words >> when >> serial >> kind >> name;
    recorded.push_back(name);
  }
  EXPECT_THAT(recorded, testing::UnorderedElementsAreArray(expected));
}

TEST_F(Keys, TheAuthoritysKeyIsGuarded) {
  done({"init"});
  fs::permissions(ca("ca.key"), fs::perms(0644));
  const Result open = keys({"host", "host1", "--out", out("host1")});
  EXPECT_EQ(open.exit_code, 1);
  EXPECT_THAT(open.err, AllOf(HasSubstr(ca("ca.key")), HasSubstr("chmod 600")));
  fs::permissions(ca("ca.key"), fs::perms(0600));
  fs::permissions(node_.config_dir() + "/ca", fs::perms(0777));
  EXPECT_THAT(keys({"host", "host1", "--out", out("host1")}).err, HasSubstr("chmod go-w"));
  fs::permissions(node_.config_dir() + "/ca", fs::perms(0700));
  const Authority other;
  write_file(ca("ca.crt"), read_file(other.file()));
  EXPECT_THAT(keys({"host", "host1", "--out", out("host1")}).err,
              HasSubstr("is the key of no certificate in"));
  fs::remove(ca("ca.crt"));
  EXPECT_THAT(keys({"host", "host1", "--out", out("host1")}).err,
              HasSubstr(ca("ca.crt") + ": No such file or directory"));
}

TEST_F(Keys, WithoutAnAuthorityItSaysHowToMakeOne) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"host", "a"}, {"guest", "a"}, {"rotate"}, {"retire"}, {"show"}}) {
    const Result result = keys(command);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("genapp keys init"));
  }
}

TEST_F(Keys, ShowTellsWhatThereIsAndWhatIsWrong) {
  done({"init", "--name", "office"});
  done({"host", "host1", "--install"});
  done({"guest", "guest1", "--address", "::1", "--install"});
  const Result good = done({"show"});
  EXPECT_EQ(good.err, "");
  EXPECT_THAT(
      lines(good.out),
      ElementsAre(StartsWith(ca("ca.crt") + ": authority office "),
                  StartsWith(tls("ca.crt") + ": authority office "),
                  AllOf(StartsWith(tls("appmgr.crt") + ": host host1, issued by \"office "),
                        MatchesRegex(".*, 82[45] days left, until .* UTC")),
                  StartsWith(tls("appserver.crt") + ": guest guest1 (DNS:guest1, IP:::1), ")));

  done({"host", "host1", "--days", "20", "--install"});
  const Result soon = done({"show"});
  EXPECT_THAT(soon.err, MatchesRegex("genapp-keys: warning: " + tls("appmgr.crt") +
                                     ": \"host1\" expires in (19|20) days; .*\n"));

  // A key that is another's; what the certificates alone do not show.
  write_file(tls("appmgr.key"), read_file(tls("appserver.key")));
  const Result odd = keys({"show"});
  EXPECT_EQ(odd.exit_code, 1);
  EXPECT_THAT(odd.err, HasSubstr(tls("appmgr.key") + ": is not the key of " + tls("appmgr.crt")));
}

TEST_F(Keys, ShowFailsForWhatHasExpiredOrIsAboutTo) {
  Authority authority;
  const Certificate expired = authority.issue("DNS:a", -1);
  const Result over = keys({"show", authority.file(), expired.file});
  EXPECT_EQ(over.exit_code, 1);
  EXPECT_EQ(lines(over.out).size(), 2u);
  EXPECT_THAT(over.err, AllOf(HasSubstr(expired.file), HasSubstr("has expired"),
                              Not(HasSubstr(authority.file()))));
  done({"init"});
  done({"host", "host1", "--days", "1", "--out", out("host1")});
  // A day from when it was made is less than a day from now, within a second.
  ASSERT_TRUE(wait_until([&] { return keys({"show", out("host1/appmgr.crt")}).exit_code == 1; }));
  EXPECT_THAT(keys({"show", out("host1/appmgr.crt")}).err,
              HasSubstr("\"host1\" expires within a day"));

  EXPECT_EQ(keys({"show", out("none")}).exit_code, 1);
  write_file(out("nothing"), "nothing");
  EXPECT_THAT(keys({"show", out("nothing")}).err, HasSubstr("holds no certificate in PEM form"));
}

TEST_F(Keys, AnAuthoritysEndIsTheEndOfWhatItSigns) {
  done({"init", "--days", "10"});
  const Result made = done({"host", "host1", "--out", out("host1")});
  EXPECT_THAT(made.err, HasSubstr("valid no longer than the authority"));
  const Result shorter = done({"host", "host1", "--days", "9", "--out", out("shorter")});
  EXPECT_EQ(shorter.err, "");
}

TEST_F(Keys, AWrongCommandLineIsRefusedInOneLine) {
  done({"init"});
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"no-such"},
                                             {"init", "x"},
                                             {"init", "--name", "a b"},
                                             {"init", "--name", std::string(56, 'a')},
                                             {"init", "--days", "0"},
                                             {"init", "--days", "36501"},
                                             {"init", "--days", "x"},
                                             {"host"},
                                             {"host", ""},
                                             {"host", "../x"},
                                             {"host", std::string(65, 'a')},
                                             {"host", "a", "b"},
                                             {"host", "a", "--address", "b"},
                                             {"host", "a", "--days", "-1"},
                                             {"host", "a", "--out", "x", "--install"},
                                             {"host", "a", "--out", ""},
                                             {"host", "a", "--out", "."},
                                             {"host", "a", "--out", ".."},
                                             {"host", "a", "--instal"},
                                             {"guest", "a@b"},
                                             {"guest", "10.0.0.300"},
                                             {"guest", "a", "--address", "*"},
                                             {"guest", "a", "--address", "b,IP:::1"},
                                             {"rotate", "now"},
                                             {"retire", "--name", "a"},
                                             {"show", "--days", "1"}}) {
    const Result result = keys(arguments);
    EXPECT_EQ(result.exit_code, 64) << testing::PrintToString(arguments) << result.err;
    EXPECT_THAT(result.err, MatchesRegex("genapp-keys: error: [^\n]*\n"));
    EXPECT_EQ(result.out, "");
  }
  EXPECT_FALSE(fs::exists(ca("issued")));
}

TEST_F(Keys, HelpNamesEveryCommandAndThePageEveryOption) {
  const std::string help = done({"--help"}).out;
  const std::string page = read_file(GENAPP_SOURCE_DIR "/docs/man/genapp-keys.8");
  for (const std::string command : {"init", "host", "guest", "rotate", "retire", "show"}) {
    EXPECT_THAT(help, HasSubstr("genapp keys " + command));
    EXPECT_THAT(page, HasSubstr("\n.It Cm " + command));
    EXPECT_EQ(done({command, "--help"}).out, done({command, "-h"}).out);
  }
  int options = 0;
  std::istringstream words(help);
  for (std::string word; words >> word;) {
    const auto begin = word.find("--");
    if (begin == std::string::npos) continue;
    const auto end = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz", begin + 2);
    const std::string name = word.substr(begin + 2, end - begin - 2);
    EXPECT_THAT(page, HasSubstr("Fl -" + name)) << name;
    ++options;
  }
  EXPECT_GT(options, 10);
  EXPECT_THAT(done({"--version"}).out, StartsWith("genapp-keys (genapp) "));
}

}  // namespace
}  // namespace genapp::tests
