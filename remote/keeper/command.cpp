#include "remote/keeper/command.hpp"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/family.hpp"
#include "common/process.hpp"

namespace genapp::remote::keeper {
namespace {

std::vector<std::string> own_environment() {
  const std::string run = std::string(common::kRunVariable) + "=";
  std::vector<std::string> environment;
  for (char** entry = ::environ; *entry; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with(run)) environment.emplace_back(text);
  }
  environment.push_back(run + common::own_run());
  return environment;
}

}  // namespace

Command Command::start(const KeeperStart& start, int out, int err, int record) {
  // Before it is started: else an orphan of its first moment would be init's.
  common::adopt_orphans();
  common::Spawn what;
  what.argv = start.command;
  what.environment = own_environment();
  what.out = out;
  what.err = err;
  what.identity = start.identity;
  what.umask = start.umask;
  what.limits = start.limits;
  what.directory = start.directory;
  what.pid_record = record;
  // Nothing runs that nobody sees the end of.
  what.ends_with_parent = true;
  const common::Child child = common::spawn(what);
  // Not reaped, so it is there.
  return Command(child.pid(), common::start_ticks(child.pid()).value_or(0));
}

const std::optional<common::Ending>& Command::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return ended_;
    if (pid != pid_) continue;
    const bool signalled = WIFSIGNALED(status);
    ended_ = common::Ending{signalled, signalled ? WTERMSIG(status) : WEXITSTATUS(status)};
  }
}

void Command::signal(int number) const {
  if (ended_) return;
  // Not reaped, so the number is its own; and it can't leave the group, as its session's leader.
  ::kill(-pid_, number);
}

bool Command::kill_all() {
  signal(SIGKILL);
  // It is reaped by reap() alone, which keeps how it ended.
  const common::Others others = ended_ ? common::Others{} : common::Others{pid_};
  try {
    return common::end_children(others, common::Clock::duration::zero()) && ended_;
  } catch (const common::Error&) {
    return false;  // /proc can't be read now
  }
}

}  // namespace genapp::remote::keeper
