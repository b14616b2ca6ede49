// From fork to exit: quickCheck in three states, restore and remove; beside the limit, and beside
// what others call instead.

#include <poll.h>

#include <filesystem>
#include <optional>

#include "bench/node.hpp"
#include "bench/options.hpp"
#include "bench/rounds.hpp"

namespace genapp::bench {
namespace {

constexpr char kOurs[] = "genapp";
constexpr char kLimit[] = "limit: C, the same system calls";
constexpr char kAzureLb[] = "/usr/lib/ocf/resource.d/heartbeat/azure-lb";
// Everything on one processor: no figure depends on which one a wake-up finds idle.
constexpr int kCpu = 1;

struct Subject {
  std::string name;
  Program program;
  int exit_code;
};

// Runs of all subjects in turn, one by one; a round's value is the median of its runs.
Rounds compare(const std::string& title, const std::vector<Subject>& subjects,
               const Options& options) {
  Rounds rounds(title, kLimit, {"wall us", "CPU us"});
  for (int round = 0; round < options.rounds; ++round) {
    std::map<std::string, std::vector<double>> wall;
    std::map<std::string, std::vector<double>> cpu;
    for (int i = 0; i < options.runs; ++i) {
      for (const Subject& subject : subjects) {
        const Run run = time_run(subject.program, subject.exit_code);
        wall[subject.name].push_back(run.wall_us);
        cpu[subject.name].push_back(run.cpu_us);
      }
    }
    for (const Subject& subject : subjects) {
      rounds.add(subject.name, "wall us", median(wall[subject.name]));
      rounds.add(subject.name, "CPU us", median(cpu[subject.name]));
      rounds.add(subject.name, "best wall us", quantile(wall[subject.name], 0));
    }
  }
  return rounds;
}

Program limit(const std::string& verb, const Node& node) {
  return {{installed(GENAPP_LIMIT_ACTION), verb, "app1"}, node.env()};
}

// A node in service for its whole life.
class ServedNode {
 public:
  explicit ServedNode(const std::string& keys) {
    node_.add("lb", "app1", std::to_string(free_port()) + " OK",
              "wait_first_probe = false\n" + keys);
    time_run(node_.action("restore"), 0);
  }
  ~ServedNode() { time_run(node_.action("remove")); }
  ServedNode(const ServedNode&) = delete;
  ServedNode& operator=(const ServedNode&) = delete;
  const Node& node() const { return node_; }

 private:
  Node node_;
};

// azure-lb's responder, in service while the object lives.
class AzureLb {
 public:
  AzureLb() : port_(free_port()) { time_run(action("start"), 0); }
  ~AzureLb() { time_run(action("stop")); }
  AzureLb(const AzureLb&) = delete;
  AzureLb& operator=(const AzureLb&) = delete;

  Program action(const std::string& name) const {
    return {{kAzureLb, name},
            {{"OCF_ROOT", "/usr/lib/ocf"},
             {"OCF_RESOURCE_INSTANCE", "bench"},
             {"OCF_RESKEY_nc", find_program("nc")},
             {"OCF_RESKEY_port", std::to_string(port_)},
             {"HA_RSCTMP", folder_ / "tmp"},
             {"HA_VARRUN", folder_ / "run"}}};
  }

 private:
  Folder folder_;
  int port_;
};

Rounds healthy(const Options& options) {
  const ServedNode served("hc_timeout = 3600");
  const std::string flag = served.node().run_file("app1-hc-ng");
  std::vector<Subject> subjects{
      {kOurs, served.node().action("quickCheck"), 0},
      {kLimit, limit("quickCheck", served.node()), 0},
      {"bash -c 'test ! -e FLAG'", {{"bash", "-c", "test ! -e " + flag}}, 0},
      {"perl -e '-e FLAG'", {{"perl", "-e", "exit(-e $ARGV[0] ? 1 : 0)", flag}}, 0},
  };
  std::optional<AzureLb> azure;
  if (std::filesystem::exists(kAzureLb) && !find_program("nc").empty()) {
    azure.emplace();
    subjects.push_back({"azure-lb monitor", azure->action("monitor"), 0});
  }
  return compare("quickCheck, healthy", subjects, options);
}

Rounds flag_up(const Options& options) {
  const ServedNode served("hc_timeout = 0.01");
  while (!std::filesystem::exists(served.node().run_file("app1-hc-ng"))) ::poll(nullptr, 0, 1);
  return compare("quickCheck, flag up",
                 {{kOurs, served.node().action("quickCheck"), 1},
                  {kLimit, limit("quickCheck", served.node()), 1}},
                 options);
}

Rounds not_in_service(const Options& options) {
  Node node;
  node.add("lb", "app1", "1 OK", "");
  return compare("quickCheck, not in service",
                 {{kOurs, node.action("quickCheck"), 0}, {kLimit, limit("quickCheck", node), 0}},
                 options);
}

// One run is a restore and a remove of each subject.
std::vector<Rounds> restore_and_remove(const Options& options) {
  Node ours;
  Node theirs;
  for (Node* node : {&ours, &theirs}) {
    node->add("lb", "app1", std::to_string(free_port()) + " OK", "wait_first_probe = false");
  }
  struct Pair {
    std::string name;
    Program restore;
    Program remove;
  };
  const std::vector<Pair> pairs{
      {kOurs, ours.action("restore"), ours.action("remove")},
      {kLimit, limit("restore", theirs), limit("remove", theirs)},
  };
  Rounds restores("restore, without waiting for a probe", kLimit, {"wall us"});
  Rounds removes("remove", kLimit, {"wall us"});
  for (int round = 0; round < options.rounds; ++round) {
    std::map<std::string, std::vector<double>> restore;
    std::map<std::string, std::vector<double>> remove;
    for (int i = 0; i < options.runs; ++i) {
      for (const Pair& pair : pairs) {
        restore[pair.name].push_back(time_run(pair.restore, 0).wall_us);
        remove[pair.name].push_back(time_run(pair.remove, 0).wall_us);
      }
    }
    for (const Pair& pair : pairs) {
      restores.add(pair.name, "wall us", median(restore[pair.name]));
      restores.add(pair.name, "best wall us", quantile(restore[pair.name], 0));
      removes.add(pair.name, "wall us", median(remove[pair.name]));
      removes.add(pair.name, "best wall us", quantile(remove[pair.name], 0));
    }
  }
  return {restores, removes};
}

void benchmark(const Options& options) {
  run_on_cpu(kCpu);
  std::vector<Rounds> tables{healthy(options), flag_up(options), not_in_service(options)};
  for (Rounds& table : restore_and_remove(options)) tables.push_back(std::move(table));
  report(tables, options.json);
}

}  // namespace
}  // namespace genapp::bench

int main(int argc, char** argv) {
  return genapp::bench::run_benchmark(argc, argv, "runs of each program a round", 200,
                                      genapp::bench::benchmark);
}
