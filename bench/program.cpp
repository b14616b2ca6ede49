#include "bench/program.hpp"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace genapp::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kEndMilliseconds = 3000;

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

double cpu_us(const rusage& usage) {
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

// argv and environment as the system wants them; owns the texts.
class Arguments {
 public:
  explicit Arguments(const Program& program) : argv_(program.argv) {
    argv_.at(0) = find_program(program.argv.at(0));
    if (argv_[0].empty()) throw std::runtime_error(program.argv[0] + " is not installed");
    std::map<std::string, std::string> merged;
    for (char** entry = ::environ; *entry; ++entry) {
      const char* equals = std::strchr(*entry, '=');
      if (equals)
        merged[std::string(*entry, static_cast<std::size_t>(equals - *entry))] = equals + 1;
    }
    for (const auto& [name, value] : program.env) merged[name] = value;
    for (const auto& [name, value] : merged) env_.push_back(name + "=" + value);
    for (auto& text : argv_) argv_pointers_.push_back(text.data());
    for (auto& text : env_) env_pointers_.push_back(text.data());
    argv_pointers_.push_back(nullptr);
    env_pointers_.push_back(nullptr);
  }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  pid_t spawn() {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const int stream : {0, 1, 2}) {
      ::posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
    }
    pid_t pid = 0;
    const int error = ::posix_spawn(&pid, argv_[0].c_str(), &actions, nullptr,
                                    argv_pointers_.data(), env_pointers_.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error) throw std::runtime_error("starting " + argv_[0] + ": " + std::strerror(error));
    return pid;
  }

 private:
  std::vector<std::string> argv_;
  std::vector<std::string> env_;
  std::vector<char*> argv_pointers_;
  std::vector<char*> env_pointers_;
};

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path ? path : "") + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

Run time_run(const Program& program) {
  Arguments arguments(program);
  rusage usage{};
  int status = 0;
  const auto begin = Clock::now();
  const pid_t pid = arguments.spawn();
  while (::wait4(pid, &status, 0, &usage) < 0) {
  }
  const std::chrono::duration<double, std::micro> wall = Clock::now() - begin;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, wall.count(), cpu_us(usage),
          static_cast<double>(usage.ru_maxrss)};
}

Run time_run(const Program& program, int exit_code) {
  const Run run = time_run(program);
  if (run.exit_code == exit_code) return run;
  std::string text;
  for (const auto& argument : program.argv) text += argument + " ";
  throw std::runtime_error(text + "ended with " + std::to_string(run.exit_code) + ", not " +
                           std::to_string(exit_code));
}

void run_on_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    throw std::runtime_error("binding to processor " + std::to_string(cpu));
  }
}

bool use_private_network() {
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (::unshare(CLONE_NEWNET) != 0) {
    std::fprintf(stderr, "no private network (%s): using the machine's loopback\n",
                 std::strerror(errno));
    return false;
  }
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (::ioctl(fd, SIOCSIFFLAGS, &request) != 0) throw std::runtime_error("loopback interface");
  ::close(fd);
  return true;
}

Server::Server(const Program& program) : pid_(Arguments(program).spawn()) {}

Server::~Server() {
  if (pid_ > 0) end_and_get_cpu_us();
}

double Server::end_and_get_cpu_us() {
  rusage usage{};
  ::kill(pid_, SIGTERM);
  int waited = 0;
  for (int i = 0; i < kEndMilliseconds && waited == 0; ++i) {
    waited = ::wait4(pid_, nullptr, WNOHANG, &usage);
    if (waited == 0) ::poll(nullptr, 0, 1);
  }
  if (waited == 0) {
    ::kill(pid_, SIGKILL);
    ::wait4(pid_, nullptr, 0, &usage);
  }
  pid_ = 0;
  return cpu_us(usage);
}

double cpu_us_of(pid_t pid) {
  double nanoseconds = 0;
  const auto tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    double on_cpu = 0;
    std::ifstream(task.path() / "schedstat") >> on_cpu;
    nanoseconds += on_cpu;
  }
  return nanoseconds / 1000;
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "genapp-bench-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("making a temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string installed(const std::string& built) {
  namespace fs = std::filesystem;
  static const Folder folder;
  const fs::path from(built);
  const fs::path bin = folder / "bin";
  fs::create_directories(bin);
  fs::copy_file(from, bin / from.filename(), fs::copy_options::skip_existing);
  // What programs look for from where they are.
  const fs::path helpers = from.parent_path() / "../libexec";
  if (fs::exists(helpers)) {
    fs::copy(helpers, folder / "libexec",
             fs::copy_options::recursive | fs::copy_options::skip_existing);
  }
  return bin / from.filename();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("writing " + path);
}

}  // namespace genapp::bench
