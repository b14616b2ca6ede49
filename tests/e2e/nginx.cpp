#include "tests/e2e/nginx.hpp"

#include <stdexcept>

namespace genapp::tests {

Nginx::Nginx() { configure(); }

void Nginx::configure(const std::string& main) {
  write_file(config(), main + "pid " + pid_file() + ";\nerror_log " + (folder_ / "error.log") +
                           ";\nworker_processes 2;\nevents { }\nhttp {\n  access_log off;\n" +
                           nginx_folders(folder_.path()) + "  server {\n    listen 127.0.0.1:" +
                           port_.text() + ";\n    location / { return 200 ok; }\n  }\n}\n");
}

bool Nginx::serves() const { return serves_page(port()); }

bool serves_page(std::uint16_t port) {
  try {
    return probe(port, "GET / HTTP/1.0\r\n\r\n").bytes.find(" 200 ") != std::string::npos;
  } catch (const std::runtime_error&) {
    return false;  // nothing listens
  }
}

std::string nginx_folders(const std::string& in) {
  std::string lines;
  for (const char* module : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    lines += std::string("  ") + module + "_temp_path " + in + "/" + module + ";\n";
  }
  return lines;
}

}  // namespace genapp::tests
