#include "remote/keys/show.hpp"

#include <openssl/x509v3.h>
#include <unistd.h>

#include <filesystem>

#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "remote/certificate.hpp"
#include "remote/tls.hpp"

namespace genapp::remote::keys {
namespace {

namespace fs = std::filesystem;
namespace paths = common::paths;
using common::Error;
using common::ExitCode;

constexpr std::size_t kMostShownBytes = 1 << 20;

std::string kind_of(const X509* certificate) {
  if (::X509_check_ca(const_cast<X509*>(certificate)) != 0) return "authority";
  const bool host = may_be_client(certificate);
  const bool guest = may_be_server(certificate);
  if (host && guest) return "host and guest";
  return host ? "host" : guest ? "guest" : "neither host nor guest";
}

std::string days_text(int days) {
  if (days < 0) return "expired";
  return std::to_string(days) + (days == 1 ? " day left" : " days left");
}

std::string line_of(const X509* certificate) {
  const std::string name = common_name(certificate);
  std::string line = kind_of(certificate) + " " + (name.empty() ? "without a name" : name);
  std::string addresses;
  for (const std::string& one : alternative_names(certificate)) {
    addresses += (addresses.empty() ? "" : ", ") + one;
  }
  if (!addresses.empty()) line += " (" + common::printable(addresses, 1000) + ")";
  return line + ", issued by " + common::quoted(issuer_name(certificate)) + ", serial " +
         serial_text(certificate) + ", " + days_text(days_left(certificate)) + ", until " +
         valid_until(certificate);
}

void fail(Shown& shown, const std::string& problem) {
  shown.err += "genapp-keys: error: " + common::printable(problem, 1000) + "\n";
  shown.code = ExitCode::failed;
}

void look_at(Shown& shown, const std::string& path, const X509* certificate) {
  shown.out += common::printable(path, 4096) + ": " + line_of(certificate) + "\n";
  const int days = days_left(certificate);
  const std::string what = path + ": " + common::quoted(common_name(certificate));
  if (days < 0) {
    fail(shown, what + " has expired");
  } else if (days < 1) {
    fail(shown, what + " expires within a day");
  } else if (not_yet_valid(certificate)) {
    fail(shown, what + " is not valid before " + valid_from(certificate));
  } else if (days < kWarnDays) {
    shown.err += "genapp-keys: warning: " + common::printable(what, 1000) + " expires in " +
                 std::to_string(days) + (days == 1 ? " day" : " days") + "; make a new one\n";
  }
}

void look_into(Shown& shown, const std::string& path) {
  try {
    const auto text = common::read_file(path, kMostShownBytes);
    if (!text) throw common::system_error(path, ENOENT);
    for (const auto& one : parse_certificates(*text, path)) look_at(shown, path, one.get());
  } catch (const Error& problem) {
    fail(shown, problem.what());
  }
}

// A path that can't be looked at is not left out: reading it says why.
bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0 || errno != ENOENT;
}

// What the certificate alone does not show: its key, and who may read that.
void look_at_set(Shown& shown, Side side, const std::string& stem) {
  const std::string base = paths::tls_dir() + "/" + stem;
  if (!is_there(base + ".crt") && !is_there(base + ".key")) return;
  try {
    TlsContext context(side, {base + ".crt", base + ".key", paths::tls_dir() + "/ca.crt"});
  } catch (const Error& problem) {
    fail(shown, problem.what());
  }
}

Shown show_own() {
  Shown shown;
  for (const std::string& path :
       {paths::authority_dir() + "/ca.crt", paths::tls_dir() + "/ca.crt",
        paths::tls_dir() + "/appmgr.crt", paths::tls_dir() + "/appserver.crt"}) {
    if (is_there(path)) look_into(shown, path);
  }
  if (shown.code == ExitCode::ok) {
    look_at_set(shown, Side::client, "appmgr");
    look_at_set(shown, Side::server, "appserver");
  }
  if (shown.out.empty() && shown.err.empty()) {
    throw Error("no certificates in " + paths::authority_dir() + " and " + paths::tls_dir() +
                "; name files, or begin with `genapp keys init`");
  }
  return shown;
}

}  // namespace

Shown show(const std::vector<std::string>& files) {
  if (files.empty()) return show_own();
  Shown shown;
  for (const std::string& file : files) look_into(shown, file);
  return shown;
}

}  // namespace genapp::remote::keys
