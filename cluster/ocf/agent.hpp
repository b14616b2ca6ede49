#pragma once

#include "cluster/ocf/call.hpp"
#include "cluster/ocf/kind.hpp"
#include "common/application.hpp"
#include "common/settings.hpp"

namespace genapp::ocf {

// How an action ended.
struct Answer {
  Code code = Code::success;
  std::string reason{};  // why it is not success, or what else is worth a line in the log
};

// What an application's own actions answer.
Answer answer_of(const common::Outcome& outcome);

// The OCF_CHECK_LEVEL from which on a check is a deep one.
inline constexpr int kDeepCheck = 10;

// One call for one resource. Each action may throw Refusal, or common::Error for Code::generic;
// they block as long as the resource's own time limits say.
class Agent {
 public:
  virtual ~Agent() = default;
  virtual Answer start() = 0;
  virtual Answer stop() = 0;
  virtual Answer monitor() = 0;
  virtual Answer validate() = 0;
  // Reloadable parameters were changed while it runs.
  virtual Answer reload() = 0;
};

// What an agent is made from.
struct Surroundings {
  Call call;
  Environment environment;
  common::Settings settings;
};

// The whole program, from the command line to the exit code (cluster/ocf/codes.hpp) that main
// returns.
int run_agent(Kind kind, int argc, const char* const* argv);

}  // namespace genapp::ocf
