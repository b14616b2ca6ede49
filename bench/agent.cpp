// The agent: what a thousand resources' quickChecks cost and how punctual they are, what ten
// thousand process monitors cost while nothing happens, and how soon a death is noticed, beside its
// peers.

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>

#include "bench/node.hpp"
#include "bench/options.hpp"
#include "bench/program.hpp"
#include "bench/rounds.hpp"
#include "bench/supervisors.hpp"

namespace genapp::bench {
namespace {

constexpr int kWatched = 100;
constexpr int kDeaths = 40;  // monit takes a second or two for each
constexpr std::size_t kCrowdDeaths = 100;
constexpr int kIdleSeconds = 30;
constexpr int kCheckSeconds = 60;
constexpr int kRecountSeconds = 60;          // a count of all processes is in it
constexpr int kSettleMilliseconds = 15'000;  // all have been found
constexpr double kIntervalMilliseconds = 10'000;

void pause_ms(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

// utime, stime and those of the children that were waited for, of /proc/PID/stat.
double cpu_with_children_us(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  std::string word;
  double ticks = 0;
  for (int field = 3; field <= 17 && rest >> word; ++field) {
    if (field >= 14) ticks += std::stod(word);
  }
  return ticks * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// An agent of this benchmark's own; with the executables behind stamps, which cost time themselves,
// or without.
enum class Stamped { no, yes };
class Agent {
 public:
  Agent(Node& node, const Folder& folder, Stamped stamped) : stamps_(folder / "stamps") {
    Program program{{genapp_program("genapp-agent")}, node.env()};
    const std::string programs = folder / "programs";
    std::filesystem::create_directory(programs);
    std::filesystem::create_symlink(GENAPP_STAMP, notify_of(folder));
    for (const char* name : {"restore", "remove", "quickCheck", "recover"}) {
      const std::string real = genapp_program(name);
      program.env["GENAPP_REAL"] = std::filesystem::path(real).parent_path();
      std::filesystem::create_symlink(GENAPP_STAMP, programs + "/" + name);
    }
    if (stamped == Stamped::yes) {
      program.argv.insert(program.argv.end(), {"--programs", programs});
      program.env["GENAPP_STAMPS"] = stamps_.path();
    }
    server_ = std::make_unique<Server>(program);
  }
  // A command that leaves a stamp.
  static std::string notify_of(const Folder& folder) { return folder / "programs/notify"; }
  pid_t pid() const { return server_->pid(); }
  Stamps& stamps() { return stamps_; }

 private:
  Stamps stamps_;
  std::unique_ptr<Server> server_{};
};

// ---- many quickChecks

struct Load {
  std::string name;
  std::string type;
  std::string keys;  // of the type's table
};

void add_resources(Node& node, const Load& load, int count) {
  for (int n = 0; n < count; ++n) {
    const std::string tag = "r" + std::to_string(n);
    const std::string info = load.type == "lbhc" ? std::to_string(20000 + n) + " OK" : "";
    node.add_resource(tag, "type = \"" + load.type + "\"\nid = \"" + tag + "\"\ninfo = \"" + info +
                               "\"\n[" + load.type + "]\n" + load.keys + "\n");
    write_file(node.run_file(tag + ".state"), "ISP\n");
  }
}

// What is apart from the interval, the check's own time included: the first is due after a part of
// it.
std::vector<double> lateness_ms(Stamps& stamps) {
  std::map<std::string, std::int64_t> last;
  std::vector<double> late;
  for (const auto& stamp : stamps.take()) {
    if (stamp.name != "quickCheck") continue;
    const auto [before, first] = last.try_emplace(stamp.argument, stamp.at_ns);
    const double apart = static_cast<double>(stamp.at_ns - before->second) / 1e6;
    if (!first && apart > kIntervalMilliseconds) late.push_back(apart - kIntervalMilliseconds);
    before->second = stamp.at_ns;
  }
  return late;
}

void measure_cost(const Load& load, const Agent& agent, Rounds& rounds) {
  pause_ms(kSettleMilliseconds);
  const double cpu = cpu_with_children_us(agent.pid());
  const double own = cpu_us_of(agent.pid());
  pause_ms(kCheckSeconds * 1000);
  rounds.add(load.name, "cores in all",
             (cpu_with_children_us(agent.pid()) - cpu) / 1e6 / kCheckSeconds);
  rounds.add(load.name, "cores, the agent alone",
             (cpu_us_of(agent.pid()) - own) / 1e6 / kCheckSeconds);
  rounds.add(load.name, "PSS MB", pss_kb({agent.pid()}) / 1024);
}

void measure_checks(const Load& load, int count, Rounds& rounds) {
  Node node;
  node.add_settings("[agent]\npage = \"\"\n");
  add_resources(node, load, count);
  {
    const Folder folder;
    const Agent agent(node, folder, Stamped::no);
    measure_cost(load, agent, rounds);
  }
  const Folder folder;
  Agent agent(node, folder, Stamped::yes);
  pause_ms(kSettleMilliseconds + kCheckSeconds * 1000);
  const std::vector<double> late = lateness_ms(agent.stamps());
  rounds.add(load.name, "checks", static_cast<double>(late.size()));
  rounds.add(load.name, "p50 late ms", quantile(late, 0.5));
  rounds.add(load.name, "p99 late ms", quantile(late, 0.99));
  rounds.add(load.name, "worst ms", quantile(late, 1));
}

// Health checks whose daemons run; they are ended with it.
class Daemons {
 public:
  Daemons(const Node& node, int count) : node_(node), count_(count) {}
  ~Daemons() {
    for (int n = 0; n < count_; ++n) {
      const std::string tag = "r" + std::to_string(n);
      time_run(node_.action("remove", tag, tag));
    }
  }
  Daemons(const Daemons&) = delete;
  Daemons& operator=(const Daemons&) = delete;

 private:
  const Node& node_;
  int count_;
};

void measure_health_checks(int count, Rounds& rounds) {
  const Load load{"health checks, with their daemons", "lbhc",
                  "wait_first_probe = false\nhc_timeout = 86400\nlisten = \"ipv4\""};
  Node node;
  node.add_settings("[agent]\npage = \"\"\n");
  add_resources(node, load, count);
  const Daemons daemons(node, count);
  for (int n = 0; n < count; ++n) {
    const std::string tag = "r" + std::to_string(n);
    time_run(node.action("restore", tag, tag), 0);
  }
  const Folder folder;
  const Agent agent(node, folder, Stamped::no);
  measure_cost(load, agent, rounds);
}

Rounds quick_checks(const Options& options) {
  const std::string commands = "restore = [\"/bin/true\"]\nremove = [\"/bin/true\"]\n";
  const std::vector<Load> loads{
      {"scripts without a quickCheck", "script", commands},
      {"scripts: /bin/true", "script", commands + "quickcheck = [\"/bin/true\"]"}};
  Rounds rounds(std::to_string(options.runs) + " resources, quickCheck every 10 s, for " +
                    std::to_string(kCheckSeconds) + " s",
                loads[0].name, {});
  for (int round = 0; round < options.rounds; ++round) {
    for (const Load& load : loads) measure_checks(load, options.runs, rounds);
    measure_health_checks(options.runs, rounds);
  }
  return rounds;
}

// ---- many process monitors

// In the order of their names; waits until all are there.
std::vector<pid_t> crowd_pids(pid_t crowd, int count) {
  const std::string pid = std::to_string(crowd);
  for (;;) {
    std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
    std::vector<pid_t> pids((std::istream_iterator<pid_t>(file)), std::istream_iterator<pid_t>());
    if (pids.size() == static_cast<std::size_t>(count)) return pids;
    pause_ms(100);
  }
}

// From the death of one of the crowd to its monitor's notify.
void add_crowd_deaths(const std::vector<pid_t>& pids, Stamps& stamps, const std::string& name,
                      Rounds& rounds) {
  std::vector<double> late;
  for (std::size_t n = 0; n < kCrowdDeaths; ++n) {
    const std::size_t worker = n * (pids.size() / kCrowdDeaths);
    const auto at = now_ns();
    ::kill(pids.at(worker), SIGKILL);
    const auto stamp = stamps.wait_for("notify", "w" + std::to_string(worker));
    late.push_back(static_cast<double>(stamp.at_ns - at) / 1e6);
    pause_ms(20);
  }
  rounds.add(name, "p50 ms from a death to notify", quantile(late, 0.5));
  rounds.add(name, "p99 ms", quantile(late, 0.99));
}

Rounds process_monitors(const Options& options) {
  const int count = options.runs * 10;
  constexpr int kEach = 1000;
  const std::string name = std::to_string(count) + " process monitors";
  Rounds rounds("while nothing happens, for " + std::to_string(kRecountSeconds) + " s", name, {});
  for (int round = 0; round < options.rounds; ++round) {
    Node node;
    const Folder folder;
    const Server crowd({{GENAPP_CROWD, std::to_string(count)}});
    const std::vector<pid_t> pids = crowd_pids(crowd.pid(), count);
    node.add_settings("[agent]\npage = \"\"\nmonitor_interval = 3600\n");
    for (int first = 0; first < count; first += kEach) {
      std::string text = "type = \"script\"\nid = \"r" + std::to_string(first) +
                         "\"\n[script]\nrestore = [\"/bin/true\"]\nremove = [\"/bin/true\"]\n";
      for (int n = first; n < std::min(first + kEach, count); ++n) {
        const std::string worker = "w" + std::to_string(n);
        text += "[monitor." + worker + "]\nkind = \"process\"\nprocesses = [\"" + worker +
                "\"]\nstabilization_interval = 0.1\nrestart_count = 0\nnotify = [\"" +
                Agent::notify_of(folder) + "\", \"\", \"" + worker + "\"]\n";
      }
      node.add_resource("r" + std::to_string(first), text);
      write_file(node.run_file("r" + std::to_string(first) + ".state"), "ISP\n");
    }
    Agent agent(node, folder, Stamped::yes);
    pause_ms(20'000);
    const double cpu = cpu_us({agent.pid()});
    pause_ms(kRecountSeconds * 1000);
    rounds.add(name, "% of a core", (cpu_us({agent.pid()}) - cpu) / 1e4 / kRecountSeconds);
    rounds.add(name, "PSS MB", pss_kb({agent.pid()}) / 1024);
    rounds.add(
        name, "descriptors",
        static_cast<double>(std::distance(
            std::filesystem::directory_iterator("/proc/" + std::to_string(agent.pid()) + "/fd"),
            std::filesystem::directory_iterator{})));
    add_crowd_deaths(pids, agent.stamps(), name, rounds);
  }
  return rounds;
}

// ---- a death

std::vector<Rounds> deaths(const Options& options) {
  const std::vector<Kind> kinds{Kind::genapp, Kind::supervisord, Kind::monit, Kind::s6};
  Rounds idle(std::to_string(kWatched) + " watched processes, nothing happens",
              name_of(Kind::genapp), {"CPU ms per s", "PSS MB"});
  Rounds noticed("a death", name_of(Kind::genapp), {"p50 ms to its new start"});
  for (int round = 0; round < options.rounds; ++round) {
    for (const Kind kind : kinds) {
      const auto crew = start_crew(kind, kWatched);
      const std::string name = name_of(kind);
      pause_ms(5000);
      const auto pids = crew->supervisor->pids();
      const double cpu = cpu_us(pids);
      pause_ms(kIdleSeconds * 1000);
      idle.add(name, "CPU ms per s", (cpu_us(pids) - cpu) / 1000 / kIdleSeconds);
      idle.add(name, "PSS MB", pss_kb(pids) / 1024);
      std::vector<double> began;
      std::vector<double> started;
      for (int n = 0; n < kDeaths; ++n) {
        const std::string app = "app" + std::to_string(n);
        crew->stamps->take();
        const pid_t pid = crew->apps().at(app);
        const auto at = now_ns();
        ::kill(pid, SIGKILL);
        const auto ms = [&](const Stamps::Stamp& stamp) {
          return static_cast<double>(stamp.at_ns - at) / 1e6;
        };
        if (kind == Kind::genapp) began.push_back(ms(crew->stamps->wait_for("remove", app)));
        started.push_back(ms(crew->stamps->wait_for(app, "-")));
        pause_ms(kind == Kind::monit ? 13 : 50);
      }
      noticed.add(name, "p50 ms to its new start", quantile(started, 0.5));
      noticed.add(name, "p99 ms", quantile(started, 0.99));
      noticed.add(name, "worst ms", quantile(started, 1));
      // The peers clean nothing.
      noticed.add(name, "p99 ms to the restart's begin",
                  quantile(began.empty() ? started : began, 0.99));
    }
  }
  return {idle, noticed};
}

void benchmark(const Options& options) {
  std::vector<Rounds> all = deaths(options);
  all.push_back(process_monitors(options));
  all.push_back(quick_checks(options));
  report(all, options.json);
}

}  // namespace
}  // namespace genapp::bench

int main(int argc, char** argv) {
  return genapp::bench::run_benchmark(argc, argv, "resources at once", 1000,
                                      genapp::bench::benchmark);
}
