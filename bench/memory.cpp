// What 1, 8, 64 and 1,000 responders cost at idle: memory, and wake-ups.

#include <poll.h>
#include <signal.h>

#include <fstream>
#include <memory>

#include "bench/client.hpp"
#include "bench/node.hpp"
#include "bench/options.hpp"
#include "bench/responders.hpp"
#include "bench/rounds.hpp"

namespace genapp::bench {
namespace {

constexpr int kFirstPort = 20'000;
// The daemon looks after its pid file every 10 s; a multiple of that.
constexpr int kIdleMilliseconds = 20'000;

// The number after `key` in a file of /proc/PID.
double proc_number(pid_t pid, const std::string& file, const std::string& key) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/" + file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key)) return std::stod(line.substr(key.size()));
  }
  throw std::runtime_error("no " + key + " for process " + std::to_string(pid));
}

double sum(const std::vector<pid_t>& pids, const std::string& file, const std::string& key) {
  double total = 0;
  for (const pid_t pid : pids) total += proc_number(pid, file, key);
  return total;
}

double wake_ups(const std::vector<pid_t>& pids) {
  return sum(pids, "status", "voluntary_ctxt_switches:");
}

void measure(const std::string& name, const std::vector<pid_t>& pids, Rounds& rounds) {
  const auto count = static_cast<double>(pids.size());
  const double pss = sum(pids, "smaps_rollup", "Pss:");
  rounds.add(name, "PSS kB each", pss / count);
  rounds.add(name, "private dirty kB each", sum(pids, "smaps_rollup", "Private_Dirty:") / count);
  rounds.add(name, "PSS MB in all", pss / 1024);
  const double before = wake_ups(pids);
  ::poll(nullptr, 0, kIdleMilliseconds);
  rounds.add(name, "wake-ups a minute each",
             (wake_ups(pids) - before) * (60'000.0 / kIdleMilliseconds) / count);
}

std::string nth(const char* name, int n) { return name + std::to_string(n); }

// `count` daemons as restore leaves them; removed with the object.
class Daemons {
 public:
  explicit Daemons(int count) : count_(count) {
    for (int n = 0; n < count; ++n) {
      node_.add(nth("lb", n), nth("app", n), nth("", kFirstPort + n) + " OK",
                "wait_first_probe = false\nhc_timeout = 3600");
      time_run(action("restore", n), 0);
      pid_t pid = 0;
      std::ifstream(node_.run_file(nth("app", n) + ".pid")) >> pid;
      pids_.push_back(pid);
    }
  }
  ~Daemons() {
    for (int n = 0; n < count_; ++n) time_run(action("remove", n));
  }
  Daemons(const Daemons&) = delete;
  Daemons& operator=(const Daemons&) = delete;
  const std::vector<pid_t>& pids() const { return pids_; }

 private:
  Program action(const char* name, int n) const {
    return node_.action(name, nth("lb", n), nth("app", n));
  }

  Node node_;
  int count_;
  std::vector<pid_t> pids_;
};

Rounds compare(int count, const Options& options) {
  Rounds rounds(std::to_string(count) + (count == 1 ? " responder" : " responders"), kLimit,
                {"PSS kB each", "private dirty kB each", "PSS MB in all"});
  for (int round = 0; round < options.rounds; ++round) {
    {
      const Daemons daemons(count);
      measure(kGenapp, daemons.pids(), rounds);
    }
    std::vector<std::unique_ptr<Server>> servers;
    std::vector<pid_t> pids;
    for (int n = 0; n < count; ++n) {
      servers.push_back(std::make_unique<Server>(
          Program{{installed(GENAPP_LIMIT_RESPONDER), nth("", kFirstPort + n), "OK"}}));
      pids.push_back(servers.back()->pid());
      wait_for_listener(static_cast<std::uint16_t>(kFirstPort + n));
    }
    measure(kLimit, pids, rounds);
  }
  return rounds;
}

void benchmark(const Options& options) {
  use_private_network();
  std::vector<Rounds> tables;
  for (const int count : {1, 8, 64, 1000}) {
    if (count <= options.runs) tables.push_back(compare(count, options));
  }
  report(tables, options.json);
}

}  // namespace
}  // namespace genapp::bench

int main(int argc, char** argv) {
  return genapp::bench::run_benchmark(argc, argv, "most responders at once", 1000,
                                      genapp::bench::benchmark);
}
