#include "agent/run/process_table.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <limits>
#include <memory>

#include "common/error.hpp"
#include "common/fd.hpp"

namespace genapp::agent {
namespace {

constexpr std::size_t kMostCommand = 15;  // TASK_COMM_LEN less its end
constexpr std::size_t kMostProcBytes = 4096;
constexpr std::size_t kMostDirBytes = 32 * 1024;
constexpr std::size_t kLeastDirBytes = 64;  // two processes
// Fewer are listed sooner than one has thought about it.
constexpr std::size_t kManyKnown = 100;
// What it costs, in parts: to ask for a number (kill), to list from a position on, and a process
// among many that are listed.
constexpr std::size_t kAskCost = 1;
constexpr std::size_t kListCost = 12;
constexpr std::size_t kEntryCost = 6;
constexpr pid_t kMostAsked = kListCost / kAskCost;
constexpr std::string_view kDeleted = " (deleted)";

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

// The entries that are numbers: processes, or threads.
std::vector<pid_t> numbers_in(DIR& dir) {
  std::vector<pid_t> numbers;
  while (const dirent* entry = ::readdir(&dir)) {
    const std::string_view name(entry->d_name);
    pid_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
  }
  return numbers;
}

std::string folder_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/"; }

// The file's first bytes; empty when there is no such process.
std::string read_proc(const std::string& folder, const char* name) {
  const common::Fd file(::open((folder + name).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, kMostProcBytes> bytes;
  const ssize_t n = file ? ::read(file.get(), bytes.data(), bytes.size()) : 0;
  return n > 0 ? std::string(bytes.data(), static_cast<std::size_t>(n)) : "";
}

// What follows "\nNAME:\t" on its line; the command's name, which stands before all that is asked
// for here, has its line feeds escaped (proc(5)).
std::string_view status_value(std::string_view status, std::string_view name) {
  const auto at = status.find("\n" + std::string(name) + ":\t");
  if (at == std::string_view::npos) return {};
  const auto begin = at + name.size() + 3;
  return status.substr(begin, status.find('\n', begin) - begin);
}

// The second of the real, effective, saved and file system's.
std::optional<uid_t> effective_user(std::string_view ids) {
  const auto tab = ids.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  uid_t user = 0;
  const auto [end, error] = std::from_chars(ids.data() + tab + 1, ids.data() + ids.size(), user);
  if (error != std::errc()) return std::nullopt;
  return user;
}

// ---- which there are

pid_t parse_pid(std::string_view name) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() ? pid : 0;
}

// /proc itself, read piece by piece from any position: readdir() would read 1,000 at once.
class ProcDirectory {
 public:
  struct Entry {
    pid_t pid;          // 0: no process
    std::int64_t next;  // position of the one that was next then
  };

  ProcDirectory() : folder_(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!folder_) throw common::system_error("reading /proc", errno);
  }

  // As many as go into `size` bytes, kMostDirBytes at most. Returns how many bytes they are.
  std::size_t read(std::size_t size) {
    const ssize_t n = ::getdents64(folder_.get(), buffer_.data(), size);
    if (n < 0) throw common::system_error("reading /proc", errno);
    entries_.clear();
    for (ssize_t at = 0; at < n;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(buffer_.data() + at);
      entries_.push_back({parse_pid(entry->d_name), entry->d_off});
      at += entry->d_reclen;
    }
    return static_cast<std::size_t>(n);
  }
  const std::vector<Entry>& entries() const { return entries_; }

  // Those from `first` on and before `end`.
  void list(pid_t first, pid_t end, std::int64_t position_of_0, std::vector<pid_t>& pids) {
    if (::lseek(folder_.get(), position_of_0 + first, SEEK_SET) < 0) {
      throw common::system_error("reading /proc", errno);
    }
    // There may be none: the first step is a small one.
    for (std::size_t size = kLeastDirBytes; read(size) > 0;
         size = std::min(2 * size, kMostDirBytes)) {
      for (const Entry& entry : entries_) {
        if (entry.pid >= end) return;
        if (entry.pid > 0) pids.push_back(entry.pid);
      }
    }
  }

 private:
  common::Fd folder_;
  alignas(dirent64) std::array<char, kMostDirBytes> buffer_;
  std::vector<Entry> entries_{};
};

// Where processes are in /proc. Linux goes by their numbers; a position that counts the entries
// tells itself by the numbers that are missing.
class Positions {
 public:
  void saw(const std::vector<ProcDirectory::Entry>& entries) {
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const auto& before = entries[i - 1];
      const auto& entry = entries[i];
      if (before.pid == 0 || entry.pid == 0) continue;
      const std::int64_t position_of_0 = before.next - entry.pid;
      if (!first_) first_ = position_of_0;
      by_number_ = by_number_ && position_of_0 == *first_ && entry.pid > before.pid;
      missing_ = missing_ || entry.pid > before.pid + 1;
    }
  }
  std::optional<std::int64_t> of_process_0() const {
    return by_number_ && missing_ ? first_ : std::nullopt;
  }

 private:
  std::optional<std::int64_t> first_{};
  bool by_number_ = true;
  bool missing_ = false;
};

// Of a thread, too.
bool is_in_use(pid_t number) { return ::kill(number, 0) == 0 || errno != ESRCH; }

// The first number from `first` on and before `end` from which on it is to be listed; `end`: none.
pid_t first_to_list(pid_t first, pid_t end) {
  if (end - first > kMostAsked) return first;
  while (first < end && !is_in_use(first)) ++first;
  return first;
}

// Than to list them all.
bool is_cheaper(const std::vector<pid_t>& known) {
  std::size_t cost = 0;
  pid_t first = 1;
  for (const pid_t pid : known) {
    const pid_t numbers = pid - first;
    cost += numbers > kMostAsked ? kListCost : static_cast<std::size_t>(numbers) * kAskCost;
    first = pid + 1;
  }
  return cost < known.size() * kEntryCost;
}

// ----

std::string base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string program_of_process(const std::string& folder) {
  std::array<char, PATH_MAX> path;
  const ssize_t n = ::readlink((folder + "exe").c_str(), path.data(), path.size());
  std::string_view text(path.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  // Replaced since it was started.
  if (text.ends_with(kDeleted)) text.remove_suffix(kDeleted.size());
  return base_name(text);
}

// The folder of one of its threads that lives, when the first of them, which /proc shows for the
// process, has ended; empty when none lives.
std::string folder_of_other_thread(pid_t pid) {
  const std::string threads = folder_of(pid) + "task/";
  const Dir dir(::opendir(threads.c_str()));
  if (!dir) return "";
  for (const pid_t thread : numbers_in(*dir)) {
    if (thread != pid) return threads + std::to_string(thread) + "/";
  }
  return "";
}

}  // namespace

std::vector<pid_t> ProcessList::all() {
  ProcDirectory proc;
  std::vector<pid_t> pids;
  Positions positions;
  for (std::size_t size = proc.read(kMostDirBytes); size > 0; size = proc.read(kMostDirBytes)) {
    for (const auto& entry : proc.entries()) {
      if (entry.pid > 0) pids.push_back(entry.pid);
    }
    positions.saw(proc.entries());
  }
  position_ = positions.of_process_0();
  return pids;
}

std::vector<pid_t> ProcessList::others(const std::vector<pid_t>& known) {
  if (!position_ || known.size() < kManyKnown || !is_cheaper(known)) return all();
  ProcDirectory proc;
  std::vector<pid_t> pids;
  pid_t first = 1;
  for (const pid_t pid : known) {
    first = first_to_list(first, pid);
    if (first < pid) proc.list(first, pid, *position_, pids);
    first = pid + 1;
  }
  proc.list(first, std::numeric_limits<pid_t>::max(), *position_, pids);
  return pids;
}

std::string command_name_of(pid_t pid) {
  std::string name = read_proc(folder_of(pid), "comm");
  if (name.ends_with('\n')) name.pop_back();
  return name;
}

std::optional<ProcessFacts> facts_of(pid_t pid) {
  std::string folder = folder_of(pid);
  const std::string status = read_proc(folder, "status");
  const std::string_view state = status_value(status, "State");
  const auto owner = effective_user(status_value(status, "Uid"));
  if (state.empty() || !owner) return std::nullopt;
  if (state.front() == 'Z' || state.front() == 'X') folder = folder_of_other_thread(pid);
  if (folder.empty()) return std::nullopt;
  ProcessFacts facts{command_name_of(pid), *owner};
  if (facts.command.size() >= kMostCommand) {
    const std::string arguments = read_proc(folder, "cmdline");
    facts.program = program_of_process(folder);
    facts.argument = base_name(arguments.substr(0, arguments.find('\0')));
  }
  return facts;
}

std::string_view command_key(std::string_view name) { return name.substr(0, kMostCommand); }

bool has_name(const ProcessFacts& process, std::string_view name) {
  if (process.command != command_key(name)) return false;
  return name.size() <= kMostCommand || process.program == name || process.argument == name;
}

}  // namespace genapp::agent
