#pragma once

// A guest: a private authority, a policy, and the real appserver on a free port.

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "remote/message.hpp"
#include "remote/tls.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/unit/remote/certificates.hpp"

namespace genapp::tests {

class RemoteGuest {
 public:
  // The policy lets host1 and host2 run /bin/sh -c and /bin/sleep, and nobody anything else.
  RemoteGuest();
  // Ends the appserver, and keepers and commands with it.
  ~RemoteGuest();

  // appserver.toml, on 127.0.0.1 unless `keys` say another: `keys`, then `tables` after the
  // policy's own.
  void settings(const std::string& keys, const std::string& tables = "");
  // What its certificate is for: "IP:192.0.2.1" besides localhost. Before settings().
  void serve_as(const std::string& alternative);
  // And waits until it listens. `place` may have it run elsewhere.
  void start(const std::function<Command(Command)>& place = nullptr);
  void kill();  // SIGKILL
  Result stop();
  void freeze() { server_->signal(SIGSTOP); }
  void thaw() { server_->signal(SIGCONT); }
  void hang_up() { server_->signal(SIGHUP); }
  Process& server() { return *server_; }
  std::string log() const { return read_file(log_file()); }
  bool logs(const std::string& text) const;  // before long

  Node& node() { return node_; }
  RemoteAuthority& authority() { return authority_; }
  std::uint16_t port() const { return port_.number(); }
  const remote::TlsFiles& host1() const { return host1_; }
  const remote::TlsFiles& host2() const { return host2_; }

  std::string session_dir(const std::string& id) const;
  // The keeper of a session, by the lock that it holds; 0 for none.
  pid_t keeper(const std::string& id) const;
  std::vector<std::string> sessions() const;  // their folders

 private:
  std::string log_file() const { return folder_ / "appserver.log"; }

  TempDir folder_;
  Node node_;
  RemoteAuthority authority_;
  Port port_;
  remote::TlsFiles host1_;
  remote::TlsFiles host2_;
  std::string alternative_ = "DNS:localhost,IP:127.0.0.1";
  std::optional<Process> server_;
};

// A start of `/bin/sh -c TEXT`.
remote::Start shell(const std::string& session, const std::string& text,
                    const std::string& manager = "m1");

}  // namespace genapp::tests
