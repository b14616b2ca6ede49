#pragma once

// A node of the user's: a configuration and a run directory of its own, and the real executables.

#include <map>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

class Node {
 public:
  // Empty run directory, empty registry; the daemon's log goes to log_file().
  Node();
  // Ends whatever daemon is left.
  ~Node();

  std::string run_dir() const { return folder_ / "run"; }
  std::string config_dir() const { return folder_ / "etc"; }
  std::string log_file() const { return folder_ / "lbhcd.log"; }
  std::string log() const { return read_file(log_file()); }
  std::string run_file(const std::string& name) const { return run_dir() + "/" + name; }
  bool has(const std::string& name) const;  // in the run directory
  std::vector<std::string> run_files() const;

  // Environment for every program of this node, on top of GENAPP_RUN_DIR and GENAPP_CONFIG_DIR.
  std::map<std::string, std::string> env;

  // genapp.toml: `text` after the log_file line.
  void settings(const std::string& text);
  // resources.d/TAG.toml: type lbhc, id, info and, under [lbhc], `keys`.
  void lbhc(const std::string& tag, const std::string& id, const std::string& info,
            const std::string& keys = "");
  void resource_file(const std::string& tag, const std::string& text);

  // Any program in this node's environment. Names without a slash are genapp's own.
  Command command(std::vector<std::string> argv) const;
  Result run(std::vector<std::string> argv) const { return tests::run(command(std::move(argv))); }
  // restore, remove, quickCheck or recover.
  Result action(const std::string& name, const std::string& tag, const std::string& id) const;
  Process start_action(const std::string& name, const std::string& tag,
                       const std::string& id) const;

  // The living daemon's pid, read from its pid file; 0 for none. By the kernel lock, as genapp
  // does.
  pid_t daemon(const std::string& id) const;
  // The control socket's answer to "status"; empty when there is none.
  std::string status(const std::string& id) const;

 private:
  void end_daemon(const std::string& id) const;

  TempDir folder_;
};

// Where the built programs are.
std::string program(const std::string& name);
bool process_exists(pid_t pid);

}  // namespace genapp::tests
