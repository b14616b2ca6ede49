#pragma once

// When children are started: a fork takes about a millisecond and holds the event loop up, so a few
// at a time, and between them the loop gets its turn. What people wait for comes first.

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace genapp::agent {

enum class Urgency { action, monitor };

class Launcher {
 public:
  // `io` outlives it.
  explicit Launcher(boost::asio::io_context& io);
  ~Launcher();  // what has not begun never does
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  // `start` is called from the event loop, never from within this. In order, actions before
  // monitors.
  void add(Urgency urgency, std::function<void()> start);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::agent
