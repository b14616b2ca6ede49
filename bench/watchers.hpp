#pragma once

// httpmon and smtpmon under measurement.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/program.hpp"

namespace genapp::bench {

// `count` monitors with ids w0, w1, ..., started one after the other and ended with the object.
// Each asks 127.0.0.1 at this port; httpmon for "/N".
class Watchers {
 public:
  Watchers(const std::string& program, int count, std::uint16_t port,
           const std::string& interval_seconds);

  std::vector<pid_t> pids() const;
  // How many checks the n-th has judged. Throws std::runtime_error when it does not answer.
  double checks(int n) const;
  double cpu_us() const;  // of all

 private:
  std::string program_;
  Folder folder_;
  std::vector<std::unique_ptr<Server>> servers_;
};

// How a monitor judged a server that does not answer.
struct Judgement {
  double after_ms = 0;  // from the first check's start to the end of the process
};
// Each of `count` monitors at once, started with `options`; waits until all have ended.
// Throws std::runtime_error when one ends otherwise than by judging the server failed.
std::vector<Judgement> judge(const std::string& program, int count, const std::string& options);

}  // namespace genapp::bench
