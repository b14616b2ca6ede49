// Bash completion, with bash itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/terminal.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr char kFile[] = GENAPP_SOURCE_DIR "/packaging/completion/genapp";

// What bash does at a TAB behind `line`: calls the function that is set for the command.
constexpr char kTab[] = R"(
. "$1"
COMP_LINE=$2 COMP_POINT=${#2}
read -ra typed <<<"$2"
specification=$(complete -p "${typed[0]##*/}") || exit
read -ra specification <<<"$specification"
COMPREPLY=()
for ((i = 0; i < ${#specification[@]}; i++)); do
  if [ "${specification[i]}" = -F ]; then "${specification[i + 1]}" "${typed[0]}" "" ""; fi
done
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
)";

class Completion : public testing::Test {
 protected:
  Completion() {
    node_.lbhc("lb", "app1", "54321 OK");
    node_.lbhc("lb:2", "app2", "54322 OK");
    node_.lbhc("web", "web@1", "54323 OK");
  }

  std::vector<std::string> after(const std::string& line) const {
    Command tab{{"/bin/bash", "-c", kTab, "bash", kFile, line}};
    tab.env["GENAPP_CONFIG_DIR"] = config_dir_;
    tab.env["GENAPP_RUN_DIR"] = node_.run_dir();
    const Result result = run(tab);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    std::vector<std::string> words;
    std::istringstream lines(result.out);
    for (std::string word; std::getline(lines, word);) words.push_back(word);
    return words;
  }

  // The options in a program's --help.
  std::set<std::string> options_of(std::vector<std::string> command) const {
    command.push_back("--help");
    std::istringstream words(node_.run(std::move(command)).out);
    std::set<std::string> options;
    for (std::string word; words >> word;) {
      word = word.substr(0, word.find_first_of(",|]"));
      if (word.starts_with("[")) word.erase(0, 1);
      const bool option =
          word.size() > 1 && word[0] == '-' && word.find_first_not_of("-") != word.npos;
      if (option) options.insert(word);
    }
    return options;
  }

  // What genapp says that it knows, when it is asked for something else.
  std::set<std::string> known(const std::vector<std::string>& command,
                              const std::string& before) const {
    std::string err = node_.run(command).err;
    const auto begin = err.find(before);
    EXPECT_NE(begin, std::string::npos) << err;
    std::istringstream words(
        err.substr(begin + before.size(), err.find(';', begin) - begin - before.size()));
    std::set<std::string> all;
    for (std::string word; words >> word;) all.insert(word.substr(0, word.find(',')));
    return all;
  }

  Node node_;
  std::string config_dir_ = node_.config_dir();
};

TEST_F(Completion, OffersTheCommandsThatGenappHas) {
  std::set<std::string> offered;
  for (const std::string& word : after("genapp ")) {
    if (word[0] != '-') offered.insert(word);
  }
  EXPECT_EQ(offered, known({"genapp", "no-such"}, "must be one of: "));
  EXPECT_THAT(after("genapp st"), ElementsAre("status"));
  EXPECT_THAT(after("genapp x"), IsEmpty());
}

TEST_F(Completion, OffersEveryOptionOfHelp) {
  for (const char* command :
       {"create", "list", "status", "set-state", "delete", "drill", "online", "offline", "enable",
        "disable", "clear", "suspend", "resume", "events", "reload"}) {
    const std::set<std::string> options = options_of({"genapp", command});
    EXPECT_EQ(options.empty(), command == std::string("reload")) << command;
    EXPECT_THAT(after(std::string("genapp ") + command + " -"), IsSupersetOf(options)) << command;
  }
  for (const char* name :
       {"restore", "remove", "quickCheck", "recover", "lbhcd", "genapp-agent", "appserver"}) {
    EXPECT_THAT(after(program(name) + " -"), IsSupersetOf(options_of({name}))) << name;
  }
  // Some of theirs stand in place of an id, the others behind it.
  for (const std::string name : {"httpmon", "smtpmon"}) {
    std::vector<std::string> offered = after(name + " web -");
    const std::vector<std::string> first = after(name + " -");
    offered.insert(offered.end(), first.begin(), first.end());
    const std::set<std::string> options = options_of({name});
    EXPECT_THAT(options, IsSupersetOf({"-s", "--stop", "--list"})) << name;
    EXPECT_THAT(std::set<std::string>(offered.begin(), offered.end()), options) << name;
  }
}

TEST_F(Completion, OffersTheOptionsOfAppmgrBeforeItsCommand) {
  std::set<std::string> options = options_of({"appmgr"});
  // The original's spelling is for its own callers.
  std::erase_if(options, [](const std::string& word) { return !word.starts_with("--"); });
  const auto offered = after("appmgr -");
  EXPECT_THAT(options, IsSupersetOf({"--node", "--session", "--server-name"}));
  EXPECT_EQ(std::set<std::string>(offered.begin(), offered.end()), options);
  EXPECT_THAT(after("appmgr --node h --session s -- /bin/app -"), IsEmpty());
  EXPECT_THAT(after("appmgr --session "), IsEmpty());
  EXPECT_THAT(after("appmgr --log-level d"), ElementsAre("debug"));
  EXPECT_THAT(after("appmgr --node "), IsEmpty());
  write_file(node_.config_dir() + "/appmgr.toml",
             "port = 1\n[node.guest1]\n[node.\"guest2.example\"]\n");
  EXPECT_THAT(after("appmgr --node "), ElementsAre("guest1", "guest2.example"));
  EXPECT_THAT(after("appmgr -node guest1"), ElementsAre("guest1"));
}

TEST_F(Completion, OffersTheCommandsAndOptionsOfKeys) {
  std::set<std::string> commands;
  for (const std::string& word : after("genapp keys ")) {
    if (word[0] != '-') commands.insert(word);
  }
  EXPECT_EQ(commands, known({"genapp", "keys", "no-such"}, "must be one of: "));
  EXPECT_EQ(commands.size(), 6u);
  std::set<std::string> offered;
  for (const std::string& command : commands) {
    if (command == "show") continue;  // files
    for (const std::string& word : after("genapp keys " + command + " -")) offered.insert(word);
  }
  std::set<std::string> options = options_of({"genapp", "keys"});
  options.erase("--version");
  EXPECT_EQ(offered, options);
  EXPECT_THAT(after("genapp keys host a --days "), IsEmpty());
  EXPECT_THAT(after("genapp keys show " + config_dir_ + "/genapp.t"),
              ElementsAre(config_dir_ + "/genapp.toml"));
}

TEST_F(Completion, OffersTheIdsOfTheMonitors) {
  std::filesystem::create_directories(node_.run_dir() + "/monitors/web");
  std::filesystem::create_directories(node_.run_dir() + "/monitors/Mail1");
  std::filesystem::create_directories(node_.run_dir() + "/monitors/.locks");
  EXPECT_THAT(after("httpmon w"), ElementsAre("web"));
  EXPECT_THAT(after("smtpmon "), IsSupersetOf({"web", "Mail1"}));
  EXPECT_THAT(after("smtpmon "), Not(testing::Contains(".locks")));
  EXPECT_THAT(after("httpmon web --st"), ElementsAre("--stop"));
  EXPECT_THAT(after("httpmon web -v "), ElementsAre("1.0", "1.1"));
  EXPECT_THAT(after("httpmon web -s "), IsEmpty());
  EXPECT_THAT(after("smtpmon web --helo "), IsEmpty());
}

TEST_F(Completion, OffersNoMonitorsWhereNoneHaveRun) { EXPECT_THAT(after("httpmon w"), IsEmpty()); }

TEST_F(Completion, OffersTheTagsAndIdsOfTheRegistry) {
  const std::string restore = program("restore");
  EXPECT_THAT(after(restore + " -t "), UnorderedElementsAre("lb", "lb:2", "web"));
  EXPECT_THAT(after("genapp drill --tag w"), ElementsAre("web"));
  EXPECT_THAT(after("genapp status w"), ElementsAre("web"));
  EXPECT_THAT(after(restore + " -i "), UnorderedElementsAre("app1", "app2", "web@1"));
  EXPECT_THAT(after(restore + " -t web -i "), ElementsAre("web@1"));
  EXPECT_THAT(after(restore + " -t lb:2 -i "), ElementsAre("app2"));
  // Bash takes what stands behind the colon for the word.
  EXPECT_THAT(after(restore + " -t lb:"), ElementsAre("2"));
}

TEST_F(Completion, OffersTheGroupsThatResourcesName) {
  write_file(node_.config_dir() + "/resources.d/db.toml",
             "id = \"db1\"\n[agent]\ngroup = \"shop\"\n");
  EXPECT_THAT(after("genapp online --group s"), ElementsAre("shop"));
  EXPECT_THAT(after("genapp clear w"), ElementsAre("web"));
  EXPECT_THAT(after("genapp offline --wait "), IsEmpty());
  EXPECT_THAT(after("genapp events -n "), IsEmpty());
}

TEST_F(Completion, OffersNothingWhereANewNameIsWanted) {
  EXPECT_THAT(after("genapp create -t "), IsEmpty());
  EXPECT_THAT(after("genapp create -t new -i "), IsEmpty());
}

TEST_F(Completion, WorksWithoutARegistry) {
  config_dir_ = "/no/such/folder";
  EXPECT_THAT(after("genapp delete -t "), IsEmpty());
  EXPECT_THAT(after(program("restore") + " -t lb -i "), IsEmpty());
}

TEST_F(Completion, OffersTheKeysThatGenappKnows) {
  for (const std::string type : {"lbhc", "script", "remote"}) {
    std::set<std::string> offered;
    for (const std::string& key : after("genapp create --type " + type + " --set ")) {
      EXPECT_TRUE(key.ends_with("=")) << key;
      offered.insert(key.substr(0, key.size() - 1));
    }
    EXPECT_EQ(offered, known({"genapp", "create", "-t", "a", "-i", "b", "--info", "1", "--type",
                              type, "--set", "no_such=1"},
                             "known here: "))
        << type;
  }
}

TEST_F(Completion, OffersTheKeysOfTheAgent) {
  std::set<std::string> offered;
  for (const std::string& key : after("genapp create --agent ")) {
    EXPECT_TRUE(key.ends_with("=")) << key;
    offered.insert(key.substr(0, key.size() - 1));
  }
  EXPECT_EQ(offered,
            known({"genapp", "create", "-t", "a", "-i", "b", "--info", "1", "--agent", "no_such=1"},
                  "known here: "));
  int tried = 0;
  for (const std::string key : {"enabled", "critical", "auto_start", "restart_by"}) {
    for (const std::string& word : after("genapp create --agent " + key + "=")) {
      const Result made = node_.run({"genapp", "create", "-t", "t", "-i", "t", "--info", "1 up",
                                     "--agent", key + "=" + word});
      EXPECT_EQ(made.exit_code, 0) << made.err;
      node_.run({"genapp", "delete", "-t", "t"});
      ++tried;
    }
  }
  EXPECT_EQ(tried, 8);
}

TEST_F(Completion, OffersOnlyWordsThatGenappAccepts) {
  int tried = 0;
  for (const char* key :
       {"protocol", "listen", "wait_first_probe", "already_running", "on_no_probe", "recover",
        "others", "lb_profile", "standby_check", "escapes"}) {
    for (const std::string& word : after(std::string("genapp create --set ") + key + "=")) {
      const Result made = node_.run({"genapp", "create", "-t", "t", "-i", "t", "--info", "1 up",
                                     "--set", std::string(key) + "=" + word});
      EXPECT_EQ(made.exit_code, 0) << made.err;
      node_.run({"genapp", "delete", "-t", "t"});
      ++tried;
    }
  }
  for (const char* key : {"already_running", "remove_unreachable", "on_unreachable", "recover"}) {
    for (const std::string& word :
         after(std::string("genapp create --type remote --set ") + key + "=")) {
      const Result made =
          node_.run({"genapp", "create", "-t", "t", "-i", "t", "--type", "remote", "--node", "g",
                     "--set", std::string(key) + "=" + word, "--", "/a"});
      EXPECT_EQ(made.exit_code, 0) << made.err;
      node_.run({"genapp", "delete", "-t", "t"});
      ++tried;
    }
  }
  EXPECT_GE(tried, 28);
  EXPECT_THAT(after("genapp create --set protocol=h"),
              UnorderedElementsAre("http", "haproxy-agent"));
}

TEST_F(Completion, OffersTheFaultsAndStatesThatGenappKnows) {
  EXPECT_THAT(after("genapp set-state -t lb -S "), UnorderedElementsAre("ISP", "ISU", "OSU"));
  const std::string help = node_.run({"genapp", "drill", "--help"}).out;
  const std::vector<std::string> faults = after("genapp drill --fault ");
  EXPECT_EQ(faults.size(), 5u);
  for (const std::string& fault : faults) EXPECT_THAT(help, HasSubstr(fault));
}

// dump(8) has a restore, too.
TEST_F(Completion, LeavesAnotherProgramOfTheNameAlone) {
  TempDir folder;
  write_file(folder / "restore", "");
  std::filesystem::permissions(folder / "restore", std::filesystem::perms::owner_all);
  EXPECT_THAT(after(folder.path() + "/restore -"), IsEmpty());
}

// By the keys of a person, in a shell that has the file loaded.
TEST_F(Completion, CompletesWhatIsTyped) {
  Command shell{{"/bin/bash", "--norc", "--noprofile", "-i"}};
  shell.env = {{"GENAPP_CONFIG_DIR", node_.config_dir()},
               {"HISTFILE", ""},
               {"INPUTRC", "/dev/null"},
               {"PS1", "ready> "}};
  OnTerminal terminal(shell);
  ASSERT_TRUE(wait_until([&] { return terminal.shown().find("ready> ") != std::string::npos; }));
  terminal.type(". " + std::string(kFile) + "; genapp() { printf 'got <%s>\\n' \"$*\"; }\r");
  terminal.type("genapp set-st\t-t lb:\t-S OS\t\r");
  EXPECT_TRUE(wait_until([&] {
    return terminal.shown().find("got <set-state -t lb:2 -S OSU>") != std::string::npos;
  })) << terminal.shown();
  terminal.type("genapp create --set lb_pr\tgc\t\r");
  EXPECT_TRUE(wait_until([&] {
    return terminal.shown().find("got <create --set lb_profile=gcp>") != std::string::npos;
  })) << terminal.shown();
  terminal.type("exit\r");
  terminal.end();
}

}  // namespace
}  // namespace genapp::tests
