#pragma once

// What is said to the appserver, and what comes of its answers: the course of one call of appmgr,
// over as many connections as it takes. Pure: it connects and waits for nothing.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "remote/appmgr/config.hpp"
#include "remote/appmgr/options.hpp"
#include "remote/message.hpp"

namespace genapp::remote {

// Why an attempt or a connection came to its end.
struct Trouble {
  enum class Kind {
    passing,  // the network, or an appserver that is about to begin or to end: the next may succeed
    stranger,     // what is there is no appserver that we trust
    refused,      // the appserver does not want us
    nonsense,     // the appserver said what makes no sense
    replaced,     // it closed with 4000
    unreachable,  // of a name: nobody knows it; of a host: nothing listens
  };
  Kind kind = Kind::passing;
  std::string text{};  // for people, one line
};

// How the call ends.
struct Verdict {
  int code = 0;
  std::string line{};  // for standard error; empty: nothing is to be said
  std::string out{};   // for standard output, with its line feeds
};

// What is to be done next.
struct Step {
  std::vector<NumberedRequest> send{};
  bool useful = false;  // the connection is of use (contact.hpp)
  bool news = false;    // there is something for the log
  std::string note{};   // with it
  bool warn = false;    // the note is a warning
  std::optional<Verdict> verdict{};
};

class Course {
 public:
  virtual ~Course() = default;

  // A connection is open; the server has said its hello.
  virtual Step connected() = 0;
  virtual Step take(const Answer& answer) = 0;
  // The connection is over, or an attempt has failed. A verdict: there is no use in another one.
  virtual Step lost(const Trouble& why) = 0;
  // There was no contact for the time-out, or no end by the deadline.
  virtual Verdict give_up(const Trouble& why) const = 0;
  // TERM or INT.
  virtual Step interrupted(int signal, bool connected) = 0;

  // Of one that stays with a session.

  // The output is written as far as it ever will be.
  virtual Step output_over(bool /*connected*/) { return {}; }
  virtual bool stays() const { return false; }
  // This call has seen the command from its start.
  virtual bool saw_start() const { return false; }
  virtual bool end_known() const { return false; }
  virtual bool stopping() const { return false; }
  // So long at most, all in all; nothing: as long as there is contact.
  virtual std::optional<std::chrono::seconds> deadline() const { return std::nullopt; }
};

// `manager` is this call's own name (message.hpp).
std::unique_ptr<Course> make_course(const CommandLine& line, const Settings& settings,
                                    std::string manager);

// The exit code that tells of it: the command's own, 128 + N, or 249.
int exit_code_of(const SessionEnd& end);
// "ended with exit code 3", "was ended by signal 9 (Killed)", "has ended, and nobody saw how"
std::string words_of(const SessionEnd& end);

}  // namespace genapp::remote
