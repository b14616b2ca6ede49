#include "common/log.hpp"

#define SPDLOG_FMT_EXTERNAL
#define FMT_HEADER_ONLY
#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <syslog.h>
#include <unistd.h>

#include <optional>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/unwaited.hpp"

namespace genapp::common::log {
namespace {

// Ours alone: spdlog's registry of global loggers is not used.
std::shared_ptr<spdlog::logger> the_logger;

// A logger on standard error that nobody has needed yet: a monitor with nothing to say is spared
// its making, which is a tenth of its own work.
struct Unmade {
  std::string program;
  Level least;
};
std::optional<Unmade> unmade;

constexpr std::size_t kMostLineBytes = 4096;

// What reopen() needs; empty for a log that is no file.
struct LogFile {
  std::string program;
  std::string path;
  Level least = Level::info;
} the_file;

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// "%*": the time. spdlog's own flags for it would read /etc/localtime, though all times are UTC.
class UtcTime : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text = utc_text(message.time);
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<UtcTime>();
  }
};

spdlog::sink_ptr with_pattern(spdlog::sink_ptr sink, const char* pattern) {
  spdlog::pattern_formatter::custom_flags flags;
  flags['*'] = std::make_unique<UtcTime>();
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      pattern, spdlog::pattern_time_type::utc, "\n", std::move(flags)));
  return sink;
}

void use(std::string_view program, std::initializer_list<spdlog::sink_ptr> sinks, Level least) {
  auto logger = std::make_shared<spdlog::logger>(std::string(program), sinks);
  logger->set_level(spdlog_level(least));
  logger->flush_on(spdlog::level::debug);
  // A log that can't be written (disk full) must not stop the work it tells of, and a daemon has no
  // standard error that anybody reads.
  logger->set_error_handler([](const std::string&) {});
  the_logger = std::move(logger);
  unmade.reset();
}

constexpr char kPattern[] = "%* %n[%P] %l: %v";

spdlog::sink_ptr stderr_sink() {
  return with_pattern(std::make_shared<spdlog::sinks::stderr_sink_st>(), kPattern);
}

class UnwaitedStderr : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t out;
    formatter_->format(message, out);
    lines_.put({out.data(), out.size()});
  }
  void flush_() override {}

 private:
  UnwaitedLines lines_{STDERR_FILENO};
};

int syslog_severity(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug:
      return LOG_DEBUG;
    case spdlog::level::info:
      return LOG_INFO;
    case spdlog::level::warn:
      return LOG_WARNING;
    default:
      return LOG_ERR;
  }
}

class Syslog : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit Syslog(std::string_view program) : syslog_(program) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t out;
    formatter_->format(message, out);
    syslog_.put(syslog_severity(message.level), {out.data(), out.size()});
  }
  void flush_() override {}

 private:
  UnwaitedSyslog syslog_;
};

spdlog::sink_ptr unwaited_stderr_sink() {
  return with_pattern(std::make_shared<UnwaitedStderr>(), kPattern);
}

spdlog::sink_ptr syslog_sink(std::string_view program) {
  return with_pattern(std::make_shared<Syslog>(program), "%l: %v");
}

void make_stderr() { use(unmade->program, {stderr_sink()}, unmade->least); }

// What came from outside must not begin a line of its own.
void write(spdlog::level::level_enum level, std::string_view line) {
  if (unmade) make_stderr();
  if (the_logger) the_logger->log(level, printable_utf8(line, kMostLineBytes));
}

}  // namespace

void to_stderr(std::string_view program, Level least) {
  the_logger.reset();
  unmade = {std::string(program), least};
}

void to_stderr_unwaited(std::string_view program, Level least) {
  use(program, {unwaited_stderr_sink()}, least);
}

void to_syslog(std::string_view program, Level least) {
  use(program, {syslog_sink(program)}, least);
}

void to_stderr_and_syslog(std::string_view program, Level least) {
  use(program, {unwaited_stderr_sink(), syslog_sink(program)}, least);
}

void to_file(std::string_view program, const std::string& path, Level least) {
  try {
    use(program,
        {with_pattern(std::make_shared<spdlog::sinks::basic_file_sink_st>(path), kPattern)}, least);
    the_file = {std::string(program), path, least};
  } catch (const spdlog::spdlog_ex& problem) {
    throw Error(std::string("log_file: ") + problem.what());
  }
}

void reopen() {
  if (the_file.path.empty()) return;
  try {
    const LogFile file = the_file;
    to_file(file.program, file.path, file.least);
  } catch (const Error& problem) {
    error(problem.what());
  }
}

void for_daemon(std::string_view program, const DaemonLog& where) {
  if (where.file.empty()) {
    to_syslog(program, where.least);
  } else {
    to_file(program, where.file, where.least);
  }
}

void debug(std::string_view line) { write(spdlog::level::debug, line); }
void info(std::string_view line) { write(spdlog::level::info, line); }
void warn(std::string_view line) { write(spdlog::level::warn, line); }
void error(std::string_view line) { write(spdlog::level::err, line); }

}  // namespace genapp::common::log
