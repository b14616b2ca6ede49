#pragma once

// All sessions, and what a certificate may do with them. It lives in the event loop's thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/directory.hpp"
#include "remote/appserver/config.hpp"
#include "remote/appserver/session.hpp"
#include "remote/message.hpp"

namespace genapp::remote {

// Who asks.
struct Asker {
  std::string certificate;
  std::string from;  // "192.0.2.1:4711", for the log
};

class Sessions {
 public:
  using Answer = std::function<void(Reply)>;

  // `folders` is where the sessions' are, `keeper` the program's path; `open_files`: the soft limit
  // that commands begin with, where ours was raised. `config` outlives it.
  Sessions(boost::asio::io_context& io, common::Directory folders, std::string keeper,
           std::optional<std::uint64_t> open_files, const ServerConfig& config);

  // Takes over what an earlier appserver has left. What can't be is logged, and its folder stays.
  void adopt();

  // Does what is asked and answers once, at once or later. `viewer` is the asker's connection. It
  // must have been told to leave() before it goes; an answer may come after that.
  void ask(const Asker& asker, const NumberedRequest& request, Viewer& viewer,
           const std::function<void(std::chrono::seconds)>& set_timeout, Answer answer);
  // The connection goes; its session goes on.
  void leave(Viewer& viewer);

  std::size_t count() const { return sessions_.size(); }

 private:
  struct Call;
  class Doer;

  std::shared_ptr<Session> find(const common::Id& id) const;
  void start(const Start& start, Call call);
  void attach(const Attach& attach, Call call);
  void attach_to(const std::shared_ptr<Session>& session, const std::string& manager,
                 std::chrono::seconds timeout, const Call& call);
  void started(const std::shared_ptr<Session>& session, const Start& start, const Call& call);
  void gone(const std::string& name);
  void refuse(const Call& call, Refusal refusal, const std::string& text) const;
  std::shared_ptr<Session> need(const common::Id& id, const Call& call, const Rule** rule) const;

  boost::asio::io_context& io_;
  common::Directory folders_;
  std::string keeper_;
  std::optional<std::uint64_t> open_files_;
  const ServerConfig& config_;
  std::map<std::string, std::shared_ptr<Session>> sessions_;
  std::map<Viewer*, std::shared_ptr<Session>> attached_;
};

}  // namespace genapp::remote
