#include "tests/e2e/web_server.hpp"

#include <signal.h>

#include <filesystem>
#include <stdexcept>

#include "tests/e2e/nginx.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;

constexpr char kPage[] = "<p>hello, world</p>\n";

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

bool has_ipv6() {
  return read_file("/proc/net/if_inet6").find("00000000000000000000000000000001 ") !=
         std::string::npos;
}

WebServer::WebServer(Make make) : make_(make), addresses_{"127.0.0.1"} {
  if (has_ipv6()) addresses_.push_back("::1");
}

void WebServer::start() {
  fs::create_directory(folder_ / "www");
  make_pages();
  process_.emplace(make_ == Make::nginx ? nginx() : lighttpd());
  const bool listens =
      wait_until([this] { return !process_->running() || accepts(port(), addresses_.back()); });
  if (!listens || !process_->running()) {
    throw std::runtime_error("the web server did not start: " + process_->err());
  }
}

void WebServer::stop() {
  process_->signal(SIGKILL);
  process_->wait();
}

void WebServer::freeze() { process_->signal(SIGSTOP); }
void WebServer::thaw() { process_->signal(SIGCONT); }

// lighttpd has no directive that answers with a status: a script does.
void WebServer::make_pages() const {
  const auto script = [](int status) {
    return "echo 'Status: " + std::to_string(status) + "'; echo 'Content-Type: text/plain'; echo\n";
  };
  write_file(folder_ / "www/broken", script(500));
  write_file(folder_ / "www/private", kPage);
  if (front_ == 200) {
    write_file(folder_ / "www/index.html", kPage);
  } else {
    write_file(folder_ / "www/broken-front", script(front_));
  }
  const bool plain = make_ == Make::lighttpd;
  write_file(folder_ / "users", plain ? "somebody:secret\n" : "somebody:{PLAIN}secret\n");
}

Command WebServer::nginx() const {
  std::string listen;
  for (const std::string& address : addresses_) {
    listen += "    listen " + bracketed(address) + ":" + port_.text() +
              (certificate_ ? " ssl;\n" : ";\n");
  }
  if (certificate_) {
    listen += "    ssl_certificate " + certificate_->chain + ";\n    ssl_certificate_key " +
              certificate_->key + ";\n";
  }
  write_file(folder_ / "conf",
             "daemon off;\nmaster_process off;\npid " + (folder_ / "pid") + ";\nerror_log " +
                 (folder_ / "error.log") + ";\nevents { }\nhttp {\n  access_log off;\n" +
                 nginx_folders(folder_.path()) + "  server {\n" + listen + "    root " +
                 (folder_ / "www") + ";\n    location = / { " +
                 (front_ == 200 ? "index index.html;" : "return " + std::to_string(front_) + ";") +
                 " }\n    location = /broken { return 500; }\n"
                 "    location = /private { auth_basic private; auth_basic_user_file " +
                 (folder_ / "users") + "; }\n  }\n}\n");
  return {{"nginx", "-e", folder_ / "error.log", "-c", folder_ / "conf"}};
}

Command WebServer::lighttpd() const {
  std::string text =
      "server.document-root = \"" + (folder_ / "www") + "\"\nserver.port = " + port_.text() +
      "\nserver.bind = \"" + bracketed(addresses_.front()) +
      "\"\nserver.modules = (\"mod_auth\", \"mod_authn_file\", \"mod_cgi\"" +
      (certificate_ ? ", \"mod_gnutls\")\n" : ")\n") + "server.upload-dirs = (\"" + folder_.path() +
      "\")\n"
      "index-file.names = (\"index.html\", \"broken-front\")\n"
      "cgi.assign = (\"broken\" => \"/bin/sh\", \"broken-front\" => \"/bin/sh\")\n"
      "auth.backend = \"plain\"\nauth.backend.plain.userfile = \"" +
      (folder_ / "users") +
      "\"\nauth.require = (\"/private\" => (\"method\" => \"basic\", "
      "\"realm\" => \"private\", \"require\" => \"valid-user\"))\n";
  if (certificate_) {
    text += "ssl.engine = \"enable\"\nssl.pemfile = \"" + certificate_->chain +
            "\"\nssl.privkey = \"" + certificate_->key + "\"\n";
  }
  for (std::size_t i = 1; i < addresses_.size(); ++i) {
    text += "$SERVER[\"socket\"] == \"" + bracketed(addresses_[i]) + ":" + port_.text() + "\" { " +
            (certificate_ ? "ssl.engine = \"enable\"" : "") + " }\n";
  }
  write_file(folder_ / "conf", text);
  return {{"lighttpd", "-D", "-f", folder_ / "conf"}};
}

}  // namespace genapp::tests
