#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

#include "common/error.hpp"
#include "common/fd.hpp"
#include "common/request_server.hpp"
#include "monitor/metrics.hpp"

namespace genapp::monitor {
namespace {

using common::Fd;

constexpr int kBacklog = 16;
constexpr common::RequestServer::Form kForm{"\r\n\r\n", 8192, ""};

Fd listen_on(std::uint16_t port) {
  const std::string where = "--metrics: 127.0.0.1 port " + std::to_string(port);
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw common::system_error(where, errno);
  // So that the next start of the id is not kept from it by connections that have ended.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    throw common::system_error(where, errno);
  }
  return fd;
}

// The method is not looked at, nor is the path: everything here is the one text.
std::string answer(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
         "Connection: close\r\nContent-Length: " +
         std::to_string(text.size()) + "\r\n\r\n" + text;
}

}  // namespace

class MetricsServer::Impl {
 public:
  Impl(boost::asio::io_context& io, Fd listener, std::function<std::string()> text)
      : server_(io, std::move(listener), kForm,
                [text = std::move(text)](std::string_view) { return answer(text()); }) {
    server_.start();
  }

 private:
  common::RequestServer server_;
};

MetricsServer::MetricsServer(boost::asio::io_context& io, std::uint16_t port,
                             std::function<std::string()> text)
    : impl_(std::make_unique<Impl>(io, listen_on(port), std::move(text))) {}
MetricsServer::~MetricsServer() = default;

}  // namespace genapp::monitor
