#include "ctl/drill/put_back.hpp"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include <optional>

#include "cluster/registry.hpp"
#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/printable.hpp"
#include "common/process.hpp"
#include "ctl/drill/prober.hpp"
#include "ctl/drill/report.hpp"
#include "lbhc/control.hpp"

namespace genapp::ctl::drill {
namespace {

using common::Error;
using common::State;

constexpr auto kControlTime = std::chrono::seconds(3);
constexpr auto kRemoveTime = std::chrono::seconds(2);
constexpr int kPauseMilliseconds = 50;

void say(const std::string& text) {
  ::fprintf(stderr, "genapp: drill: %s\n", common::printable(text, 2000).c_str());
}

bool wait_for_pidfd(int pidfd) {
  pollfd item{pidfd, POLLIN, 0};
  return ::poll(&item, 1, -1) > 0;
}

Answer run(const Target& target, const std::string& name) {
  return target.programs.run(name, wait_for_pidfd);
}

// CONT does nothing to a daemon that runs.
void end_what_ends_by_request(const Target& target) {
  try {
    const auto daemon = common::find_living(target.run_dir, target.id);
    if (!daemon) return;
    common::send_signal(daemon->pidfd, SIGCONT);
    lbhc::ask_ignore(target.run_dir, target.id, common::Clock::duration::zero(), kControlTime);
  } catch (const Error&) {
    // quickCheck tells more of such a daemon, and recover replaces it.
  }
}

// In any other state quickCheck looks away; so the state is read after it.
bool is_healthy(const Target& target) {
  return run(target, "quickCheck").exit_code == 0 &&
         state_of(target) == State::in_service_protected;
}

// True when somebody has taken the resource out of service, or is about to: a remove first ends the
// daemon, which makes recover fail, and then records it.
bool is_taken_out(const Target& target, common::Clock::duration patience) {
  const auto deadline = common::Clock::now() + patience;
  for (;;) {
    const State state = state_of(target);
    if (!common::in_service(state)) {
      say("\"" + target.tag.text() + "\" was taken out of service meanwhile (state " +
          std::string(common::state_text(state)) + "): left so");
      return true;
    }
    if (common::Clock::now() >= deadline) return false;
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
}

// A restore that failed has recorded OSF; then quickCheck would look away from what is down.
void record_in_service(const Target& target) {
  const auto lock = common::LockFile::acquire(target.run_dir, common::paths::lock_name(target.id));
  cluster::StateFile(target.run_dir, target.id).write(State::in_service_protected);
}

// recover needs a probe even where restore needs none.
bool bring_back(const Target& target, std::string& why) {
  Answer answer = run(target, "recover");
  if (answer.exit_code == 0) return true;
  why = reason_in(target.tag.text(), answer.err);
  if (target.config.wait_first_probe || !common::in_service(state_of(target))) return false;
  answer = run(target, "restore");
  if (answer.exit_code == 0) return true;
  why += "; restore: " + reason_in(target.tag.text(), answer.err);
  record_in_service(target);
  return false;
}

std::string what_to_do(const Target& target, const std::string& why) {
  const std::string options = " -t " + target.tag.text() + " -i " + target.id.text();
  return "NOT PUT BACK: \"" + target.tag.text() +
         "\" is down on this node, and load balancer and "
         "cluster will see it so. recover said: " +
         why + ". Mend that and run recover" + options + ", or remove" + options +
         " and let another node take over";
}

}  // namespace

bool put_back(const Target& target) {
  std::optional<Prober> prober;
  if (target.probe) prober.emplace(probe_address(target.config), target.config);
  end_what_ends_by_request(target);
  if (is_taken_out(target, common::Clock::duration::zero()) || is_healthy(target)) return true;
  say("putting \"" + target.tag.text() + "\" back in service with recover");
  std::string why;
  if (bring_back(target, why)) {
    say("\"" + target.tag.text() + "\" is back in service");
    return true;
  }
  if (is_taken_out(target, kRemoveTime)) return true;
  say(what_to_do(target, why));
  return false;
}

}  // namespace genapp::ctl::drill
