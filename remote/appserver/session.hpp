#pragma once

// One session: its folder, the link to its keeper, and the manager that is attached to it. It lives
// in the event loop's thread, and in it alone.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "common/spawn.hpp"
#include "remote/appserver/session_record.hpp"
#include "remote/message.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::remote {

// A manager's connection. Its owner calls Session::leave() before it goes.
class Viewer {
 public:
  virtual ~Viewer() = default;
  // False once the connection has gone: what was asked for then has nobody to be told to.
  virtual bool here() const = 0;
  // A binary message, valid during the call.
  virtual void show_output(std::string_view message) = 0;
  virtual void show(const Answer& event) = 0;
  // It is attached no more: the same manager has come by another connection.
  virtual void replaced() = 0;
};

// What a request came to: nothing when it was done.
struct Outcome {
  std::optional<Refusal> refusal{};
  std::string text{};
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Done = std::function<void(const Outcome&)>;

  struct Setup {
    boost::asio::io_context& io;
    const common::Directory& folders;  // the sessions' own; outlives all of them
    common::Id id;
    SessionRecord record;
    // The session has gone, with its folder: it is to be forgotten.
    std::function<void()> gone;
  };
  static std::shared_ptr<Session> make(Setup setup);
  virtual ~Session() = default;

  // Starts the keeper, which starts the command; `keeper` as keeper_start.hpp makes it, without its
  // output, which is taken here. `done` is told once. On a refusal the session goes.
  virtual void start(common::Spawn keeper, Done done) = 0;
  // `done` once a start that is under way has come to something.
  virtual void when_started(Done done) = 0;
  // Takes over what an earlier appserver has left in the folder. False when nothing was: the
  // command was never started, and the folder is gone. Throws common::Error.
  virtual bool adopt() = 0;

  virtual const SessionRecord& record() const = 0;
  virtual SessionView view() const = 0;
  virtual SessionState state() const = 0;

  // The manager that is attached; empty when none is.
  virtual const std::string& manager() const = 0;
  // From now on `viewer` is shown what happens, and what has happened already. Whoever was attached
  // before is told that he is not any more.
  virtual void attach(Viewer& viewer, const std::string& manager) = 0;
  virtual void leave(Viewer& viewer) = 0;
  // Nobody comes for now: the command, which would wait for its first manager, goes on.
  virtual void hold() = 0;
  virtual void taken(const Offsets& offsets) = 0;

  virtual void signal(int number) = 0;
  // `done` once it has ended.
  virtual void stop(std::chrono::milliseconds kill_after, Done done) = 0;
  // Of one that has ended. `done` once it is gone.
  virtual void forget(Done done) = 0;
};

}  // namespace genapp::remote
