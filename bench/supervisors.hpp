#pragma once

// genapp-agent and its peers under measurement: each keeps so many applications running, app0,
// app1,
// ..., that do nothing but say when they were started (stamp.c).

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/program.hpp"

namespace genapp::bench {

// What the applications, and the executables of genapp, say: when each was started.
class Stamps {
 public:
  explicit Stamps(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  struct Stamp {
    std::string name;      // "app7", "restore"
    std::string argument;  // "-", or the resource's tag
    std::int64_t at_ns = 0;
  };
  // All that were written since the last call.
  std::vector<Stamp> take();
  // The next one with this name and argument, of those and of what comes. Throws std::runtime_error
  // after 60 s.
  Stamp wait_for(const std::string& name, const std::string& argument);

 private:
  std::string path_;
  std::size_t read_ = 0;
};
std::int64_t now_ns();  // of the same clock

class Supervisor {
 public:
  virtual ~Supervisor() = default;
  // The supervising processes: not the applications.
  virtual std::vector<pid_t> pids() const = 0;
};

// Each waits until all applications run. "app": what stamp.c is called there.
struct Crew {
  Crew() = default;
  ~Crew();  // ends the applications, too
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int count = 0;
  Folder folder{};
  std::unique_ptr<Stamps> stamps{};
  std::unique_ptr<Supervisor> supervisor{};
  std::map<std::string, pid_t> apps() const;  // those that run, by name
};
enum class Kind { genapp, supervisord, monit, s6 };
std::string name_of(Kind kind);
std::unique_ptr<Crew> start_crew(Kind kind, int count);

// Over all of them.
double cpu_us(const std::vector<pid_t>& pids);
double pss_kb(const std::vector<pid_t>& pids);
// A process and what it has started, but for those whose names begin with "app".
std::vector<pid_t> family_of(pid_t pid);

}  // namespace genapp::bench
