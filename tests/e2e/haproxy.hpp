#pragma once

// A real HAProxy in the foreground, balancing over two nodes on this host: 127.0.0.1 (server n1)
// and 127.0.0.2 (server n2). Needs neither root nor any file outside its own folder.

#include <cstdint>
#include <optional>
#include <string>

#include "tests/support/net.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

class HaProxy {
 public:
  // How it checks the nodes: lines for the backend, and words for its server lines.
  struct Checks {
    std::string backend;
    std::string server;
  };

  // Not running yet.
  explicit HaProxy(const Checks& checks);

  // Returns once it checks the nodes. Throws std::runtime_error with its own words when it can't.
  void start();
  void stop();

  // A column of `show stat` for a server of the backend: "status", "check_status", "check_code", …
  std::string stat(const std::string& server, const std::string& column) const;
  // The column "status": "UP", "DOWN", "DRAIN", "UP 1/2" on the way down, …
  std::string status(const std::string& server) const { return stat(server, "status"); }
  // Waits for it; false when it never comes.
  bool shows(const std::string& server, const std::string& status) const;

  // Which node a user's request reaches: "n1", "n2", or "none".
  std::string serving_node() const;

 private:
  std::string ask(const std::string& command) const;

  TempDir folder_;
  Port control_;
  Port frontend_;
  Port service_;
  std::optional<Process> process_;
};

// Addresses of the two nodes.
inline constexpr char kAddress1[] = "127.0.0.1";
inline constexpr char kAddress2[] = "127.0.0.2";

}  // namespace genapp::tests
