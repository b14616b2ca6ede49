#include "tests/support/remote_client.hpp"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

namespace genapp::tests {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

// It only bounds a failing test.
constexpr auto kLimit = std::chrono::seconds(20);

}  // namespace

class RemoteClient::Impl {
 public:
  Impl(std::uint16_t port, const remote::TlsFiles& files)
      : tls_(remote::Side::client, files), stream_(io_, tls_.get()) {
    auto& socket = beast::get_lowest_layer(stream_);
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    socket.set_option(tcp::no_delay(true));
    remote::expect_host(stream_.next_layer().native_handle(), "localhost");
    wait("the TLS handshake", [this](auto done) {
      stream_.next_layer().async_handshake(asio::ssl::stream_base::client, done);
    });
    stream_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(beast::http::field::sec_websocket_protocol, remote::kSubprotocol);
    }));
    stream_.read_message_max(remote::kMostAnswerBytes);
    wait("the WebSocket's handshake",
         [this](auto done) { stream_.async_handshake("localhost", remote::kTarget, done); });
    stream_.auto_fragment(false);
    read();
    until("the hello", [this] { return hello_.has_value(); });
  }

  ~Impl() { drop(); }

  void say(std::string_view bytes, bool text) {
    stream_.text(text);
    error_code error;
    stream_.write(asio::buffer(bytes.data(), bytes.size()), error);
  }

  void until(const char* what, const std::function<bool()>& there) {
    const auto limit = std::chrono::steady_clock::now() + kLimit;
    while (!there()) {
      if (over_ && buffer_.size() == 0) {
        throw std::runtime_error(std::string(what) + " does not come: " + over_->message());
      }
      if (std::chrono::steady_clock::now() > limit) {
        throw std::runtime_error(std::string(what) + " does not come in time");
      }
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(100));
    }
  }

  void drop() {
    auto& socket = beast::get_lowest_layer(stream_);
    if (!socket.is_open()) return;
    const linger reset{1, 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    error_code ignored;
    socket.close(ignored);
    io_.restart();
    io_.run_for(std::chrono::milliseconds(1));
  }

  remote::Offsets lengths() const {
    remote::Offsets offsets = gaps_;
    offsets.out += out_.size();
    offsets.err += err_.size();
    return offsets;
  }

  void confirm_all() { say(remote::format_request({0, remote::Taken{lengths()}}), true); }

  asio::io_context io_{1};
  remote::TlsContext tls_;
  websocket::stream<beast::ssl_stream<tcp::socket>> stream_;
  beast::flat_buffer buffer_;
  std::optional<error_code> over_;
  std::optional<remote::Hello> hello_;
  std::map<std::uint64_t, remote::Reply> replies_;
  std::optional<remote::Ended> ended_;
  std::optional<remote::OutputEnd> output_end_;
  std::string out_;
  std::string err_;
  remote::Offsets gaps_{};
  bool first_ = true;
  bool confirm_ = true;
  std::uint64_t last_ref_ = 0;

 private:
  template <typename Begin>
  void wait(const char* what, Begin begin) {
    std::optional<error_code> result;
    begin([&result](error_code error) { result = error; });
    until(what, [&result] { return result.has_value(); });
    if (*result) {
      throw std::runtime_error(std::string(what) + ": " +
                               remote::tls_problem(*result, stream_.next_layer().native_handle()));
    }
  }

  void read() {
    stream_.async_read(buffer_, [this](error_code error, std::size_t) {
      if (error) {
        over_ = error;
        return;
      }
      const auto data = buffer_.cdata();
      const std::string message(static_cast<const char*>(data.data()), data.size());
      buffer_.clear();
      take(message, stream_.got_text());
      read();
    });
  }

  void take(const std::string& message, bool text) {
    if (!text) return take_output(message);
    const remote::Answer answer = remote::parse_answer(message);
    if (const auto* hello = std::get_if<remote::Hello>(&answer)) hello_ = *hello;
    if (const auto* reply = std::get_if<remote::Reply>(&answer)) replies_[reply->ref] = *reply;
    if (const auto* ended = std::get_if<remote::Ended>(&answer)) ended_ = *ended;
    if (const auto* end = std::get_if<remote::OutputEnd>(&answer)) output_end_ = *end;
  }

  void take_output(const std::string& message) {
    const auto chunk = remote::parse_output(message);
    if (!chunk) throw std::runtime_error("a binary message that is no output");
    std::string& text = chunk->stream == remote::Output::out ? out_ : err_;
    const std::uint64_t have = lengths().of(chunk->stream);
    if (chunk->offset > have) gaps_.of(chunk->stream) += chunk->offset - have;
    const std::uint64_t known = have > chunk->offset ? have - chunk->offset : 0;
    if (known < chunk->bytes.size()) text.append(chunk->bytes.substr(known));
    if (confirm_) confirm_all();
  }
};

RemoteClient::RemoteClient(std::uint16_t port, const remote::TlsFiles& files)
    : impl_(std::make_unique<Impl>(port, files)) {}
RemoteClient::~RemoteClient() = default;

const remote::Hello& RemoteClient::hello() const { return *impl_->hello_; }
void RemoteClient::say(std::string_view text) { impl_->say(text, true); }
void RemoteClient::say_binary(std::string_view bytes) { impl_->say(bytes, false); }

std::uint64_t RemoteClient::send(const remote::Request& request) {
  const std::uint64_t ref = ++impl_->last_ref_;
  say(remote::format_request({ref, request}));
  return ref;
}

remote::Reply RemoteClient::reply(std::uint64_t ref) {
  impl_->until("a reply", [&] { return impl_->replies_.count(ref) > 0; });
  const remote::Reply reply = impl_->replies_[ref];
  impl_->replies_.erase(ref);
  return reply;
}

const std::string& RemoteClient::out() const { return impl_->out_; }
const std::string& RemoteClient::err() const { return impl_->err_; }
std::uint64_t RemoteClient::gaps() const { return impl_->gaps_.out + impl_->gaps_.err; }

void RemoteClient::read_out(std::size_t bytes) {
  impl_->until("output", [&] { return impl_->out_.size() >= bytes; });
}

remote::SessionEnd RemoteClient::ended() {
  impl_->until("the end", [&] { return impl_->ended_.has_value(); });
  return impl_->ended_->end;
}

remote::Offsets RemoteClient::await_output_end() {
  impl_->until("the output's end", [&] { return impl_->output_end_.has_value(); });
  return impl_->output_end_->offsets;
}

remote::Offsets RemoteClient::output_end() {
  const remote::Offsets end = await_output_end();
  impl_->until("the rest of the output",
               [&] { return impl_->lengths().out >= end.out && impl_->lengths().err >= end.err; });
  return end;
}

void RemoteClient::confirm(bool each) { impl_->confirm_ = each; }
void RemoteClient::taken() { impl_->confirm_all(); }

std::uint16_t RemoteClient::close_code() {
  try {
    impl_->until("the close", [] { return false; });
  } catch (const std::runtime_error&) {
    if (!impl_->over_) throw;
  }
  if (*impl_->over_ != websocket::error::closed) return 1006;
  return static_cast<std::uint16_t>(impl_->stream_.reason().code);
}

void RemoteClient::drop() { impl_->drop(); }

}  // namespace genapp::tests
