#include "tests/support/tls.hpp"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const Result result = run({.argv = arguments});
  if (result.exit_code != 0) throw std::runtime_error("openssl: " + result.err);
}

std::vector<std::string> server_command(const Certificate& certificate, std::uint16_t port,
                                        const std::vector<std::string>& options) {
  std::vector<std::string> command{
      "openssl", "s_server",       "-accept", "127.0.0.1:" + std::to_string(port),
      "-cert",   certificate.file, "-key",    certificate.key};
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

}  // namespace

Authority::Authority() : own_(self_signed("DNS:genapp-test-authority")) {
  fs::permissions(dir_.path(), fs::perms(0711));
}

Certificate Authority::self_signed(const std::string& name) {
  const std::string number = std::to_string(++issued_);
  Certificate made{path(number + ".pem"), path(number + ".key")};
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
           "-keyout", made.key, "-out", made.file, "-days", "3650", "-subj",
           "/CN=genapp test " + number, "-addext", "subjectAltName=" + name});
  fs::permissions(made.key, fs::perms(0644));
  return made;
}

Certificate Authority::issue(const std::string& name, int days) {
  const std::string number = std::to_string(++issued_);
  Certificate made{path(number + ".pem"), path(number + ".key")};
  const std::string request = path(number + ".csr");
  const std::string extensions = path(number + ".ext");
  write_file(extensions, "subjectAltName=" + name + "\n");
  openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
           made.key, "-out", request, "-subj", "/CN=genapp test " + number});
  openssl({"x509", "-req", "-in", request, "-CA", own_.file, "-CAkey", own_.key, "-set_serial",
           number, "-days", std::to_string(days), "-extfile", extensions, "-out", made.file});
  fs::permissions(made.key, fs::perms(0644));
  return made;
}

TlsServer::TlsServer(const Certificate& certificate, std::vector<std::string> options)
    : process_({.argv = server_command(certificate, port_.number(), options)}) {
  const bool listens =
      wait_until([this] { return accepts(port_.number()) || !process_.running(); });
  if (!listens || !process_.running()) throw std::runtime_error("openssl s_server: " + output());
}

}  // namespace genapp::tests
