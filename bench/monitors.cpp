// What httpmon and smtpmon cost beside what their users run per interval, how many a node carries,
// and how punctual they are.

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>

#include "bench/answerer.hpp"
#include "bench/client.hpp"
#include "bench/node.hpp"
#include "bench/options.hpp"
#include "bench/responders.hpp"
#include "bench/rounds.hpp"
#include "bench/watchers.hpp"

namespace genapp::bench {
namespace {

using Manner = Answerer::Manner;

constexpr char kHttpmon[] = "httpmon";
constexpr char kSmtpmon[] = "smtpmon";
constexpr char kLimitCheck[] = "limit: C, the same system calls";
constexpr char kPlugins[] = "/usr/lib/nagios/plugins/";
constexpr int kPauseMilliseconds = 100;  // between checks, where the cost of one is measured
constexpr int kChecks = 100;
constexpr double kGridMilliseconds = 1000;
constexpr int kWatchSeconds = 30;
constexpr int kJudges = 10;

void pause_ms(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

std::uint16_t port() { return static_cast<std::uint16_t>(free_port()); }

// The cost of a check.

double monitors_cpu_us(const std::string& program, std::uint16_t at) {
  const Watchers monitor(program, 1, at, "0.1");
  pause_ms(10 * kPauseMilliseconds);
  // Answering the question costs it time too: outside of what is measured.
  const double checks = monitor.checks(0);
  const double cpu = monitor.cpu_us();
  pause_ms(kChecks * kPauseMilliseconds);
  const double cpu_after = monitor.cpu_us();
  return (cpu_after - cpu) / (monitor.checks(0) - checks);
}

// The same, by a bare C program.
double limit_cpu_us(std::uint16_t at) {
  const Server limit({{installed(GENAPP_LIMIT_CHECK), std::to_string(at)}});
  pause_ms(10 * kPauseMilliseconds);
  const double cpu = cpu_us_of(limit.pid());
  pause_ms(kChecks * kPauseMilliseconds);
  return (cpu_us_of(limit.pid()) - cpu) / kChecks;
}

// A process per interval.
double programs_cpu_us(const Program& program) {
  double sum = 0;
  for (int n = 0; n < kChecks; ++n) {
    sum += time_run(program, 0).cpu_us;
    pause_ms(kPauseMilliseconds);
  }
  return sum / kChecks;
}

struct Peer {
  std::string name;
  Program program;
};

Rounds compare_cost(const std::string& title, const std::string& monitor, std::uint16_t at,
                    const std::vector<Peer>& peers, const Options& options) {
  const char* const figure = "CPU us per check";
  Rounds rounds(title, monitor, {figure});
  for (int round = 0; round < options.rounds; ++round) {
    rounds.add(monitor, figure, monitors_cpu_us(monitor, at));
    if (monitor == kHttpmon) rounds.add(kLimitCheck, figure, limit_cpu_us(at));
    for (const Peer& peer : peers) rounds.add(peer.name, figure, programs_cpu_us(peer.program));
  }
  return rounds;
}

Rounds http_cost(const Options& options) {
  const Folder folder;
  const auto at = port();
  const std::string text = std::to_string(at);
  write_file(folder / "nginx.conf",
             "daemon off;\nworker_processes 1;\npid " + (folder / "pid") + ";\nerror_log " +
                 (folder / "error.log") +
                 ";\nevents { }\nhttp {\n  access_log off;\n  server {\n    listen 127.0.0.1:" +
                 text + ";\n    location / { return 200 ok; }\n  }\n}\n");
  const Server nginx({{"nginx", "-e", folder / "error.log", "-c", folder / "nginx.conf"}});
  wait_for_listener(at);
  return compare_cost(
      "HEAD / of nginx, every 100 ms", kHttpmon, at,
      {{"curl -sI", {{"curl", "-sI", "http://127.0.0.1:" + text + "/0"}, {{"no_proxy", "*"}}}},
       {"check_http -j HEAD",
        {{std::string(kPlugins) + "check_http", "-j", "HEAD", "-I", "127.0.0.1", "-p", text}}}},
      options);
}

Rounds smtp_cost(const Options& options) {
  const auto at = port();
  const Answerer server(at, Manner::smtp);
  return compare_cost(
      "a mail server, every 100 ms", kSmtpmon, at,
      {{"check_smtp",
        {{std::string(kPlugins) + "check_smtp", "-H", "127.0.0.1", "-p", std::to_string(at)}}}},
      options);
}

// Memory.

// In kB, from the roll-up of all mappings.
double memory_kb(pid_t pid, const std::string& key) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key)) return std::stod(line.substr(key.size()));
  }
  throw std::runtime_error("no " + key + " of process " + std::to_string(pid));
}

double memory_kb_each(const Watchers& monitors, const std::string& key) {
  double sum = 0;
  for (const pid_t pid : monitors.pids()) sum += memory_kb(pid, key);
  return sum / static_cast<double>(monitors.pids().size());
}

// Each has made checks, since what it needs for them counts.
void wait_for_checks(Answerer& server, int monitors) {
  std::map<int, int> seen;
  for (int tries = 0; static_cast<int>(seen.size()) < monitors; ++tries) {
    if (tries > 600) throw std::runtime_error("the monitors do not check");
    pause_ms(100);
    for (const auto& [id, times] : server.take_arrivals()) seen[id] += 1;
  }
}

Rounds memory(const Options& options) {
  Rounds rounds("memory", std::to_string(1) + " httpmon", {"PSS kB each"});
  for (int round = 0; round < options.rounds; ++round) {
    for (const int count : {1, 20, 1000}) {
      if (count > options.runs) continue;
      const auto at = port();
      Answerer server(at, Manner::http);
      const Watchers monitors(kHttpmon, count, at, "5");
      wait_for_checks(server, count);
      const std::string name = std::to_string(count) + " httpmon";
      rounds.add(name, "PSS kB each", memory_kb_each(monitors, "Pss:"));
      rounds.add(name, "private dirty kB each", memory_kb_each(monitors, "Private_Dirty:"));
      rounds.add(name, "RSS kB each", memory_kb_each(monitors, "Rss:"));
    }
  }
  return rounds;
}

// Punctuality of the checks.

struct Lateness {
  std::vector<double> ms{};
  int missed = 0;
};

// Against a grid of one second through the monitor's most punctual check: what it can be late by is
// what the others are later than that one.
void add_lateness(const std::vector<Answerer::Clock::time_point>& times, Lateness& lateness) {
  std::vector<double> offsets;
  double last = 0;
  for (const auto time : times) {
    const std::chrono::duration<double, std::milli> since = time - times.front();
    const double step = std::round(since.count() / kGridMilliseconds);
    if (!offsets.empty()) lateness.missed += static_cast<int>(step - last) - 1;
    last = step;
    offsets.push_back(since.count() - step * kGridMilliseconds);
  }
  const double grid = *std::min_element(offsets.begin(), offsets.end());
  for (const double offset : offsets) lateness.ms.push_back(offset - grid);
}

Rounds punctuality(const Options& options) {
  const std::string name = std::to_string(options.runs) + " httpmon";
  Rounds rounds("every second, for " + std::to_string(kWatchSeconds) + " s", name, {});
  for (int round = 0; round < options.rounds; ++round) {
    const auto at = port();
    Answerer server(at, Manner::http);
    const Watchers monitors(kHttpmon, options.runs, at, "1");
    wait_for_checks(server, options.runs);
    pause_ms(2000);  // the last ones' start is over
    server.take_arrivals();
    const double cpu = monitors.cpu_us();
    pause_ms(kWatchSeconds * 1000);
    const double cores = (monitors.cpu_us() - cpu) / 1e6 / kWatchSeconds;
    Lateness lateness;
    std::size_t checks = 0;
    for (const auto& [id, times] : server.take_arrivals()) {
      checks += times.size();
      add_lateness(times, lateness);
    }
    rounds.add(name, "checks", static_cast<double>(checks));
    rounds.add(name, "p50 late ms", quantile(lateness.ms, 0.5));
    rounds.add(name, "p99 late ms", quantile(lateness.ms, 0.99));
    rounds.add(name, "worst ms", quantile(lateness.ms, 1));
    rounds.add(name, "missed", lateness.missed);
    rounds.add(name, "cores in all", cores);
  }
  return rounds;
}

// Punctuality of the judgement.

struct Hostile {
  std::string name;
  std::string monitor;
  std::string where;  // options
};

// What goes out to loopback comes in again, is for nobody here, and is dropped without a word.
// Nothing without a network of our own.
std::vector<Hostile> black_hole(bool own_network) {
  if (!own_network) return {};
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"addr", "add", "192.0.2.1/32", "dev", "lo"},
        {"route", "add", "192.0.2.99/32", "dev", "lo"}}) {
    Program ip{{"ip"}};
    ip.argv.insert(ip.argv.end(), arguments.begin(), arguments.end());
    time_run(ip, 0);
  }
  return {{"black hole", kHttpmon, "-s 192.0.2.99"}};
}

Rounds judgement(bool own_network, const Options& options) {
  const auto silent = port();
  const Answerer never(silent, Manner::silent);
  const auto drip = port();
  const Answerer drips(drip, Manner::drip_http);
  const auto mail_drip = port();
  const Answerer mail_drips(mail_drip, Manner::drip_smtp);
  const auto at = [](std::uint16_t number) { return "-s 127.0.0.1 -n " + std::to_string(number); };
  std::vector<Hostile> all = black_hole(own_network);
  all.insert(all.end(), {{"silent", kHttpmon, at(silent)},
                         {"silent, asked with TLS", kHttpmon, at(silent) + " --https --insecure"},
                         {"a byte every 100 ms", kHttpmon, at(drip)},
                         {"mail, silent", kSmtpmon, at(silent)},
                         {"mail, a byte every 100 ms", kSmtpmon, at(mail_drip)}});
  const double expected = 2 * 500 + 1000;
  Rounds rounds("judged failed after 2 x 0.5 s + 1 s", "silent", {});
  for (int round = 0; round < options.rounds; ++round) {
    for (const Hostile& hostile : all) {
      std::vector<double> late;
      for (const Judgement& one :
           judge(hostile.monitor, kJudges, "-i 0.5 -c 2 -r 1 " + hostile.where)) {
        late.push_back(one.after_ms - expected);
      }
      rounds.add(hostile.name, "late ms, median of 10", median(late));
      rounds.add(hostile.name, "earliest ms", quantile(late, 0));
      rounds.add(hostile.name, "worst ms", quantile(late, 1));
    }
  }
  return rounds;
}

void benchmark(const Options& options) {
  const bool own_network = use_private_network();
  report({http_cost(options), smtp_cost(options), memory(options), punctuality(options),
          judgement(own_network, options)},
         options.json);
}

}  // namespace
}  // namespace genapp::bench

int main(int argc, char** argv) {
  return genapp::bench::run_benchmark(argc, argv, "most monitors at once", 1000,
                                      genapp::bench::benchmark);
}
