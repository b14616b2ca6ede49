#include "tests/e2e/apps.hpp"

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <stdexcept>

#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;

void copy(const std::string& from, const std::string& to) {
  fs::copy(std::string(GENAPP_SOURCE_DIR) + "/templates/" + from, to, fs::copy_options::recursive);
}

}  // namespace

Apps::Apps() {
  // By TMPDIR test.sh finds what a test left running.
  node_.settings("[script]\npass_environment = [\"TMPDIR\"]\n");
  fs::create_directory(folder());
  copy("lib", folder() + "/lib");
}

Apps::~Apps() {
  for (const auto& [name, script] : stops_) run(name, script);
}

void Apps::add(const std::string& kind, const std::string& name) {
  copy(kind, folder() + "/" + name);
  const bool generic = kind == "generic";
  stops_[name] = generic ? "remove" : "stop.sh";
  set(name, "GENAPP_APPS", folder());
  const std::string place = folder() + "/" + name;
  if (generic) {
    describe(name, "folder = \"" + place + "\"");
    write_file(place + "/settings.sh", read_file(place + "/settings.sh") + "APP_RECORD='" +
                                           record(name) + "'\nAPP_LOG_FILE='" + log_file(name) +
                                           "'\n");
    return;
  }
  describe(name, "restore = [\"" + place + "/start.sh\"]\nremove = [\"" + place + "/stop.sh\"]");
  for (const char* prefix : {"HTTP", "SMTP", "MONITOR"}) {
    set(name, std::string(prefix) + "_RECORD", record(name));
    set(name, std::string(prefix) + "_LOG_FILE", log_file(name));
  }
}

void Apps::describe(const std::string& name, const std::string& keys, const std::string& info) {
  node_.resource_file(name, "type = \"script\"\nid = \"" + name + "\"\ninfo = \"" + info +
                                "\"\n[script]\n" + keys + "\n");
}

void Apps::set(const std::string& name, const std::string& variable, const std::string& value) {
  const std::regex line("(^|\n)#?" + variable + "=[^\n]*");
  for (const auto& entry : fs::directory_iterator(folder() + "/" + name)) {
    const std::string text = read_file(entry.path());
    const std::string changed =
        std::regex_replace(text, line, "$1" + variable + "='" + value + "'");
    if (changed != text) write_file(entry.path(), changed);
  }
}

Command Apps::action_command(const std::string& action, const std::string& name,
                             const std::map<std::string, std::string>& env) const {
  Command command = node_.command({action, "-t", name, "-i", name});
  command.env.insert(env.begin(), env.end());
  return command;
}

Result Apps::action(const std::string& action, const std::string& name,
                    const std::map<std::string, std::string>& env) const {
  return tests::run(action_command(action, name, env));
}

Command Apps::command(const std::string& name, const std::string& path,
                      std::vector<std::string> arguments,
                      const std::map<std::string, std::string>& env) const {
  std::map<std::string, std::string> all{
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"GENAPP_TAG", name},
      {"GENAPP_ID", name},
      {"GENAPP_INFO", ""},
      {"GENAPP_ACTION", fs::path(path).filename()},
      {"GENAPP_EVENT", "START"},
      {"CLP_EVENT", "START"},
      {"CLP_DISK", "SUCCESS"},
      {"CLP_SERVER", "HOME"},
      {"CLP_FACTOR", ""}};
  if (const char* scratch = std::getenv("TMPDIR")) all["TMPDIR"] = scratch;
  for (const auto& [variable, value] : env) all[variable] = value;
  Command command{{"env", "--ignore-environment", "--chdir=/"}};
  for (const auto& [variable, value] : all) command.argv.push_back(variable + "=" + value);
  command.argv.push_back(path);
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

Result Apps::run(const std::string& name, const std::string& script,
                 const std::map<std::string, std::string>& env) const {
  return tests::run(
      command(name, folder() + "/" + name + "/" + script, {"-t", name, "-i", name}, env));
}

pid_t Apps::process(const std::string& name) const {
  return static_cast<pid_t>(std::atol(read_file(record(name)).c_str()));
}

void Apps::signal(const std::string& name, int number) const {
  const pid_t pid = process(name);
  if (pid <= 1 || ::kill(pid, number) != 0) throw std::runtime_error(name + " does not run");
}

void Apps::crash(const std::string& name) const {
  const pid_t pid = process(name);
  signal(name, SIGKILL);
  if (!wait_until([&] { return !process_exists(pid); })) throw std::runtime_error("lives on");
}

bool Apps::left_nothing(const std::string& name) const {
  for (const std::string& folder : {folder_.path(), node_.run_dir()}) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string file = entry.path().filename();
      if (file.starts_with(name + ".") && file != name + ".log") return false;
    }
  }
  return true;
}

}  // namespace genapp::tests
