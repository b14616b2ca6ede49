#include "remote/appserver/server.hpp"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "common/clock.hpp"
#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/listener.hpp"
#include "common/lock_file.hpp"
#include "common/log.hpp"
#include "common/notify.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "common/program_folder.hpp"
#include "common/watchdog.hpp"
#include "remote/appserver/config.hpp"
#include "remote/appserver/connection.hpp"
#include "remote/appserver/sessions.hpp"
#include "remote/keeper_start.hpp"
#include "remote/tls.hpp"

namespace genapp::remote {
namespace {

namespace asio = boost::asio;
namespace log = common::log;
namespace paths = common::paths;
using asio::ip::tcp;
using boost::system::error_code;
using common::Clock;
using common::Directory;
using common::Error;
using common::ExitCode;
using common::Fd;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

constexpr char kName[] = "appserver";
constexpr auto kLookAround = 10s;
constexpr auto kCertificateLook = std::chrono::hours(24);
constexpr auto kAcceptPause = 100ms;
constexpr auto kForkedChild = 2s;
constexpr int kPauseMilliseconds = 10;
constexpr auto kFarewell = 1s;
constexpr int kWarnDays = 30;
// What strangers do wrong must not fill the log.
constexpr auto kTroublePeriod = 10s;
constexpr int kMostTroubles = 10;

void set_up_log(const ServerConfig& config) {
  if (config.log_to_stderr) {
    log::to_stderr_unwaited(kName, config.log.least);
  } else {
    log::to_file(kName, config.log.file, config.log.least);
  }
}

// A connection each, and a link to each keeper. Returns what commands get back.
std::optional<std::uint64_t> raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return {};
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  return before;
}

// The appserver's identity on this node: a lock that the kernel holds for the living process.
class Identity {
 public:
  Identity()
      : directory_(common::make_run_dir().subdirectory(paths::kAppserver, 0700)),
        pid_file_(take(directory_)) {}

  const Directory& directory() const { return directory_; }

  bool in_place() const try {
    const auto run_dir = common::open_run_dir_if_there();
    const auto found = run_dir ? run_dir->subdirectory_if_there(paths::kAppserver) : std::nullopt;
    return found && pid_file_.in_place(*found, paths::kAppserverPid);
  } catch (const Error&) {
    return true;  // any other trouble proves nothing
  }

  // Throws nothing: what stays is taken over by the next one.
  void release() const try {
    const auto lock = common::LockFile::acquire(directory_, paths::kAppserverLock);
    directory_.unlink(paths::kAppserverPid);
  } catch (const Error&) {
  }

 private:
  static common::PidFile take(const Directory& directory) {
    const auto lock = common::LockFile::acquire(directory, paths::kAppserverLock);
    const auto until = Clock::now() + kForkedChild;
    for (;;) {
      auto pid_file = common::PidFile::take(lock, directory, paths::kAppserverPid, kName);
      if (pid_file) return std::move(*pid_file);
      if (is_named_alive(directory) || Clock::now() > until) break;
      ::poll(nullptr, 0, kPauseMilliseconds);
    }
    throw Error("an appserver runs already: it holds " + directory.full(paths::kAppserverPid) +
                "; end that one first");
  }

  // A child that a killed appserver had forked, and that has not become a keeper yet, still has the
  // lock for a moment, of an appserver that is dead.
  static bool is_named_alive(const Directory& directory) {
    const auto record = common::read_pid_record(directory, paths::kAppserverPid);
    return record && common::runs(record->pid, record->start_ticks);
  }

  Directory directory_;
  common::PidFile pid_file_;
};

// Lines about strangers, of which only so many a period are written.
class Troubles {
 public:
  void tell(const std::string& text) {
    const auto now = Clock::now();
    if (now - begun_ >= kTroublePeriod) {
      if (silenced_ > 0) log::warn(std::to_string(silenced_) + " more connections went wrong");
      begun_ = now;
      told_ = silenced_ = 0;
    }
    if (told_++ < kMostTroubles) {
      log::warn(text);
    } else {
      ++silenced_;
    }
  }

 private:
  Clock::time_point begun_{};
  int told_ = 0;
  int silenced_ = 0;
};

class Server {
 public:
  // `open_files`: raise_open_files().
  Server(ServerConfig config, const Identity& identity, std::optional<std::uint64_t> open_files)
      : config_(std::move(config)),
        identity_(identity),
        keys_(Side::server, {config_.certificate, config_.key, config_.authorities},
              [](const std::string& problem) { log::warn(problem); }),
        sessions_(io_, identity.directory().subdirectory(paths::kSessions, 0700), find_keeper(),
                  open_files, config_),
        acceptor_(io_),
        accept_timer_(io_),
        look_around_(io_),
        certificate_look_(io_),
        farewell_(io_),
        signals_(io_, SIGTERM, SIGINT, SIGHUP) {
    open();
  }

  ExitCode run() {
    sessions_.adopt();
    wait_for_signal();
    look_around();
    look_at_certificate();
    accept();
    std::optional<common::Watchdog> watchdog;
    if (const auto time = common::watchdog_time()) watchdog.emplace(io_, *time);
    log::info("listening on port " + std::to_string(config_.port) + " as \"" +
              keys_.current()->name() + "\", process " + std::to_string(::getpid()) + ", " +
              std::to_string(sessions_.count()) + " sessions");
    common::notify_systemd("READY=1");
    while (!end_) io_.run_one();
    return *end_;
  }

 private:
  static std::string find_keeper() {
    constexpr std::array<std::string_view, 1> kNeeded{kKeeperProgram};
    return common::find_programs("", kNeeded, "install genapp anew") + "/" + kKeeperProgram;
  }

  void open() {
    Fd listener = common::open_listener(config_.listen, config_.port);
    int family = AF_INET;
    socklen_t size = sizeof family;
    ::getsockopt(listener.get(), SOL_SOCKET, SO_DOMAIN, &family, &size);
    ipv6_ = family == AF_INET6;
    error_code error;
    acceptor_.assign(ipv6_ ? tcp::v6() : tcp::v4(), listener.get(), error);
    if (error) throw Error("waiting for connections: " + error.message());
    static_cast<void>(listener.release());
  }

  // Connections.

  void accept() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](error_code cancelled) {
      if (cancelled) return;
      // Some in a row; the rest waits for its turn like everything else.
      for (int i = 0; i < 64; ++i) {
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        Fd socket(::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                            SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) return after_accept(errno);
        take(std::move(socket), peer);
      }
      accept();
    });
  }

  void after_accept(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNABORTED) {
      return accept();
    }
    troubles_.tell("accepting a connection: " + common::errno_text(error));
    // Descriptors or memory, mostly: the oldest stranger has had its time.
    drop_oldest_stranger();
    accept_timer_.expires_after(kAcceptPause);
    accept_timer_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  }

  void take(Fd socket, const sockaddr_storage& peer) {
    if (strangers_.size() >= config_.max_strangers) drop_oldest_stranger();
    const int yes = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    Connection::Setup setup{io_,
                            std::move(socket),
                            ipv6_,
                            text_of(peer),
                            keys_,
                            config_,
                            sessions_,
                            [this](Connection& one) { return make_known(one); },
                            [this](Connection& one) { forget(one); },
                            [this](const std::string& name, int days) { warn_of(name, days); },
                            [this](const std::string& text) { troubles_.tell(text); }};
    auto connection = Connection::begin(std::move(setup));
    strangers_.push_back(std::move(connection));
  }

  static std::string text_of(const sockaddr_storage& peer) {
    tcp::endpoint endpoint;
    const std::size_t size =
        peer.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    std::memcpy(endpoint.data(), &peer, size);
    endpoint.resize(size);
    const auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
      return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string() + ":" +
             std::to_string(endpoint.port());
    }
    const std::string text = address.to_string();
    return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(endpoint.port());
  }

  void drop_oldest_stranger() {
    if (strangers_.empty()) return;
    const auto oldest = strangers_.front();
    oldest->drop();
  }

  bool make_known(Connection& one) {
    if (known_.size() >= config_.max_connections) return false;
    const auto found = stranger(one);
    if (found == strangers_.end()) return false;
    known_.insert(*found);
    strangers_.erase(found);
    return true;
  }

  void forget(Connection& one) {
    if (const auto found = stranger(one); found != strangers_.end()) {
      strangers_.erase(found);
      return;
    }
    const auto found = std::find_if(known_.begin(), known_.end(),
                                    [&one](const auto& known) { return known.get() == &one; });
    if (found != known_.end()) known_.erase(found);
    if (ending_ && known_.empty()) end_ = ExitCode::ok;
  }

  std::list<std::shared_ptr<Connection>>::iterator stranger(Connection& one) {
    return std::find_if(strangers_.begin(), strangers_.end(),
                        [&one](const auto& known) { return known.get() == &one; });
  }

  // Once a day for each; there are as many as the authority has certified.
  void warn_of(const std::string& certificate, int days) {
    const auto now = Clock::now();
    const auto [told, first] = expiring_.try_emplace(certificate, now);
    if (!first && now - told->second < kCertificateLook) return;
    told->second = now;
    log::warn("the certificate of \"" + certificate + "\" expires in " + std::to_string(days) +
              " days: make a new one with genapp keys host");
  }

  // The rest.

  void look_around() {
    look_around_.expires_after(kLookAround);
    look_around_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      if (!identity_.in_place()) {
        log::error(identity_.directory().path() +
                   " was deleted or replaced: ending, since another appserver could begin beside "
                   "this one");
        end_ = ExitCode::failed;
        return;
      }
      look_around();
    });
  }

  void look_at_certificate() {
    const int days = keys_.current()->days_left();
    if (days < kWarnDays) {
      log::warn(config_.certificate + ": expires in " + std::to_string(days) +
                " days: make a new one with genapp keys guest");
    }
    certificate_look_.expires_after(kCertificateLook);
    certificate_look_.async_wait([this](error_code cancelled) {
      if (!cancelled) look_at_certificate();
    });
  }

  void wait_for_signal() {
    signals_.async_wait([this](error_code cancelled, int signal) {
      if (cancelled) return;
      if (signal == SIGHUP) {
        reload();
        wait_for_signal();
        return;
      }
      common::notify_systemd("STOPPING=1");
      log::info("ending; commands go on, and the next appserver takes them over");
      say_good_bye();
    });
  }

  // Managers are told, so that they come again at once; one that does not answer is not waited for.
  void say_good_bye() {
    error_code ignored;
    acceptor_.close(ignored);
    ending_ = true;
    const auto known = known_;
    for (const auto& connection : known) connection->close();
    if (known_.empty()) {
      end_ = ExitCode::ok;
      return;
    }
    farewell_.expires_after(kFarewell);
    farewell_.async_wait([this](error_code cancelled) {
      if (!cancelled) end_ = ExitCode::ok;
    });
  }

  // The policy and the limits. What the rest of the file says holds from the next start on.
  void reload() try {
    log::reopen();
    ServerConfig config = read_server_config(::geteuid() == 0);
    config_.policy = std::move(config.policy);
    config_.timeout = config.timeout;
    config_.max_sessions = config.max_sessions;
    config_.max_connections = config.max_connections;
    config_.max_strangers = config.max_strangers;
    log::info("the policy was read anew: " + std::to_string(config_.policy.size()) + " rules");
  } catch (const Error& problem) {
    log::error(std::string("nothing was changed: ") + problem.what());
  }

  asio::io_context io_{1};
  ServerConfig config_;
  const Identity& identity_;
  TlsKeys keys_;
  Sessions sessions_;
  tcp::acceptor acceptor_;
  bool ipv6_ = false;
  asio::steady_timer accept_timer_;
  asio::steady_timer look_around_;
  asio::steady_timer certificate_look_;
  asio::steady_timer farewell_;
  asio::signal_set signals_;
  Troubles troubles_;
  std::map<std::string, Clock::time_point> expiring_;  // when it was told
  std::list<std::shared_ptr<Connection>> strangers_;   // the oldest first
  std::set<std::shared_ptr<Connection>> known_;
  bool ending_ = false;
  std::optional<ExitCode> end_;
};

}  // namespace

ExitCode run_server() {
  ServerConfig config = read_server_config(::geteuid() == 0);
  set_up_log(config);
  const auto open_files = raise_open_files();
  const Identity identity;
  ExitCode code = ExitCode::failed;
  {
    Server server(std::move(config), identity, open_files);
    code = server.run();
  }
  identity.release();
  return code;
}

}  // namespace genapp::remote
