#include "remote/keeper/link.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>

#include "common/error.hpp"

namespace genapp::remote::keeper {
namespace {

constexpr std::size_t kReadBytes = 4096;  // orders are short
constexpr int kMostReads = 16;            // a turn

// How many bytes the socket took; nothing when the other end is gone.
std::optional<std::size_t> send_some(const common::Fd& socket, std::string_view head,
                                     std::string_view bytes) {
  // sendmsg(2) only reads them.
  std::array<iovec, 2> parts{iovec{const_cast<char*>(head.data()), head.size()},
                             iovec{const_cast<char*>(bytes.data()), bytes.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return 0;
  return std::nullopt;
}

}  // namespace

bool Link::receive() {
  std::array<char, kReadBytes> buffer;
  for (int reads = 0; reads < kMostReads; ++reads) {
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    reader_.put({buffer.data(), static_cast<std::size_t>(n)});
  }
  return true;
}

std::optional<LinkOrder> Link::next() {
  const auto message = reader_.next();
  if (!message) return std::nullopt;
  const auto order = parse_link_order(*message);
  if (!order) throw common::Error("no order");
  return order;
}

bool Link::send(std::string_view head, std::string_view bytes) {
  const auto sent = send_some(socket_, head, bytes);
  if (!sent) return false;
  if (*sent < head.size()) {
    waiting_.append(head.substr(*sent)).append(bytes);
  } else {
    waiting_.append(bytes.substr(*sent - head.size()));
  }
  return true;
}

bool Link::flush() {
  if (idle()) return true;
  const auto sent = send_some(socket_, waiting_, {});
  if (!sent) return false;
  waiting_.erase(0, *sent);
  // Not a moment longer than needed: this is the size of a chunk.
  if (waiting_.empty()) std::string().swap(waiting_);
  return true;
}

}  // namespace genapp::remote::keeper
