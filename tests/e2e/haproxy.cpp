#include "tests/e2e/haproxy.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line);
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

// The service that both nodes run all the time, so that only the checks decide where requests go:
// HAProxy plays it too, which saves a program.
std::string service(const std::string& name, const std::string& address, const Port& port) {
  return "frontend service_" + name + "\n  bind " + address + ":" + port.text() +
         "\n  http-request return status 200 content-type text/plain string " + name + "\n";
}

}  // namespace

HaProxy::HaProxy(const Checks& checks) {
  // The control socket is a TCP port: a UNIX socket's path is limited to 107 bytes, and temporary
  // folders can be longer. timeout check: else a check has just `inter` to succeed, which a loaded
  // machine does not always manage.
  write_file(folder_ / "haproxy.cfg",
             std::string("global\n  stats socket ipv4@127.0.0.1:") + control_.text() +
                 " level user\n"
                 "defaults\n  mode http\n  timeout connect 10s\n  timeout client 10s\n"
                 "  timeout server 10s\n  timeout check 10s\n" +
                 service("n1", kAddress1, service_) + service("n2", kAddress2, service_) +
                 "frontend users\n  bind 127.0.0.1:" + frontend_.text() +
                 "\n  default_backend nodes\n"
                 "backend nodes\n" +
                 checks.backend + "  default-server inter 100ms fall 2 rise 1 " + checks.server +
                 "\n  server n1 " + kAddress1 + ":" + service_.text() + "\n  server n2 " +
                 kAddress2 + ":" + service_.text() + "\n");
}

void HaProxy::start() {
  process_.emplace(Command{{"haproxy", "-db", "-f", folder_ / "haproxy.cfg"}});
  const bool up =
      wait_until([this] { return !process_->running() || !stat("n1", "status").empty(); });
  if (up && process_->running()) return;
  throw std::runtime_error("HAProxy does not start: " + process_->err() + process_->out() +
                           read_file(folder_ / "haproxy.cfg"));
}

void HaProxy::stop() {
  process_->stop();
  process_.reset();
}

std::string HaProxy::ask(const std::string& command) const {
  try {
    return probe(control_.number(), command + "\n").bytes;
  } catch (const std::runtime_error&) {
    return "";  // not listening
  }
}

std::string HaProxy::stat(const std::string& server, const std::string& column) const {
  std::istringstream lines(ask("show stat"));
  std::string line;
  std::getline(lines, line);
  const auto names = fields_of(line.substr(std::min<std::size_t>(2, line.size())));  // after "# "
  const auto index =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), column) - names.begin());
  while (std::getline(lines, line)) {
    const auto fields = fields_of(line);
    if (fields.size() > index && fields[0] == "nodes" && fields[1] == server) return fields[index];
  }
  return "";
}

bool HaProxy::shows(const std::string& server, const std::string& wanted) const {
  return wait_until([&] { return status(server) == wanted; });
}

std::string HaProxy::serving_node() const {
  const std::string answer = probe(frontend_.number(), "GET / HTTP/1.0\r\n\r\n").bytes;
  if (answer.find(" 200 ") == std::string::npos) return "none";
  return answer.substr(answer.size() - 2);
}

}  // namespace genapp::tests
