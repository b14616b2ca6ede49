#include "bench/node.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace genapp::bench {

std::string genapp_program(const std::string& name) {
  return installed(std::string(GENAPP_BIN_DIR) + "/" + name);
}

Node::Node() {
  std::filesystem::create_directory(folder_ / "run");
  std::filesystem::create_directories(folder_ / "etc/resources.d");
  write_file(folder_ / "etc/genapp.toml", "log_file = \"" + (folder_ / "log") + "\"\n");
}

void Node::add(const std::string& tag, const std::string& id, const std::string& info,
               const std::string& keys) {
  add_resource(
      tag, "type = \"lbhc\"\nid = \"" + id + "\"\ninfo = \"" + info + "\"\n[lbhc]\n" + keys + "\n");
}

void Node::add_resource(const std::string& tag, const std::string& text) {
  write_file(folder_ / ("etc/resources.d/" + tag + ".toml"), text);
}

void Node::add_settings(const std::string& text) {
  std::ofstream(folder_ / "etc/genapp.toml", std::ios::app) << text;
}

std::map<std::string, std::string> Node::env() const {
  return {{"GENAPP_RUN_DIR", folder_ / "run"}, {"GENAPP_CONFIG_DIR", folder_ / "etc"}};
}

Program Node::action(const std::string& name, const std::string& tag, const std::string& id) const {
  return {{genapp_program(name), "-t", tag, "-i", id}, env()};
}

int free_port() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, length) != 0 || ::getsockname(fd, generic, &length) != 0) {
    throw std::runtime_error("no free port");
  }
  ::close(fd);
  return ntohs(address.sin6_port);
}

}  // namespace genapp::bench
