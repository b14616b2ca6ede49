#include "tests/e2e/certificates.hpp"

#include <filesystem>
#include <stdexcept>
#include <vector>

#include "tests/support/process.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const Result result = run({arguments});
  if (result.exit_code != 0) throw std::runtime_error("openssl: " + result.err);
}

// A request for a certificate, or with -x509 one that signs itself, and its new key.
void request(const std::string& name, const std::string& file, const std::string& key,
             const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{
      "req",    "-newkey",    "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-nodes", "-keyout",    key,  "-out",     file,
      "-subj",  "/CN=" + name};
  arguments.insert(arguments.end(), more.begin(), more.end());
  openssl(arguments);
  fs::permissions(key, fs::perms(0644));
}

}  // namespace

Authority::Authority() {
  fs::permissions(folder_.path(), fs::perms(0711));
  request("genapp's tests", file(), folder_ / "ca.key", {"-x509", "-days", "30"});
}

Certificate Authority::issue(const std::string& name, int days) const {
  const std::string base = folder_ / (name + std::to_string(days));
  const Certificate made{base + ".pem", base + ".key"};
  request(name, base + ".csr", made.key);
  write_file(base + ".ext", "subjectAltName=DNS:" + name +
                                (name == "localhost" ? ",IP:127.0.0.1,IP:::1\n" : "\n"));
  openssl({"x509", "-req", "-in", base + ".csr", "-CA", file(), "-CAkey", folder_ / "ca.key",
           "-CAcreateserial", "-days", std::to_string(days), "-extfile", base + ".ext", "-out",
           made.chain});
  return made;
}

}  // namespace genapp::tests
