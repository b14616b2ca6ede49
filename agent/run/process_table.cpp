#include "agent/run/process_table.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <memory>

#include "common/error.hpp"
#include "common/fd.hpp"

namespace genapp::agent {
namespace {

constexpr std::size_t kMostCommand = 15;  // TASK_COMM_LEN less its end
constexpr std::size_t kMostProcBytes = 4096;
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

std::vector<pid_t> all_pids() {
  const Dir dir(::opendir("/proc"));
  if (!dir) throw common::system_error("reading /proc", errno);
  return numbers_in(*dir);
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
