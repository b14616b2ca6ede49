#pragma once

// A node with a folder of applications, as a user makes /etc/genapp/apps: the templates' lib and
// copies of templates, with their settings changed, and a resource of type script for each. Nothing
// outside temporary folders is written.

#include <map>
#include <string>
#include <vector>

#include "tests/support/node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

class Apps {
 public:
  Apps();
  // Stops what is left, by the templates' own means.
  ~Apps();

  // Copies templates/KIND to the application `name`, and describes it as docs/templates.md says.
  void add(const std::string& kind, const std::string& name);
  // The resource's file: tag and id `name`, this info and these lines under [script].
  void describe(const std::string& name, const std::string& keys, const std::string& info = "");
  // Changes the line NAME=… in the files of the application, as a user does.
  void set(const std::string& name, const std::string& variable, const std::string& value);

  // Runs restore, remove, quickCheck or recover for its resource; `env`: the caller's.
  Result action(const std::string& action, const std::string& name,
                const std::map<std::string, std::string>& env = {}) const;
  Command action_command(const std::string& action, const std::string& name,
                         const std::map<std::string, std::string>& env = {}) const;
  // Runs a script of an application without them, in the same manner: arguments and environment.
  Result run(const std::string& name, const std::string& script,
             const std::map<std::string, std::string>& env = {}) const;
  // The same with other arguments, or another path.
  Command command(const std::string& name, const std::string& path,
                  std::vector<std::string> arguments,
                  const std::map<std::string, std::string>& env = {}) const;

  std::string folder() const { return folder_ / "apps"; }
  std::string path(const std::string& file) const { return folder_ / file; }
  // What an application's scripts write.
  std::string record(const std::string& name) const { return folder_ / (name + ".started"); }
  std::string log(const std::string& name) const { return read_file(log_file(name)); }
  std::string log_file(const std::string& name) const { return folder_ / (name + ".log"); }
  // The process that was started, by RECORD; 0 for none.
  pid_t process(const std::string& name) const;
  // Sends it a signal. Throws std::runtime_error when there is none: a number of 0 would mean the
  // test itself.
  void signal(const std::string& name, int number) const;
  // KILL, and waits for its end.
  void crash(const std::string& name) const;
  // Whether nothing but the log is left, of the scripts' and of the executables' files.
  bool left_nothing(const std::string& name) const;

 private:
  TempDir folder_;
  Node node_;
  std::map<std::string, std::string> stops_;  // by application: the script that stops it
};

}  // namespace genapp::tests
