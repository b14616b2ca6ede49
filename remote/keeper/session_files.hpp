#pragma once

// A session's folder, as far as it is the keeper's (common/paths.hpp): its pid file, whose lock is
// the proof that it lives, its socket, the record of its command, and how that ended.

#include <optional>
#include <string>

#include "common/directory.hpp"
#include "common/fd.hpp"
#include "common/pid_file.hpp"
#include "common/spawn.hpp"

namespace genapp::remote::keeper {

class SessionFiles {
 public:
  // Takes the lock and listens. Throws common::Error when another keeper has it, or had it and
  // something is left of its command, or on trouble.
  static SessionFiles take(const std::string& path);

  const common::Fd& listener() const { return listener_; }
  // An empty file, for Spawn.pid_record. Throws common::Error.
  common::Fd make_app_file() const;
  // Readers see it whole or not at all. False when it can't be written.
  bool write_ended(const common::Ending& ending) const;
  // Takes everything away, what the appserver has written too, and the folder. Throws nothing: what
  // stays belongs to no living keeper. The lock is kept until the process ends.
  void remove();

 private:
  SessionFiles(common::Directory dir, common::PidFile pid_file, common::Fd listener);

  common::Directory dir_;
  common::PidFile pid_file_;
  common::Fd listener_;
};

}  // namespace genapp::remote::keeper
