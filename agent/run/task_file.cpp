#include "agent/run/task_file.hpp"

#include <errno.h>
#include <fcntl.h>

#include <array>

#include "agent/view.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"

namespace genapp::agent {
namespace {

namespace paths = common::paths;
using common::Directory;
using common::Fd;
using common::Tag;

constexpr std::size_t kMostTaskBytes = 256;
constexpr unsigned kFolderMode = 0700;
constexpr std::array kOutliving{Task::start, Task::stop, Task::clean};

std::optional<Task> task_named(std::string_view name) {
  for (const Task task : kOutliving) {
    if (name_of(task) == name) return task;
  }
  return std::nullopt;
}

}  // namespace

TaskFiles::TaskFiles(const Directory& run_dir)
    : folder_(run_dir.subdirectory(paths::kAgent, kFolderMode)
                  .subdirectory(paths::kAgentTasks, kFolderMode)) {}

Fd TaskFiles::begin(const Tag& tag, Task task) const {
  const std::string& name = tag.text();
  folder_.unlink(name);
  Fd file(::openat(folder_.fd(), name.c_str(),
                   O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw common::system_error("task file " + folder_.full(name), errno);
  const std::string line = std::string(name_of(task)) + "\n";
  const ssize_t n = ::write(file.get(), line.data(), line.size());
  if (n == static_cast<ssize_t>(line.size())) return file;
  const int error = n < 0 ? errno : ENOSPC;
  folder_.unlink(name);
  throw common::system_error("writing the task file " + folder_.full(name), error);
}

void TaskFiles::end(const Tag& tag) const { folder_.unlink(tag.text()); }

std::optional<TaskFiles::Left> TaskFiles::read(const Tag& tag) const {
  const auto text = folder_.read(tag.text(), kMostTaskBytes);
  const auto end = text ? text->find('\n') : std::string::npos;
  if (end == std::string::npos) return std::nullopt;
  const auto task = task_named(std::string_view(*text).substr(0, end));
  if (!task) return std::nullopt;
  return Left{*task, common::parse_pid_record(std::string_view(*text).substr(end + 1))};
}

}  // namespace genapp::agent
