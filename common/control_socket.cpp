#include "common/control_socket.hpp"

#include <sys/socket.h>

#include <cstring>

#include "common/error.hpp"

namespace genapp::common {

sockaddr_un socket_address(const Directory& dir, const std::string& name) {
  const std::string path = "/proc/self/fd/" + std::to_string(dir.fd()) + "/" + name;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Error("socket name " + dir.full(name) + " is too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace genapp::common
