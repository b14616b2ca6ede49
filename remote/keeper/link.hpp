#pragma once

// The connection to an appserver (remote/keeper_link.hpp). Never blocks: what the socket does not
// take is kept and goes out when it can.

#include <optional>
#include <string>
#include <string_view>

#include "common/fd.hpp"
#include "remote/keeper_link.hpp"

namespace genapp::remote::keeper {

class Link {
 public:
  explicit Link(common::Fd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }

  // Reads what is there. False when the other end is gone.
  bool receive();
  // The next order of what was read; nothing when there is none. Throws common::Error on what is no
  // order.
  std::optional<LinkOrder> next();

  // Whether everything has gone out: only then send() may be called.
  bool idle() const { return waiting_.empty(); }
  // `head` and then `bytes`. False when the other end is gone.
  bool send(std::string_view head, std::string_view bytes = {});
  // Sends on with what was kept. False when the other end is gone.
  bool flush();

 private:
  common::Fd socket_;
  LinkReader reader_;
  std::string waiting_;  // at most a message
};

}  // namespace genapp::remote::keeper
