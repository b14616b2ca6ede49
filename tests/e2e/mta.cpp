#include "tests/e2e/mta.hpp"

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

// Exim refuses to be root; any other number will do.
uid_t user() { return ::geteuid() == 0 ? 65534 : ::geteuid(); }
gid_t group() { return ::geteuid() == 0 ? 65534 : ::getegid(); }

}  // namespace

Mta::Mta() {
  namespace fs = std::filesystem;
  fs::create_directory(folder_ / "spool");
  fs::permissions(folder_.path(),
                  fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  if (::chown((folder_ / "spool").c_str(), user(), group()) != 0) {
    throw std::runtime_error("chown");
  }
  configure();
}

void Mta::configure(const std::string& main, const std::string& rules) {
  // daemon_startup_retries: a port in use is an error at once. host_lookup, primary_hostname: no
  // name server is asked.
  write_file(
      config(),
      main + "keep_environment =\nprimary_hostname = mta.test\nhost_lookup =\n" +
          "notifier_socket =\ndaemon_startup_retries = 0\n" + "log_selector = +smtp_connection\n" +
          "exim_user = " + std::to_string(user()) + "\nexim_group = " + std::to_string(group()) +
          "\nspool_directory = " + (folder_ / "spool") +
          "\nlog_file_path = " + (folder_ / "spool/%s.log") + "\npid_file_path = " + pid_file() +
          "\nlocal_interfaces = 127.0.0.1\n" + ports() + rules);
}

std::string Mta::ports() const {
  if (!certificate_) return "tls_advertise_hosts =\ndaemon_smtp_ports = " + port_.text() + "\n";
  return "tls_advertise_hosts = *\ntls_certificate = " + certificate_->chain +
         "\ntls_privatekey = " + certificate_->key + "\ndaemon_smtp_ports = " + port_.text() +
         " : " + tls_port_.text() + "\ntls_on_connect_ports = " + tls_port_.text() + "\n";
}

void Mta::serve_tls(const Certificate& certificate) {
  certificate_ = certificate;
  configure();
}

void Mta::refuse_all() {
  configure("acl_smtp_connect = nobody\n",
            "begin acl\nnobody:\n  deny message = 554 no service here\n");
}

std::string Mta::greeting() const {
  try {
    Client client("127.0.0.1", port());
    std::string greeting;
    wait_until([&] {
      const auto received = client.receive(std::chrono::milliseconds(50));
      greeting += received.bytes;
      return greeting.ends_with("\n") || received.ended || received.reset;
    });
    client.send("QUIT\r\n");  // else it logs a lost connection
    client.receive();
    return greeting;
  } catch (const std::runtime_error&) {
    return "";
  }
}

}  // namespace genapp::tests
