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

std::string proc_path(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// The file's first bytes; empty when there is no such process.
std::string read_proc(pid_t pid, const char* name) {
  const common::Fd file(::open(proc_path(pid, name).c_str(), O_RDONLY | O_CLOEXEC));
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

std::string program_of_process(pid_t pid) {
  std::array<char, PATH_MAX> path;
  const ssize_t n = ::readlink(proc_path(pid, "exe").c_str(), path.data(), path.size());
  std::string_view text(path.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  // Replaced since it was started.
  if (text.ends_with(kDeleted)) text.remove_suffix(kDeleted.size());
  return base_name(text);
}

}  // namespace

std::vector<pid_t> all_pids() {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir("/proc"));
  if (!dir) throw common::system_error("reading /proc", errno);
  std::vector<pid_t> pids;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name(entry->d_name);
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

std::string command_name_of(pid_t pid) {
  std::string name = read_proc(pid, "comm");
  if (name.ends_with('\n')) name.pop_back();
  return name;
}

std::optional<ProcessFacts> facts_of(pid_t pid) {
  const std::string status = read_proc(pid, "status");
  const std::string_view state = status_value(status, "State");
  const auto owner = effective_user(status_value(status, "Uid"));
  if (state.empty() || state.front() == 'Z' || state.front() == 'X' || !owner) return std::nullopt;
  ProcessFacts facts{command_name_of(pid), *owner};
  if (facts.command.size() >= kMostCommand) {
    const std::string arguments = read_proc(pid, "cmdline");
    facts.program = program_of_process(pid);
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
