#include "ctl/agent_client.hpp"

#include <errno.h>
#include <poll.h>

#include "common/clock.hpp"
#include "common/control_client.hpp"
#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"

namespace genapp::ctl {

const char kNoAgent[] =
    "the agent does not run: start it with 'systemctl start genapp-agent', or run genapp-agent";

namespace {

namespace paths = common::paths;
using common::Clock;
using common::Directory;
using common::Error;

constexpr auto kAgentTime = std::chrono::seconds(10);
// One that has only just taken its lock has no socket yet, and one that ends has none any more.
constexpr auto kAgentStartTime = std::chrono::seconds(1);
constexpr int kAgentPauseMilliseconds = 20;
constexpr std::size_t kMostAgentBytes = 16 * 1024 * 1024;

std::optional<Directory> living_agent() {
  const auto run_dir = common::open_run_dir_if_there();
  auto directory = run_dir ? run_dir->subdirectory_if_there(paths::kAgent) : std::nullopt;
  if (!directory || !common::is_alive(*directory, paths::kAgentPid)) return std::nullopt;
  return directory;
}

bool nobody_listens(const Error& problem) {
  const int error = problem.error_number();
  return error == ENOENT || error == ECONNREFUSED || error == ECONNRESET || error == EPIPE;
}

}  // namespace

std::optional<std::string> ask_agent(std::string_view request) {
  const auto begin = Clock::now();
  const std::string line = std::string(request) + "\n";
  for (;;) {
    const auto directory = living_agent();
    if (!directory) return std::nullopt;
    const bool last = Clock::now() - begin > kAgentStartTime;
    try {
      const std::string answer = common::ask_control(
          *directory, paths::kAgentSock, line, begin + kAgentTime - Clock::now(), kMostAgentBytes);
      if (!answer.empty() || last) return answer;
    } catch (const Error& problem) {
      if (last || !nobody_listens(problem))
        throw Error("the agent: " + std::string(problem.what()));
    }
    ::poll(nullptr, 0, kAgentPauseMilliseconds);
  }
}

bool agent_runs() {
  try {
    return living_agent().has_value();
  } catch (const Error&) {
    return false;
  }
}

std::string ask_running_agent(std::string_view request) {
  auto answer = ask_agent(request);
  if (!answer) throw Error(kNoAgent);
  return std::move(*answer);
}

}  // namespace genapp::ctl
