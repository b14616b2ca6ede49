#include "tests/support/node.hpp"

#include <signal.h>

#include <algorithm>

#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "lbhc/control.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

common::Directory open_dir(const std::string& path) {
  return common::Directory::open(path, "run directory", common::Directory::Symlink::follow);
}

}  // namespace

Node::Node() {
  std::filesystem::create_directory(run_dir());
  std::filesystem::create_directories(config_dir() + "/resources.d");
  settings("");
}

Node::~Node() {
  for (const std::string& name : run_files()) {
    if (name.ends_with(".pid")) end_daemon(name.substr(0, name.size() - 4));
  }
}

void Node::end_daemon(const std::string& id) const {
  try {
    const auto living = common::find_living(open_dir(run_dir()), common::Id(id));
    if (!living) return;
    common::send_signal(living->pidfd, SIGKILL);
    common::wait_for_end(living->pidfd, std::chrono::seconds(10));
  } catch (const common::Error&) {
    // Not a daemon's: a test put something else there.
  }
}

bool Node::has(const std::string& name) const { return std::filesystem::exists(run_file(name)); }

std::vector<std::string> Node::run_files() const {
  std::vector<std::string> names;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(run_dir(), gone)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Node::settings(const std::string& text) {
  write_file(config_dir() + "/genapp.toml", "log_file = \"" + log_file() + "\"\n" + text);
}

void Node::lbhc(const std::string& tag, const std::string& id, const std::string& info,
                const std::string& keys) {
  resource_file(
      tag, "type = \"lbhc\"\nid = \"" + id + "\"\ninfo = \"" + info + "\"\n[lbhc]\n" + keys + "\n");
}

void Node::resource_file(const std::string& tag, const std::string& text) {
  write_file(config_dir() + "/resources.d/" + tag + ".toml", text);
}

Command Node::command(std::vector<std::string> argv) const {
  if (argv.at(0).find('/') == std::string::npos) argv[0] = program(argv[0]);
  Command command{std::move(argv)};
  command.env = env;
  command.env["GENAPP_RUN_DIR"] = run_dir();
  command.env["GENAPP_CONFIG_DIR"] = config_dir();
  if (!env.count("HC_TIMEOUT")) command.unset = {"HC_TIMEOUT"};
  return command;
}

Result Node::action(const std::string& name, const std::string& tag, const std::string& id) const {
  return run({name, "-t", tag, "-i", id});
}

Process Node::start_action(const std::string& name, const std::string& tag,
                           const std::string& id) const {
  return Process(command({name, "-t", tag, "-i", id}));
}

pid_t Node::daemon(const std::string& id) const {
  const auto living = common::find_living(open_dir(run_dir()), common::Id(id));
  return living ? living->pid : 0;
}

std::string Node::status(const std::string& id) const {
  try {
    return lbhc::format_status(
        lbhc::ask_status(open_dir(run_dir()), common::Id(id), std::chrono::seconds(5)));
  } catch (const common::Error&) {
    return "";
  }
}

std::string program(const std::string& name) { return std::string(GENAPP_BIN_DIR) + "/" + name; }

// A zombie has ended: whether and when init reaps it is not genapp's.
bool process_exists(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.compare(name_end, 3, ") Z") != 0;
}

}  // namespace genapp::tests
