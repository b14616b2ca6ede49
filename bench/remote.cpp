// The remote pair: what a thousand sessions take, how soon an end reaches its manager, and output
// and short commands beside ssh.

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bench/node.hpp"
#include "bench/options.hpp"
#include "bench/program.hpp"
#include "bench/rounds.hpp"
#include "bench/supervisors.hpp"

namespace genapp::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kOutputBytes = 512 * 1024 * 1024;
constexpr int kEnds = 200;
constexpr int kShort = 20;
constexpr auto kLimit = std::chrono::seconds(120);

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

void until(const char* what, const std::function<bool()>& there) {
  const auto begin = Clock::now();
  while (!there()) {
    if (Clock::now() - begin > kLimit)
      throw std::runtime_error(std::string(what) + ": not in time");
    ::poll(nullptr, 0, 5);
  }
}

void raise_open_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// An appserver that lets one host run what is run here.
class Pair {
 public:
  Pair() : port_(free_port()) {
    const auto env = node_.env();
    const auto keys = [&](std::vector<std::string> words) {
      std::vector<std::string> argv{genapp_program("genapp"), "keys"};
      argv.insert(argv.end(), words.begin(), words.end());
      time_run({argv, env}, 0);
    };
    keys({"init"});
    keys({"guest", "guest1", "--address", "127.0.0.1", "--install"});
    keys({"host", "host1", "--install"});
    const std::string config = env.at("GENAPP_CONFIG_DIR");
    std::string rules;
    for (const char* const program : {"/bin/cat", "/bin/sleep", "/bin/true"}) {
      rules += "[allow." + std::string(program).substr(5) + "]\ncertificate = [\"host1\"]\n" +
               "command = [\"" + program + "\", \"...\"]\nuser = \"root\"\n";
    }
    write_file(config + "/appserver.toml",
               "port = " + std::to_string(port_) +
                   "\nlisten = \"127.0.0.1\"\nmax_sessions = 10000\nmax_connections = 10000\n"
                   "log_level = \"error\"\n" +
                   rules);
    server_ = std::make_unique<Server>(Program{{genapp_program("appserver")}, env});
    until("the appserver", [&] { return time_run(manager({"--list"})).exit_code == 0; });
  }

  Program manager(std::vector<std::string> words) const {
    std::vector<std::string> argv{genapp_program("appmgr"), "--node",
                                  "127.0.0.1:" + std::to_string(port_), "--timeout", "60"};
    argv.insert(argv.end(), words.begin(), words.end());
    return {argv, node_.env()};
  }
  pid_t server() const { return server_->pid(); }
  std::ptrdiff_t sessions() const {
    return std::distance(fs::directory_iterator(node_.run_file("appserver/sessions")),
                         fs::directory_iterator{});
  }
  // Of a session, as its file says; 0 when it is not there.
  pid_t pid_in(const std::string& session, const std::string& file) const {
    std::ifstream in(node_.run_file("appserver/sessions/" + session + "/" + file));
    pid_t pid = 0;
    in >> pid;
    return pid;
  }

 private:
  Node node_;
  int port_;
  std::unique_ptr<Server> server_;
};

// sshd on a free port, with keys of its own.
class Ssh {
 public:
  Ssh() : port_(free_port()) {
    for (const char* const name : {"host", "user"}) {
      time_run({{"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder_ / name}}, 0);
    }
    fs::copy_file(folder_ / "user.pub", folder_ / "authorized");
    write_file(folder_ / "sshd_config",
               "Port " + std::to_string(port_) + "\nListenAddress 127.0.0.1\nHostKey " +
                   (folder_ / "host") + "\nAuthorizedKeysFile " + (folder_ / "authorized") +
                   "\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n");
    server_ = std::make_unique<Server>(
        Program{{find_program("sshd"), "-D", "-f", folder_ / "sshd_config"}});
    until("sshd", [&] { return time_run(run({"true"})).exit_code == 0; });
  }

  Program run(std::vector<std::string> words) const {
    std::vector<std::string> argv{"ssh",
                                  "-F",
                                  "none",
                                  "-p",
                                  std::to_string(port_),
                                  "-i",
                                  folder_ / "user",
                                  "-o",
                                  "StrictHostKeyChecking=no",
                                  "-o",
                                  "UserKnownHostsFile=/dev/null",
                                  "-o",
                                  "LogLevel=ERROR",
                                  "127.0.0.1"};
    argv.insert(argv.end(), words.begin(), words.end());
    return {argv};
  }

 private:
  Folder folder_;
  int port_;
  std::unique_ptr<Server> server_;
};

// ---- beside ssh

std::vector<Rounds> beside_ssh(const Options& options) {
  Rounds output("512 MiB of output", "ssh", {"MB per s"});
  Rounds brief("a command that does nothing", "ssh", {"p50 ms"});
  const Pair pair;
  const Ssh ssh;
  const Folder folder;
  const std::string file = folder / "output";
  write_file(file, std::string(kOutputBytes, 'x'));
  int session = 0;
  const auto measure = [&](const std::string& name, const auto& make) {
    const Run run = time_run(make({"/bin/cat", file}), 0);
    output.add(name, "MB per s", static_cast<double>(kOutputBytes) / run.wall_us);
    output.add(name, "client CPU s", run.cpu_us / 1e6);
    std::vector<double> took;
    for (int i = 0; i < kShort; ++i) {
      took.push_back(time_run(make({"/bin/true"}), 0).wall_us / 1000);
    }
    brief.add(name, "p50 ms", quantile(took, 0.5));
  };
  for (int round = 0; round < options.rounds; ++round) {
    measure("ssh", [&](std::vector<std::string> words) { return ssh.run(std::move(words)); });
    measure("genapp", [&](std::vector<std::string> words) {
      std::vector<std::string> all{"--session", "o" + std::to_string(++session), "--"};
      all.insert(all.end(), words.begin(), words.end());
      return pair.manager(all);
    });
  }
  return {output, brief};
}

// ---- many

double pss_mb(const std::vector<pid_t>& pids) { return pss_kb(pids) / 1024; }

Rounds many(const Options& options) {
  const int count = options.runs;
  Rounds rounds(std::to_string(count) + " sessions, attached", "genapp", {});
  for (int round = 0; round < options.rounds; ++round) {
    const Pair pair;
    std::vector<std::unique_ptr<Server>> managers;
    std::vector<pid_t> keepers;
    for (int i = 0; i < count; ++i) {
      const std::string session = "s" + std::to_string(i);
      managers.push_back(std::make_unique<Server>(
          pair.manager({"--session", session, "--", "/bin/sleep", "100000"})));
    }
    for (int i = 0; i < count; ++i) {
      const std::string session = "s" + std::to_string(i);
      until("a session", [&] { return pair.pid_in(session, "app") > 0; });
      keepers.push_back(pair.pid_in(session, "pid"));
    }
    ::poll(nullptr, 0, 5000);
    rounds.add("genapp", "appserver PSS MB", pss_mb({pair.server()}));
    rounds.add("genapp", "keepers PSS MB", pss_mb(keepers));
    const double cpu = cpu_us_of(pair.server());
    ::poll(nullptr, 0, 20'000);
    rounds.add("genapp", "appserver CPU ms per s", (cpu_us_of(pair.server()) - cpu) / 20'000);
    std::vector<double> took;
    for (int i = 0; i < std::min(kEnds, count); ++i) {
      const int pidfd = static_cast<int>(
          ::syscall(SYS_pidfd_open, managers[static_cast<std::size_t>(i)]->pid(), 0));
      pollfd ended{pidfd, POLLIN, 0};
      const auto begin = Clock::now();
      ::kill(pair.pid_in("s" + std::to_string(i), "app"), SIGKILL);
      if (::poll(&ended, 1, 60'000) != 1) throw std::runtime_error("a manager does not end");
      took.push_back(ms_since(begin));
      ::close(pidfd);
    }
    rounds.add("genapp", "p50 ms from an end to its manager's", quantile(took, 0.5));
    rounds.add("genapp", "p99 ms", quantile(took, 0.99));
    rounds.add("genapp", "worst ms", quantile(took, 1));
    // The rest is stopped by its managers, which TERM ends.
    for (const auto& manager : managers) ::kill(manager->pid(), SIGTERM);
    until("the sessions' ends", [&] { return pair.sessions() == 0; });
  }
  return rounds;
}

void benchmark(const Options& options) {
  raise_open_files();
  std::vector<Rounds> all = beside_ssh(options);
  all.push_back(many(options));
  report(all, options.json);
}

}  // namespace
}  // namespace genapp::bench

int main(int argc, char** argv) {
  return genapp::bench::run_benchmark(argc, argv, "sessions at once", 1000,
                                      genapp::bench::benchmark);
}
