#include "bench/supervisors.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "bench/node.hpp"

namespace genapp::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kWaitMilliseconds = 60'000;

std::string nth(int n) { return "app" + std::to_string(n); }

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_script(const std::string& path, const std::string& body) {
  write_file(path, "#!/bin/sh\n" + body + "\n");
  ::chmod(path.c_str(), 0755);
}

// The applications' names, each a name of the one program.
void make_apps(const Crew& crew) {
  for (int n = 0; n < crew.count; ++n) {
    fs::create_symlink(GENAPP_STAMP, crew.folder / nth(n));
  }
}

class One : public Supervisor {
 public:
  explicit One(const Program& program) : server_(program) {}
  std::vector<pid_t> pids() const override { return family_of(server_.pid()); }

 private:
  Server server_;
};

// genapp: script resources with a process monitor each; nothing else looks.
class Genapp : public Supervisor {
 public:
  explicit Genapp(const Crew& crew) {
    const std::string programs = crew.folder / "programs";
    fs::create_directory(programs);
    for (const char* name : {"restore", "remove", "quickCheck", "recover"}) {
      real_ = fs::path(genapp_program(name)).parent_path();
      fs::create_symlink(GENAPP_STAMP, programs + "/" + name);
    }
    node_.add_settings("[agent]\npage = \"\"\nauto_start = true\nmonitor_interval = 3600\n");
    for (int n = 0; n < crew.count; ++n) add(crew, n);
    Program agent{{genapp_program("genapp-agent"), "--programs", programs}, node_.env()};
    agent.env["GENAPP_STAMPS"] = crew.stamps->path();
    agent.env["GENAPP_REAL"] = real_;
    agent_ = std::make_unique<Server>(agent);
  }
  std::vector<pid_t> pids() const override { return {agent_->pid()}; }

 private:
  void add(const Crew& crew, int n) {
    const std::string app = crew.folder / nth(n);
    write_script(app + ".start", "GENAPP_STAMPS='" + crew.stamps->path() + "' '" + app +
                                     "' </dev/null >/dev/null 2>&1 & echo $! >'" + app + ".pid'");
    write_script(app + ".stop", "kill -9 \"$(cat '" + app + ".pid')\" 2>/dev/null; true");
    node_.add_resource(nth(n), "type = \"script\"\nid = \"" + nth(n) +
                                   "\"\n[script]\nrestore = [\"" + app + ".start\"]\nremove = [\"" +
                                   app +
                                   ".stop\"]\n[monitor.proc]\nkind = \"process\"\nprocesses = [\"" +
                                   nth(n) + "\"]\nstabilization_interval = 0.1\n" +
                                   "restart_count = 1000\nrecount_interval = 0\n");
  }
  Node node_{};
  std::string real_{};
  std::unique_ptr<Server> agent_{};
};

std::unique_ptr<Supervisor> start_supervisord(const Crew& crew) {
  std::string text =
      "[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes="
      "0\nminfds=4096\npidfile=" +
      (crew.folder / "supervisord.pid") + "\n";
  for (int n = 0; n < crew.count; ++n) {
    text += "[program:" + nth(n) + "]\ncommand=" + (crew.folder / nth(n)) +
            "\nautorestart=true\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
            "environment=GENAPP_STAMPS=\"" +
            crew.stamps->path() + "\"\n";
  }
  write_file(crew.folder / "supervisord.conf", text);
  return std::make_unique<One>(
      Program{{"supervisord", "-n", "-c", crew.folder / "supervisord.conf"}});
}

// A second is the shortest cycle that it takes.
std::unique_ptr<Supervisor> start_monit(const Crew& crew) {
  std::string text = "set daemon 1\nset pidfile " + (crew.folder / "monit.pid") + "\nset idfile " +
                     (crew.folder / "monit.id") + "\nset statefile " +
                     (crew.folder / "monit.state") + "\n";
  for (int n = 0; n < crew.count; ++n) {
    const std::string app = crew.folder / nth(n);
    write_script(app + ".start", "GENAPP_STAMPS='" + crew.stamps->path() + "' '" + app +
                                     "' </dev/null >/dev/null 2>&1 & echo $! >'" + app + ".pid'");
    text += "check process " + nth(n) + " with pidfile " + app + ".pid\n  start program = \"" +
            app + ".start\"\n  stop program = \"/bin/true\"\n";
  }
  write_file(crew.folder / "monitrc", text);
  ::chmod((crew.folder / "monitrc").c_str(), 0700);
  return std::make_unique<One>(Program{{"monit", "-I", "-c", crew.folder / "monitrc"}});
}

std::unique_ptr<Supervisor> start_s6(const Crew& crew) {
  const std::string services = crew.folder / "services";
  fs::create_directory(services);
  for (int n = 0; n < crew.count; ++n) {
    fs::create_directory(services + "/" + nth(n));
    write_script(
        services + "/" + nth(n) + "/run",
        "exec env GENAPP_STAMPS='" + crew.stamps->path() + "' '" + (crew.folder / nth(n)) + "'");
  }
  return std::make_unique<One>(Program{{"s6-svscan", services}});
}

std::vector<pid_t> all_pids() {
  std::vector<pid_t> pids;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) pids.push_back(std::stoi(name));
  }
  return pids;
}

// The name and the parent, from /proc/PID/stat; nothing of one that has ended.
bool read_stat(pid_t pid, std::string& name, pid_t& parent) {
  const std::string text = read_whole("/proc/" + std::to_string(pid) + "/stat");
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return false;
  name = text.substr(open + 1, close - open - 1);
  char state = 0;
  std::istringstream rest(text.substr(close + 1));
  rest >> state >> parent;
  return state != 'Z';
}

}  // namespace

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::vector<Stamps::Stamp> Stamps::take() {
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(read_));
  std::vector<Stamp> stamps;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    read_ += line.size() + 1;
    Stamp stamp;
    std::istringstream(line) >> stamp.name >> stamp.argument >> stamp.at_ns;
    stamps.push_back(stamp);
  }
  return stamps;
}

Stamps::Stamp Stamps::wait_for(const std::string& name, const std::string& argument) {
  for (int waited = 0; waited < kWaitMilliseconds; ++waited) {
    const auto before = read_;
    for (const Stamp& stamp : take()) {
      if (stamp.name == name && stamp.argument == argument) return stamp;
    }
    if (before == read_) ::poll(nullptr, 0, 1);
  }
  throw std::runtime_error("no sign of " + name + " " + argument);
}

std::vector<pid_t> family_of(pid_t pid) {
  std::map<pid_t, std::vector<pid_t>> children;
  for (const pid_t one : all_pids()) {
    std::string name;
    pid_t parent = 0;
    if (read_stat(one, name, parent) && !name.starts_with("app")) children[parent].push_back(one);
  }
  std::vector<pid_t> family{pid};
  for (std::size_t i = 0; i < family.size(); ++i) {
    const auto& more = children[family[i]];
    family.insert(family.end(), more.begin(), more.end());
  }
  return family;
}

double cpu_us(const std::vector<pid_t>& pids) {
  double sum = 0;
  for (const pid_t pid : pids) sum += cpu_us_of(pid);
  return sum;
}

double pss_kb(const std::vector<pid_t>& pids) {
  double sum = 0;
  for (const pid_t pid : pids) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("Pss:")) sum += std::stod(line.substr(4));
    }
  }
  return sum;
}

std::map<std::string, pid_t> Crew::apps() const {
  const std::string begin = folder / "app";
  std::map<std::string, pid_t> found;
  for (const pid_t pid : all_pids()) {
    const std::string command = read_whole("/proc/" + std::to_string(pid) + "/cmdline");
    if (command.starts_with(begin)) found[command.substr(begin.size() - 3).c_str()] = pid;
  }
  return found;
}

// The supervisor first, who would start them again; one that was just being started may come late.
Crew::~Crew() {
  supervisor.reset();
  for (int quiet = 0; quiet < 5; ++quiet) {
    for (const auto& [name, pid] : apps()) {
      ::kill(pid, SIGKILL);
      quiet = 0;
    }
    ::poll(nullptr, 0, 50);
  }
}

std::string name_of(Kind kind) {
  switch (kind) {
    case Kind::genapp:
      return "genapp-agent";
    case Kind::supervisord:
      return "supervisord";
    case Kind::monit:
      return "monit";
    case Kind::s6:
      break;
  }
  return "s6";
}

std::unique_ptr<Crew> start_crew(Kind kind, int count) {
  auto crew = std::make_unique<Crew>();
  crew->count = count;
  crew->stamps = std::make_unique<Stamps>(crew->folder / "stamps");
  make_apps(*crew);
  switch (kind) {
    case Kind::genapp:
      crew->supervisor = std::make_unique<Genapp>(*crew);
      break;
    case Kind::supervisord:
      crew->supervisor = start_supervisord(*crew);
      break;
    case Kind::monit:
      crew->supervisor = start_monit(*crew);
      break;
    case Kind::s6:
      crew->supervisor = start_s6(*crew);
      break;
  }
  std::set<std::string> there;
  for (int waited = 0; static_cast<int>(there.size()) < count; ++waited) {
    if (waited > kWaitMilliseconds / 10) throw std::runtime_error(name_of(kind) + " is too slow");
    for (const auto& stamp : crew->stamps->take()) {
      if (stamp.name.starts_with("app")) there.insert(stamp.name);
    }
    ::poll(nullptr, 0, 10);
  }
  return crew;
}

}  // namespace genapp::bench
