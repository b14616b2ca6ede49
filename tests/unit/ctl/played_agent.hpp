#pragma once

// An agent that a test plays: it holds the pid file and answers at the socket, in a thread of its
// own.

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/control_server.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"

namespace genapp::tests {

class PlayedAgent {
 public:
  using Answer = std::function<std::string(std::string_view request)>;

  // Needs GENAPP_RUN_DIR.
  explicit PlayedAgent(Answer answer)
      : directory_(common::make_run_dir().subdirectory(common::paths::kAgent, 0700)),
        pid_file_(take()),
        answer_(std::move(answer)) {
    server_.start();
    loop_ = std::thread([this] { io_.run(); });
  }
  ~PlayedAgent() {
    boost::asio::post(io_, [this] {
      server_.stop();
      io_.stop();
    });
    loop_.join();
    directory_.unlink(common::paths::kAgentSock);
  }
  PlayedAgent(const PlayedAgent&) = delete;
  PlayedAgent& operator=(const PlayedAgent&) = delete;

  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  common::PidFile take() const {
    const auto lock = common::LockFile::acquire(directory_, common::paths::kAgentLock);
    return common::PidFile::take(lock, directory_, common::paths::kAgentPid, "agent").value();
  }
  std::string answer(std::string_view request) {
    const std::lock_guard lock(mutex_);
    requests_.emplace_back(request);
    return answer_(request);
  }

  common::Directory directory_;
  common::PidFile pid_file_;
  Answer answer_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  boost::asio::io_context io_{1};
  common::ControlServer server_{io_, directory_, common::paths::kAgentSock,
                                [this](std::string_view request) { return answer(request); }};
  std::thread loop_;
};

}  // namespace genapp::tests
