#pragma once

// The log. A command logs to standard error; a daemon to syslog, or to the file that log_file
// names; a monitor to both standard error and syslog. Set up once per process, and in a daemon only
// after the fork. Before that, nothing is logged. Thin on purpose: spdlog is seen by log.cpp alone.

#include <string>
#include <string_view>

namespace genapp::common::log {

enum class Level { debug, info, warn, error };

// Waits for the reader, as a command may; the next three don't (common/unwaited.hpp).
void to_stderr(std::string_view program, Level least);
void to_stderr_unwaited(std::string_view program, Level least);
void to_syslog(std::string_view program, Level least);
// Each line goes to both: whoever started a monitor sees it, and it is kept.
void to_stderr_and_syslog(std::string_view program, Level least);
// Opens for appending, makes missing folders, flushes every line. Throws Error when the file can't
// be opened.
void to_file(std::string_view program, const std::string& path, Level least);

// Where a daemon logs: the settings' log_file, or syslog when that is empty.
struct DaemonLog {
  std::string file;
  Level least = Level::info;
};
void for_daemon(std::string_view program, const DaemonLog& where);

// Opens the file anew by its name, after logrotate moved it away; the old one stays in use when
// that fails. Does nothing for a log that is no file.
void reopen();

void debug(std::string_view line);
void info(std::string_view line);
void warn(std::string_view line);
void error(std::string_view line);

}  // namespace genapp::common::log
