#include "tests/support/fake_appserver.hpp"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace genapp::tests {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = boost::asio::ssl;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

using Stream = websocket::stream<beast::ssl_stream<tcp::socket>>;

ssl::context context_of(const remote::TlsFiles& files, bool tls_1_2) {
  ssl::context context(ssl::context::tls_server);
  context.use_certificate_chain_file(files.certificate);
  context.use_private_key_file(files.key, ssl::context::pem);
  context.load_verify_file(files.authorities);
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  if (tls_1_2) ::SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_2_VERSION);
  return context;
}

}  // namespace

struct FakeTalk::Impl {
  Impl(asio::io_context& io, tcp::socket socket, ssl::context& context, int end)
      : stream(std::move(socket), context), end_fd(end) {
    static_cast<void>(io);
  }

  int fd() { return beast::get_lowest_layer(stream).native_handle(); }

  Stream stream;
  int end_fd;  // readable when all is to end
  http::request<http::string_body> request;
  beast::flat_buffer in;
  remote::Offsets taken;
};

bool FakeTalk::tls() {
  error_code error;
  impl_.stream.next_layer().handshake(ssl::stream_base::server, error);
  if (error && error.category() == asio::error::get_ssl_category()) {
    // As the real one does: the alert must not be overtaken by a reset.
    ::shutdown(impl_.fd(), SHUT_WR);
    char byte = 0;
    while (::recv(impl_.fd(), &byte, 1, 0) > 0) {
    }
  }
  return !error;
}

bool FakeTalk::upgrade() {
  error_code error;
  http::read(impl_.stream.next_layer(), impl_.in, impl_.request, error);
  impl_.in.clear();
  if (error) return false;
  impl_.stream.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
    response.set(http::field::sec_websocket_protocol, remote::kSubprotocol);
  }));
  impl_.stream.accept(impl_.request, error);
  return !error;
}

bool FakeTalk::decline(const std::string& status, const std::string& body) {
  error_code error;
  http::read(impl_.stream.next_layer(), impl_.in, impl_.request, error);
  if (error) return false;
  const std::string text = "HTTP/1.1 " + status +
                           "\r\nContent-Length: " + std::to_string(body.size()) +
                           "\r\nConnection: close\r\n\r\n" + body;
  asio::write(impl_.stream.next_layer(), asio::buffer(text), error);
  return !error;
}

bool FakeTalk::hello(int version) {
  return answer(remote::Hello{version, "fake appserver", "host1"});
}

bool FakeTalk::answer(const remote::Answer& one) { return text(remote::format_answer(one)); }

bool FakeTalk::text(const std::string& one) {
  error_code error;
  impl_.stream.text(true);
  impl_.stream.write(asio::buffer(one), error);
  return !error;
}

bool FakeTalk::binary(const std::string& bytes) {
  error_code error;
  impl_.stream.binary(true);
  impl_.stream.write(asio::buffer(bytes), error);
  return !error;
}

bool FakeTalk::output(remote::Output stream, std::uint64_t offset, std::string_view bytes) {
  return binary(remote::output_header(stream, offset) + std::string(bytes));
}

std::optional<remote::NumberedRequest> FakeTalk::request() {
  for (;;) {
    error_code error;
    impl_.in.clear();
    impl_.stream.read(impl_.in, error);
    if (error) return std::nullopt;
    const auto data = impl_.in.cdata();
    auto one = remote::parse_request({static_cast<const char*>(data.data()), data.size()});
    const auto* taken = std::get_if<remote::Taken>(&one.request);
    if (!taken) return one;
    impl_.taken = taken->offsets;
  }
}

bool FakeTalk::wait_for_taken(const remote::Offsets& offsets) {
  while (impl_.taken.out < offsets.out || impl_.taken.err < offsets.err) {
    error_code error;
    impl_.in.clear();
    impl_.stream.read(impl_.in, error);
    if (error) return false;
    const auto data = impl_.in.cdata();
    const auto one = remote::parse_request({static_cast<const char*>(data.data()), data.size()});
    const auto* taken = std::get_if<remote::Taken>(&one.request);
    if (!taken) return false;
    impl_.taken = taken->offsets;
  }
  return true;
}

remote::Offsets FakeTalk::taken() const { return impl_.taken; }

bool FakeTalk::reply(const remote::NumberedRequest& to, bool started) {
  remote::Reply reply;
  reply.ref = to.ref;
  reply.started = started;
  reply.session = fake_view(common::Id("s1"));
  return answer(reply);
}

bool FakeTalk::refuse(const remote::NumberedRequest& to, remote::Refusal why) {
  remote::Reply reply;
  reply.ref = to.ref;
  reply.refusal = why;
  reply.text = "says the fake";
  return answer(reply);
}

bool FakeTalk::ended(const remote::SessionEnd& end) { return answer(remote::Ended{"s1", end}); }

bool FakeTalk::output_end(const remote::Offsets& lengths) {
  return answer(remote::OutputEnd{"s1", lengths});
}

bool FakeTalk::finish(const remote::SessionEnd& end, const remote::Offsets& lengths) {
  if (!ended(end) || !output_end(lengths)) return false;
  const auto acknowledge = request();
  if (!acknowledge || !std::holds_alternative<remote::Acknowledge>(acknowledge->request)) {
    return false;
  }
  if (!reply(*acknowledge)) return false;
  hold();
  return true;
}

void FakeTalk::close(std::uint16_t code) {
  error_code ignored;
  impl_.stream.close(websocket::close_reason(static_cast<websocket::close_code>(code)), ignored);
}

void FakeTalk::hold() {
  error_code error;
  while (!error) {
    impl_.in.clear();
    impl_.stream.read(impl_.in, error);
  }
}

void FakeTalk::be_silent() {
  pollfd waits[2] = {{impl_.fd(), POLLRDHUP, 0}, {impl_.end_fd, POLLIN, 0}};
  ::poll(waits, 2, -1);
}

void FakeTalk::reset() {
  error_code ignored;
  auto& socket = beast::get_lowest_layer(impl_.stream);
  socket.set_option(tcp::socket::linger(true, 0), ignored);
  socket.close(ignored);
}

struct FakeAppserver::Impl {
  Impl(const remote::TlsFiles& files, const Wish& wish, Talk what, std::uint16_t port)
      : context(context_of(files, wish.tls_1_2)),
        talk(std::move(what)),
        acceptor(io, tcp::endpoint(asio::ip::make_address(wish.host), port)),
        end(::eventfd(0, EFD_CLOEXEC)),
        thread([this] { accept_all(); }) {}

  ~Impl() {
    ::eventfd_write(end.get(), 1);
    ::shutdown(acceptor.native_handle(), SHUT_RDWR);
    thread.join();
    {
      const std::lock_guard lock(mutex);
      for (const int fd : open) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& one : talks) one.join();
  }

  void accept_all() {
    for (;;) {
      error_code error;
      tcp::socket socket(io);
      acceptor.accept(socket, error);
      if (error) return;
      const std::size_t number = connections++;
      talks.emplace_back(
          [this, number, one = std::move(socket)]() mutable { converse(std::move(one), number); });
    }
  }

  void converse(tcp::socket socket, std::size_t number) {
    const int fd = socket.native_handle();
    {
      const std::lock_guard lock(mutex);
      open.push_back(fd);
    }
    FakeTalk::Impl one(io, std::move(socket), context, end.get());
    FakeTalk it(one);
    talk(it, number);
    const std::lock_guard lock(mutex);
    std::erase(open, fd);
    error_code ignored;
    beast::get_lowest_layer(one.stream).close(ignored);
  }

  asio::io_context io;
  ssl::context context;
  Talk talk;
  tcp::acceptor acceptor;
  common::Fd end;
  std::mutex mutex;  // of open
  std::vector<int> open;
  std::atomic<std::size_t> connections{0};
  std::list<std::thread> talks;  // the acceptor's, until it has ended
  std::thread thread;
};

FakeAppserver::FakeAppserver(const remote::TlsFiles& files, const Wish& wish, Talk talk)
    : number_(wish.port != 0 ? wish.port : port_.number()),
      impl_(std::make_unique<Impl>(files, wish, std::move(talk), number_)) {}

FakeAppserver::~FakeAppserver() = default;

std::size_t FakeAppserver::connections() const { return impl_->connections; }

remote::SessionView fake_view(const common::Id& session) {
  remote::SessionView view;
  view.session = session.text();
  view.pid = 4711;
  view.command = {"/bin/app", "an argument"};
  view.user = "www";
  view.certificate = "host1";
  view.started = 1764000000;
  return view;
}

}  // namespace genapp::tests
