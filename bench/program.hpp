#pragma once

// Programs under measurement: started, timed, ended. Linux.

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace genapp::bench {

// argv[0] is a path or is looked up in PATH and the sbin folders.
struct Program {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env{};  // on top of this process's own environment
};

// Full path of a program; empty when it is not installed.
std::string find_program(const std::string& name);

// From just before the fork to the exit being seen, and the processor time of the program and of
// the children that it waited for. Standard streams are /dev/null.
struct Run {
  int exit_code = -1;
  double wall_us = 0;
  double cpu_us = 0;
  double most_rss_kb = 0;  // of the largest of these processes
};
Run time_run(const Program& program);

// As time_run(), for what must end with `exit_code`. Throws std::runtime_error otherwise.
Run time_run(const Program& program, int exit_code);

// Binds this process, and what it starts from now on, to one processor.
void run_on_cpu(int cpu);

// A loopback interface of this process's own, where every port is free; without the right to make
// one (root has it) it says so on standard error, goes on with the machine's, and returns false.
bool use_private_network();

// A process that keeps running. Ended, and waited for, with the object.
class Server {
 public:
  explicit Server(const Program& program);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  pid_t pid() const { return pid_; }
  // TERM, then KILL. Waits. The processor time of the process and its children over their whole
  // life.
  double end_and_get_cpu_us();

 private:
  pid_t pid_ = 0;
};

// Processor time of a living process so far (its threads, not its children).
double cpu_us_of(pid_t pid);

// A directory of this process's own, gone with it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void write_file(const std::string& path, const std::string& text);

// A copy of a built program, as an installation makes one; gone with this process. What a linker
// wrote lies in small pieces in the page cache, and starts a fifth slower.
std::string installed(const std::string& built);

}  // namespace genapp::bench
