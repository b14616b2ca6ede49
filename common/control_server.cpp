#include "common/control_server.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <utility>

#include "common/control_socket.hpp"
#include "common/error.hpp"
#include "common/fd.hpp"

namespace genapp::common {
namespace {

constexpr int kBacklog = 64;
constexpr RequestServer::Form kForm{"\n", 256, "error: the request is too long\n"};

Fd listen_at(const Directory& dir, const std::string& name) {
  dir.unlink(name);
  const sockaddr_un address = socket_address(dir, name);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw system_error("control socket " + dir.full(name), errno);
  const mode_t before = ::umask(0177);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) throw system_error("control socket " + dir.full(name), error);
  if (::listen(fd.get(), kBacklog) != 0) {
    const int listen_error = errno;
    dir.unlink(name);
    throw system_error("control socket " + dir.full(name), listen_error);
  }
  return fd;
}

}  // namespace

ControlServer::ControlServer(boost::asio::io_context& io, const Directory& dir,
                             const std::string& name, Answer answer)
    : server_(io, listen_at(dir, name), kForm, std::move(answer)) {}

}  // namespace genapp::common
