#include "bench/watchers.hpp"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <stdexcept>
#include <utility>

#include "bench/node.hpp"

namespace genapp::bench {
namespace {

using WallClock = std::chrono::system_clock;

constexpr int kJudgedFailed = 2;  // exit code
constexpr int kStarting = 2;      // event

std::string nth(int n) { return "w" + std::to_string(n); }

// A program's output as it comes.
class Pipe {
 public:
  explicit Pipe(const std::string& command) : file_(::popen(command.c_str(), "re")) {
    if (!file_) throw std::runtime_error("starting " + command);
  }
  ~Pipe() { end(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // Empty at the end.
  std::string line() {
    char buffer[8192];
    return ::fgets(buffer, sizeof buffer, file_) ? buffer : "";
  }
  int end() {
    if (!file_) return -1;
    const int status = ::pclose(std::exchange(file_, nullptr));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  FILE* file_;
};

// "2026-11-25T11:11:26.856Z"
WallClock::time_point time_of(const std::string& text) {
  tm parts{};
  const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) throw std::runtime_error("no time: " + text);
  const auto seconds = WallClock::from_time_t(::timegm(&parts));
  const std::chrono::duration<double> fraction(std::strtod(rest, nullptr));
  return seconds + std::chrono::duration_cast<WallClock::duration>(fraction);
}

// By the monitor's word: on a busy machine we may read it late.
std::optional<WallClock::time_point> first_check(const std::string& line) {
  const auto event = boost::json::parse(line);
  if (event.at("event").to_number<int>() != kStarting) return std::nullopt;
  return time_of(std::string(event.at("time").as_string()));
}

Judgement judge_one(const std::string& command) {
  Pipe pipe(command);
  std::optional<WallClock::time_point> begin;
  for (std::string line; !(line = pipe.line()).empty();) {
    if (!begin) begin = first_check(line);
  }
  const auto end = WallClock::now();
  if (const int code = pipe.end(); code != kJudgedFailed || !begin) {
    throw std::runtime_error(command + " ended with " + std::to_string(code));
  }
  return {std::chrono::duration<double, std::milli>(end - *begin).count()};
}

}  // namespace

Watchers::Watchers(const std::string& program, int count, std::uint16_t port,
                   const std::string& interval_seconds)
    : program_(genapp_program(program)) {
  for (int n = 0; n < count; ++n) {
    Program watcher{
        {program_, nth(n), "-s", "127.0.0.1", "-n", std::to_string(port), "-i", interval_seconds},
        {{"GENAPP_RUN_DIR", folder_ / "run"}}};
    if (program == "httpmon") {
      watcher.argv.insert(watcher.argv.end(), {"-h", "/" + std::to_string(n)});
    }
    if (n == 0) std::filesystem::create_directory(folder_ / "run");
    servers_.push_back(std::make_unique<Server>(watcher));
  }
}

std::vector<pid_t> Watchers::pids() const {
  std::vector<pid_t> all;
  for (const auto& server : servers_) all.push_back(server->pid());
  return all;
}

double Watchers::checks(int n) const {
  Pipe pipe("GENAPP_RUN_DIR='" + (folder_ / "run") + "' '" + program_ + "' " + nth(n) +
            " --disp --json 2>/dev/null");
  boost::json::error_code error;
  const auto status = boost::json::parse(pipe.line(), error);
  if (error || !status.is_object() || !status.as_object().contains("checks")) {
    throw std::runtime_error(program_ + " " + nth(n) + " does not answer");
  }
  return status.at("checks").to_number<double>();
}

double Watchers::cpu_us() const {
  double sum = 0;
  for (const auto& server : servers_) sum += cpu_us_of(server->pid());
  return sum;
}

std::vector<Judgement> judge(const std::string& program, int count, const std::string& options) {
  const Folder folder;
  std::filesystem::create_directory(folder / "run");
  std::vector<std::future<Judgement>> running;
  for (int n = 0; n < count; ++n) {
    const std::string command = "GENAPP_RUN_DIR='" + (folder / "run") + "' exec '" +
                                genapp_program(program) + "' " + nth(n) + " --json " + options +
                                " 2>/dev/null";
    running.push_back(std::async(std::launch::async, judge_one, command));
  }
  std::vector<Judgement> all;
  for (auto& one : running) all.push_back(one.get());
  return all;
}

}  // namespace genapp::bench
