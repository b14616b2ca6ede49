#pragma once

// /proc: which processes there are and what they are called. Each function reads it at once; none
// waits. A process here is a thread group; one that has ended (a zombie) is none, but one of whose
// threads only the first has ended is one.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace genapp::agent {

// Which processes there are. Whoever knows most of them need not read all of /proc again, which
// costs about 2 us a process: the numbers between those that are known are looked at instead. That
// takes nothing for granted of how the kernel gives numbers out: each number that is not known is
// looked at, wherever it lies. What runs from the call's begin to its end is always found.
class ProcessList {
 public:
  // Throws common::Error.
  std::vector<pid_t> all();
  // All but those of `known`, which are sorted and run; where it would cost no less than all(),
  // some of those too. Throws common::Error.
  std::vector<pid_t> others(const std::vector<pid_t>& known);

 private:
  // Process n is at /proc's position n + this; nothing: not seen to be so, and all are read.
  std::optional<std::int64_t> position_{};
};

// As `ps -o comm` shows it: 15 bytes at most; empty when there is no such process.
std::string command_name_of(pid_t pid);

// One of interest, closer.
struct ProcessFacts {
  std::string command;     // command_name_of()
  uid_t owner = 0;         // the effective user, as ps shows it
  std::string program{};   // where the command's name may be cut: the executable file's own name
  std::string argument{};  // and that of argument 0
};
// Nothing when there is no such process or it has ended.
std::optional<ProcessFacts> facts_of(pid_t pid);

// The name by which a process with `name` is looked up: the first 15 bytes.
std::string_view command_key(std::string_view name);
// Whether it has that name: one longer than 15 bytes must be the executable's or argument 0's.
bool has_name(const ProcessFacts& process, std::string_view name);

}  // namespace genapp::agent
