#pragma once

#include <sys/types.h>

#include <functional>

#include "common/fd.hpp"

namespace genapp::ctl::drill {

// A process of its own, in a session of its own, that puts things back when the drill's part is
// over, however that ended: in order, on an error, by SIGKILL. It is always the guardian that does
// it, so the way back is the same one every time.
//
// It waits for the end of a pipe whose other end the drill has, and every program that the drill
// runs. So after a SIGKILL of the drill it first lets a recover that is under way end.
class Guardian {
 public:
  // Forks; `put_back` is called there, and tells whether everything is as it was. Fork before
  // anything is held that must go with the drill (a port, a full disk), and while there is no other
  // thread. Throws common::Error.
  explicit Guardian(std::function<bool()> put_back);
  // finish(), unless it was called.
  ~Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  // Has things put back and waits for that. True when everything is as it was.
  bool finish();

 private:
  std::function<bool()> put_back_;
  common::Fd drill_lives_;
  pid_t pid_ = 0;
};

}  // namespace genapp::ctl::drill
