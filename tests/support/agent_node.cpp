#include "tests/support/agent_node.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <sstream>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// A zombie has ended: whether and when init reaps it is not genapp's.
constexpr char kCommands[] = R"sh(
state_of() { sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null; }
alive() {
  [ -s "$here/pid" ] || return 1
  case $(state_of "$(cat "$here/pid")") in ''|Z|X) return 1 ;; esac
}
app() { "$here/$name" 600 >/dev/null 2>&1 </dev/null & echo $! >"$here/pid"; }
)sh";

}  // namespace

AgentNode::AgentNode() {
  fs::permissions(folder_.path(), fs::perms(0711));
  settings("");
}

AgentNode::~AgentNode() {
  agent_.reset();
  for (const std::string& tag : tags_) {
    for (const pid_t pid : processes(tag)) ::kill(pid, SIGKILL);
  }
}

std::string AgentNode::app_name(const std::string& tag) {
  return tag.substr(0, 7) + std::to_string(::getpid());
}

void AgentNode::settings(const std::string& tables) {
  node_.settings("[script]\npass_environment = [\"TMPDIR\"]\n" + tables +
                 (tables.find("[agent]") == std::string::npos ? "[agent]\npage = \"\"\n" : ""));
}

void AgentNode::app(const std::string& tag, const std::string& keys) {
  const std::string here = path(tag);
  if (std::ranges::find(tags_, tag) == tags_.end()) {
    tags_.push_back(tag);
    fs::create_directories(here);
    fs::copy_file("/bin/sleep", here + "/" + app_name(tag));
    script(tag, "restore", "echo restore >>\"$here/journal\"\nalive || app");
    script(tag, "remove",
           "echo remove >>\"$here/journal\"\n"
           "if alive; then kill -9 \"$(cat \"$here/pid\")\"; fi\n"
           "while alive; do sleep 0.01; done");
    script(tag, "quickCheck", "echo quickCheck >>\"$here/journal\"\nalive");
  }
  node_.resource_file(tag, "type = \"script\"\nid = \"" + tag + "1\"\n[script]\nfolder = \"" +
                               here + "\"\n[agent]\n" + keys);
}

void AgentNode::script(const std::string& tag, const std::string& action,
                       const std::string& body) const {
  const std::string file = path(tag) + "/" + action;
  write_file(file, "#!/bin/sh\nhere='" + path(tag) + "'\nname='" + app_name(tag) + "'\n" +
                       kCommands + body + "\n");
  fs::permissions(file, fs::perms(0755));
}

void AgentNode::start() {
  agent_.emplace(node_.command({"genapp-agent"}));
  EXPECT_TRUE(wait_until([this] { return !agent_->running() || answers(); })) << agent_->err();
  EXPECT_TRUE(agent_->running()) << agent_->err();
}

bool AgentNode::answers() const { return genapp({"events", "-n", "1"}).exit_code == 0; }

void AgentNode::kill() {
  agent_->signal(SIGKILL);
  agent_->wait();
  agent_.reset();
}

Result AgentNode::stop() {
  const Result result = agent_->stop();
  agent_.reset();
  return result;
}

Result AgentNode::genapp(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "genapp");
  return node_.run(std::move(arguments));
}

std::string AgentNode::view(const std::string& tag, const std::string& member) const {
  const Result result = genapp({"status", tag, "--json"});
  boost::system::error_code wrong;
  const json::value all = json::parse(result.out, wrong);
  if (wrong) return "no JSON: " + result.out + result.err;
  const json::value* agent = all.as_object().find("resources") == all.as_object().end()
                                 ? nullptr
                                 : &all.at("resources").at(0).at("agent");
  if (!agent || !agent->is_object()) return "no agent";
  const json::value& value = agent->at(member);
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

bool AgentNode::comes_to(const std::string& tag, const std::string& state) const {
  return wait_until([&] { return view(tag, "state") == state; });
}

std::vector<std::string> AgentNode::journal(const std::string& tag) const {
  std::istringstream text(read_file(path(tag) + "/journal"));
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

std::size_t AgentNode::count(const std::string& tag, const std::string& word) const {
  const auto words = journal(tag);
  return static_cast<std::size_t>(std::ranges::count(words, word));
}

std::vector<pid_t> AgentNode::processes(const std::string& tag) const {
  std::vector<pid_t> found;
  std::error_code gone;
  const std::string program = path(tag) + "/" + app_name(tag);
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string command = read_file("/proc/" + name + "/cmdline");
    if (command.starts_with(program + '\0')) found.push_back(std::stoi(name));
  }
  return found;
}

}  // namespace genapp::tests
