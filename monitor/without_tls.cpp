// What httpmon and smtpmon have instead of tls_session.cpp: see tls_program.hpp. Their checks never
// come to a session, since whoever asks for TLS has become monitor-tls before.

#include <errno.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "common/error.hpp"
#include "monitor/stream.hpp"
#include "monitor/tls_program.hpp"
#include "monitor/tls_session.hpp"

namespace genapp::monitor {
namespace {

constexpr char kProgram[] = "monitor-tls";

// Beside our own folder, wherever the package was put; or where the build was told to install it.
std::vector<std::string> places() {
  std::vector<std::string> found;
  std::array<char, 4096> self{};
  const ssize_t size = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
  const std::string path(self.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  if (const auto slash = path.rfind('/'); slash != std::string::npos) {
    found.push_back(path.substr(0, slash) + "/../libexec/genapp/" + kProgram);
  }
  found.push_back(std::string(GENAPP_LIBEXEC_DIR) + "/" + kProgram);
  return found;
}

[[noreturn]] void no_tls() { throw common::Error("this program has no TLS of its own"); }

}  // namespace

void become_tls_program(int argc, const char* const* argv, const char* command) {
  std::vector<char*> arguments{const_cast<char*>(command)};
  for (int i = 1; i < argc; ++i) arguments.push_back(const_cast<char*>(argv[i]));
  arguments.push_back(nullptr);
  std::string tried;
  int error = ENOENT;
  for (const std::string& place : places()) {
    ::execv(place.c_str(), arguments.data());
    if (errno != ENOENT) error = errno;
    tried += (tried.empty() ? "" : " and ") + place;
  }
  throw common::system_error("the program for TLS, looked for at " + tried, error);
}

struct TlsContext::Impl {};
TlsContext::TlsContext(const TlsSettings&) { no_tls(); }
TlsContext::~TlsContext() = default;

class TlsSession::Impl {};
TlsSession::TlsSession(boost::asio::io_context&, const TlsContext&, common::Fd,
                       const std::string&) {
  no_tls();
}
TlsSession::~TlsSession() = default;
void TlsSession::handshake(Done) { no_tls(); }
void TlsSession::write(std::string, Done) { no_tls(); }
void TlsSession::read(Read) { no_tls(); }
void TlsSession::close(std::string_view) {}
std::optional<int> TlsSession::certificate_days() const { return std::nullopt; }

}  // namespace genapp::monitor
