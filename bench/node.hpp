#pragma once

// A node of the benchmark's own, with the shipped executables.

#include <string>

#include "bench/program.hpp"

namespace genapp::bench {

std::string genapp_program(const std::string& name);

// An empty registry and run directory. The daemons that its restores leave are not ended by it.
class Node {
 public:
  Node();
  // `keys`: lines under [lbhc].
  void add(const std::string& tag, const std::string& id, const std::string& info,
           const std::string& keys);
  // Lines of genapp.toml.
  void add_settings(const std::string& text);
  // Of any type: the text of its resource file.
  void add_resource(const std::string& tag, const std::string& text);

  std::string run_file(const std::string& name) const { return folder_ / ("run/" + name); }
  std::map<std::string, std::string> env() const;
  // One of the four executables, or lbhcd.
  Program action(const std::string& name, const std::string& tag = "lb",
                 const std::string& id = "app1") const;

 private:
  Folder folder_;
};

// A TCP port on loopback that nothing listens on now.
int free_port();

}  // namespace genapp::bench
