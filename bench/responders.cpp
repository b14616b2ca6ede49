#include "bench/responders.hpp"

namespace genapp::bench {
namespace {

Responder genapp_responder(Answer answer, const std::string& port, Node& node) {
  const char* protocol = answer == Answer::http ? "http" : "tcp";
  const char* reply = answer == Answer::tcp_nothing ? "" : " OK";
  node.add(
      "lb", "app1", port + reply,
      std::string("wait_first_probe = false\nhc_timeout = 3600\nprotocol = \"") + protocol + "\"");
  return {kGenapp, node.action("lbhcd")};
}

Responder limit_responder(Answer answer, const std::string& port) {
  Program program{{installed(GENAPP_LIMIT_RESPONDER), port}};
  if (answer != Answer::tcp_nothing) program.argv.emplace_back("OK");
  if (answer == Answer::http) program.argv.emplace_back("http");
  return {kLimit, program};
}

// The peers listen as genapp does: for IPv4 and IPv6 on one socket, with a long backlog.
Responder haproxy(const std::string& port, const Folder& folder) {
  write_file(folder / "haproxy.cfg",
             "global\n  nbthread 1\n  maxconn 4096\n"
             "defaults\n  mode http\n  timeout client 5s\n  timeout connect 5s\n"
             "  timeout server 5s\n"
             "frontend probes\n  bind :::" +
                 port +
                 " v4v6 backlog 4096\n"
                 "  http-request return status 200 content-type text/plain string OK\n");
  return {"HAProxy http-request return", {{"haproxy", "-f", folder / "haproxy.cfg"}}};
}

Responder nginx(const std::string& port, const Folder& folder) {
  write_file(folder / "nginx.conf",
             "daemon off;\nmaster_process off;\npid " + (folder / "nginx.pid") +
                 ";\nerror_log /dev/null;\nevents { worker_connections 4096; }\n"
                 "http {\n  access_log off;\n  client_body_temp_path " +
                 (folder / "body") + ";\n  proxy_temp_path " + (folder / "proxy") +
                 ";\n  fastcgi_temp_path " + (folder / "fastcgi") + ";\n  uwsgi_temp_path " +
                 (folder / "uwsgi") + ";\n  scgi_temp_path " + (folder / "scgi") +
                 ";\n  server {\n    listen [::]:" + port +
                 " ipv6only=off backlog=4096;\n    location / { return 200 \"OK\"; }\n  }\n}\n");
  return {"nginx return 200",
          {{"nginx", "-e", "/dev/null", "-c", folder / "nginx.conf", "-p", folder / ""}}};
}

// As ocf:heartbeat:azure-lb starts them; they answer nothing.
Responder nc(const std::string& port) {
  return {"nc -l -k (azure-lb)", {{"nc", "-l", "-k", port}}};
}

Responder socat(const std::string& port) {
  return {"socat fork (azure-lb)",
          {{"socat", "-U", "TCP-LISTEN:" + port + ",backlog=10,fork,reuseaddr", "/dev/null"}}};
}

}  // namespace

std::vector<Responder> responders(Answer answer, std::uint16_t port_number, const Folder& folder,
                                  Node& node) {
  const std::string port = std::to_string(port_number);
  std::vector<Responder> all{genapp_responder(answer, port, node), limit_responder(answer, port)};
  std::vector<Responder> peers;
  if (answer == Answer::http) peers = {haproxy(port, folder), nginx(port, folder)};
  if (answer == Answer::tcp_nothing) peers = {nc(port), socat(port)};
  for (Responder& peer : peers) {
    if (!find_program(peer.program.argv[0]).empty()) all.push_back(std::move(peer));
  }
  return all;
}

}  // namespace genapp::bench
