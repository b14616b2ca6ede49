#include "tests/support/remote_guest.hpp"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "common/account.hpp"
#include "common/directory.hpp"
#include "common/family.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;
namespace paths = common::paths;
using std::chrono_literals::operator""s;

std::string rule(const std::string& name, const std::string& command) {
  return "[allow." + name + "]\ncertificate = [\"host1\", \"host2\"]\ncommand = [" + command +
         "]\nuser = \"" + common::account_of(::geteuid()).name + "\"\n";
}

std::optional<common::LivingProcess> living_keeper(const std::string& folder) try {
  const auto dir = common::Directory::open(folder, "a session", common::Directory::Symlink::refuse);
  return common::find_living(dir, paths::kKeeperPid);
} catch (const common::Error&) {
  return std::nullopt;
}

// With the command, and what that has started.
void end_keeper(const std::string& folder) {
  const auto keeper = living_keeper(folder);
  if (!keeper) return;
  const common::PidRecord record{keeper->pid, common::start_ticks(keeper->pid).value_or(0), ""};
  common::send_signal(keeper->pidfd, SIGKILL);
  common::wait_for_end(keeper->pidfd, 10s);
  common::end_carriers(common::run_of(record), 10s);
}

}  // namespace

RemoteGuest::RemoteGuest()
    : host1_(authority_.issue({.name = "host1"})), host2_(authority_.issue({.name = "host2"})) {
  settings("");
}

RemoteGuest::~RemoteGuest() {
  if (server_ && server_->running()) {
    server_->signal(SIGCONT);
    server_->stop();
  }
  for (const std::string& id : sessions()) end_keeper(session_dir(id));
}

void RemoteGuest::settings(const std::string& keys, const std::string& tables) {
  const remote::TlsFiles own = authority_.issue(server_wish(alternative_));
  const bool elsewhere = keys.find("listen") != std::string::npos;
  const std::string listen = elsewhere ? "" : "listen = \"127.0.0.1\"\n";
  write_file(node_.config_dir() + "/appserver.toml",
             "port = " + port_.text() + "\n" + listen + "log_file = \"" + log_file() +
                 "\"\nlog_level = \"debug\"\ncertificate = \"" + own.certificate + "\"\nkey = \"" +
                 own.key + "\"\nauthorities = \"" + own.authorities + "\"\n" + keys + "\n" +
                 rule("shell", R"("/bin/sh", "-c", "**")") + "signals = [\"HUP\", \"USR1\"]\n" +
                 "accept_environment = [\"COLOUR\"]\n" + rule("sleep", R"("/bin/sleep", "*")") +
                 rule("none", R"("/nowhere/at/all")") + tables);
}

void RemoteGuest::serve_as(const std::string& alternative) { alternative_ += "," + alternative; }

void RemoteGuest::start(const std::function<Command(Command)>& place) {
  constexpr char kListens[] = "listening on port";
  const std::size_t before = count_of(log(), kListens);
  const Command command = node_.command({"appserver"});
  server_.emplace(place ? place(command) : command);
  const bool there =
      wait_until([&] { return count_of(log(), kListens) > before || !server_->running(); });
  if (!there || !server_->running()) {
    throw std::runtime_error("no appserver: " + server_->err() + log());
  }
}

void RemoteGuest::kill() {
  server_->signal(SIGKILL);
  server_->wait();
}

Result RemoteGuest::stop() { return server_->stop(); }

bool RemoteGuest::logs(const std::string& text) const {
  return wait_until([&] { return log().find(text) != std::string::npos; });
}

std::string RemoteGuest::session_dir(const std::string& id) const {
  return node_.run_dir() + "/" + paths::kAppserver + "/" + paths::kSessions + "/" + id;
}

pid_t RemoteGuest::keeper(const std::string& id) const {
  const auto keeper = living_keeper(session_dir(id));
  return keeper ? keeper->pid : 0;
}

std::vector<std::string> RemoteGuest::sessions() const {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(session_dir("."), ignored)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

remote::Start shell(const std::string& session, const std::string& text,
                    const std::string& manager) {
  remote::Start start;
  start.session = common::Id(session);
  start.manager = manager;
  start.command = {"/bin/sh", "-c", text};
  return start;
}

}  // namespace genapp::tests
