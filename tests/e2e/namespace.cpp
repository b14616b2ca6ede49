#include "tests/e2e/namespace.hpp"

#include <signal.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>
#include <vector>

#include "common/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

constexpr char kReady[] = "ready";

bool is_root() { return ::geteuid() == 0; }

Command holder(Namespace::Network network, const std::string& setup) {
  std::vector<std::string> argv{"unshare", "--mount",      "--pid",
                                "--fork",  "--kill-child", "--mount-proc"};
  if (!is_root()) argv.insert(argv.end(), {"--user", "--map-root-user"});
  std::string script = "set -e\n";
  if (network == Namespace::Network::own) {
    argv.push_back("--net");
    script += "ip link set lo up\n";
  }
  // The shell goes on as the first process inside and reaps the daemons that are orphaned there.
  script += setup + "\necho " + kReady + "\nsleep infinity & wait\n";
  argv.insert(argv.end(), {"sh", "-c", script});
  return Command{std::move(argv)};
}

}  // namespace

Namespace::Namespace(Network network, const std::string& setup)
    : network_(network), holder_(holder(network, setup)) {
  const bool ended = !wait_until([this] { return !holder_.running() || !holder_.out().empty(); }) ||
                     holder_.out().find(kReady) == std::string::npos;
  if (ended) {
    throw std::runtime_error(
        "no namespace of our own: " + holder_.err() +
        "(run as root or allow user namespaces; GENAPP_E2E=off leaves these tests out)");
  }
  find_init();
}

void Namespace::find_init() {
  const std::string pid = std::to_string(holder_.pid());
  std::istringstream children(read_file("/proc/" + pid + "/task/" + pid + "/children"));
  if (!(children >> init_)) throw std::runtime_error("unshare has no child");
}

// Its end ends everything inside, and comes last: the kernel sees to both (pid_namespaces(7)).
Namespace::~Namespace() {
  const auto init = common::open_pidfd(init_);
  if (!init) return;
  common::send_signal(*init, SIGKILL);
  common::wait_for_end(*init, std::chrono::seconds(10));
}

Command Namespace::inside(Command command) const {
  std::vector<std::string> argv{"nsenter", "-t", std::to_string(init_), "-m", "-p"};
  if (network_ == Network::own) argv.push_back("-n");
  if (!is_root()) argv.insert(argv.end(), {"-U", "--preserve-credentials"});
  argv.push_back("--");
  argv.insert(argv.end(), command.argv.begin(), command.argv.end());
  command.argv = std::move(argv);
  return command;
}

std::string Namespace::shell(const std::string& script) const {
  const Result result = run(inside({{"sh", "-ec", script}}));
  if (result.exit_code != 0) throw std::runtime_error(script + ": " + result.err);
  return result.out;
}

}  // namespace genapp::tests
