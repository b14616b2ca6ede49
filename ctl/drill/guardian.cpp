#include "ctl/drill/guardian.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/printable.hpp"

namespace genapp::ctl::drill {
namespace {

using common::ExitCode;
using common::Fd;

bool try_put_back(const std::function<bool()>& put_back) {
  try {
    return put_back();
  } catch (const std::exception& problem) {
    ::fprintf(stderr, "genapp: error: the drill could not put things back: %s\n",
              common::printable(problem.what()).c_str());
    return false;
  }
}

[[noreturn]] void stand_guard(const Fd& drill_lives, const std::function<bool()>& put_back) {
  ::setsid();
  ::prctl(PR_SET_NAME, "genapp-drill");
  char byte = 0;
  while (::read(drill_lives.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  ::_exit(static_cast<int>(try_put_back(put_back) ? ExitCode::ok : ExitCode::failed));
}

}  // namespace

Guardian::Guardian(std::function<bool()> put_back) : put_back_(std::move(put_back)) {
  std::array<int, 2> ends{};
  // The writing end without CLOEXEC: the drill's programs are to have it.
  if (::pipe(ends.data()) != 0) throw common::system_error("pipe to the guardian", errno);
  const Fd reading(ends[0]);
  drill_lives_ = Fd(ends[1]);
  ::fcntl(reading.get(), F_SETFD, FD_CLOEXEC);
  pid_ = ::fork();
  if (pid_ < 0) throw common::system_error("starting the guardian: fork", errno);
  if (pid_ > 0) return;
  drill_lives_.close();
  stand_guard(reading, put_back_);
}

Guardian::~Guardian() { finish(); }

bool Guardian::finish() {
  if (pid_ == 0) return true;
  drill_lives_.close();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  // Somebody ended it.
  if (!WIFEXITED(status)) return try_put_back(put_back_);
  return WEXITSTATUS(status) == static_cast<int>(ExitCode::ok);
}

}  // namespace genapp::ctl::drill
