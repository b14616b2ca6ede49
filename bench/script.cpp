// What it costs to have genapp run a user's script: one that does nothing, and one that prints a
// gigabyte.

#include <filesystem>

#include "bench/node.hpp"
#include "bench/options.hpp"
#include "bench/rounds.hpp"

namespace genapp::bench {
namespace {

constexpr char kOurs[] = "genapp";
constexpr char kLimit[] = "limit: C, the same fork and exec";
constexpr char kPipe[] = "script | cat >/dev/null";
constexpr int kCpu = 1;
constexpr long kPrinted = 1'000'000'000;

// A resource of type script whose restore has this body.
class ScriptNode {
 public:
  explicit ScriptNode(const std::string& body) {
    std::filesystem::create_directory(folder_ / "app");
    for (const std::string action : {"restore", "remove"}) {
      write_file(script(action), "#!/bin/sh\n" + (action == "restore" ? body : "") + "\n");
      std::filesystem::permissions(script(action), std::filesystem::perms(0755));
    }
    node_.add_resource("web", "type = \"script\"\nid = \"web1\"\n[script]\nfolder = \"" +
                                  (folder_ / "app") + "\"\n");
  }

  std::string script(const std::string& action) const { return folder_ / ("app/" + action); }
  Program restore() const { return node_.action("restore", "web", "web1"); }

 private:
  Folder folder_;
  Node node_;
};

Rounds doing_nothing(const Options& options) {
  const ScriptNode node("exit 0");
  const Program ours = node.restore();
  const Program limit{{installed(GENAPP_LIMIT_SCRIPT), node.script("restore"), "web", "web1"}};
  const Program bare{{node.script("restore")}};
  Rounds rounds("restore of a script that does nothing", kLimit, {"wall us", "CPU us"});
  for (int round = 0; round < options.rounds; ++round) {
    std::map<std::string, std::vector<Run>> runs;
    for (int i = 0; i < options.runs; ++i) {
      runs[kOurs].push_back(time_run(ours, 0));
      runs[kLimit].push_back(time_run(limit, 0));
      runs["the script alone"].push_back(time_run(bare, 0));
    }
    for (const auto& [name, all] : runs) {
      std::vector<double> wall;
      std::vector<double> cpu;
      for (const Run& run : all) {
        wall.push_back(run.wall_us);
        cpu.push_back(run.cpu_us);
      }
      rounds.add(name, "wall us", median(wall));
      rounds.add(name, "CPU us", median(cpu));
    }
  }
  return rounds;
}

Rounds printing(const Options& options) {
  const ScriptNode node("yes 0123456789abcdef | head -c " + std::to_string(kPrinted));
  const Program ours = node.restore();
  const Program pipe{{"sh", "-c", node.script("restore") + " | cat >/dev/null"}};
  Rounds rounds("restore of a script that prints 1 GB", kPipe, {"wall us"});
  for (int round = 0; round < options.rounds; ++round) {
    for (const auto& [name, program] : {std::pair(kOurs, &ours), std::pair(kPipe, &pipe)}) {
      const Run run = time_run(*program, 0);
      rounds.add(name, "wall us", run.wall_us);
      rounds.add(name, "most RSS kB", run.most_rss_kb);
    }
  }
  return rounds;
}

void benchmark(const Options& options) {
  // The printing first, on all processors: the script and its reader work side by side.
  Rounds printed = printing(options);
  run_on_cpu(kCpu);
  report({doing_nothing(options), std::move(printed)}, options.json);
}

}  // namespace
}  // namespace genapp::bench

int main(int argc, char** argv) {
  return genapp::bench::run_benchmark(argc, argv, "runs of each program a round", 200,
                                      genapp::bench::benchmark);
}
