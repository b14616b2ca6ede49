#include "remote/keeper/session_files.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "common/control_socket.hpp"
#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "remote/ended.hpp"

namespace genapp::remote::keeper {
namespace {

namespace paths = common::paths;
using common::Directory;
using common::Fd;
using common::LockFile;
using common::PidFile;
using common::system_error;

constexpr char kWord[] = "keeper";  // in the pid file
constexpr int kBacklog = 8;
// The appserver's, too, and what a writer that was killed has left of each.
constexpr std::array kNames{paths::kKeeperPid, paths::kKeeperSock, paths::kSessionApp,
                            paths::kSession, paths::kSessionEnded};

Fd listen_in(const Directory& dir) {
  const std::string name = paths::kKeeperSock;
  dir.unlink(name);
  const sockaddr_un address = common::socket_address(dir, name);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw system_error("socket " + dir.full(name), errno);
  const mode_t before = ::umask(0177);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) throw system_error("socket " + dir.full(name), error);
  if (::listen(fd.get(), kBacklog) != 0) throw system_error("socket " + dir.full(name), errno);
  return fd;
}

void unlink_all(const Directory& dir) {
  for (const char* const name : kNames) {
    ::unlinkat(dir.fd(), name, 0);
    ::unlinkat(dir.fd(), paths::temporary_name(name).c_str(), 0);
  }
}

}  // namespace

SessionFiles::SessionFiles(Directory dir, PidFile pid_file, Fd listener)
    : dir_(std::move(dir)), pid_file_(std::move(pid_file)), listener_(std::move(listener)) {}

SessionFiles SessionFiles::take(const std::string& path) {
  Directory dir = Directory::open(path, "session directory", Directory::Symlink::refuse);
  const auto lock = LockFile::acquire(dir, paths::kKeeperLock);
  auto pid_file = PidFile::take(lock, dir, paths::kKeeperPid, kWord);
  if (!pid_file) throw common::Error("a keeper has " + path + " already");
  if (dir.exists(paths::kSessionApp) || dir.exists(paths::kSessionEnded)) {
    throw common::Error(path + " holds what another command has left: remove it");
  }
  Fd listener = listen_in(dir);
  return SessionFiles(std::move(dir), std::move(*pid_file), std::move(listener));
}

Fd SessionFiles::make_app_file() const {
  Fd file(::openat(dir_.fd(), paths::kSessionApp,
                   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw system_error("writing " + dir_.full(paths::kSessionApp), errno);
  return file;
}

bool SessionFiles::write_ended(const common::Ending& ending) const {
  try {
    return dir_.write(paths::kSessionEnded, format_ended(ending), Directory::Durability::visible);
  } catch (const common::Error&) {
    return false;
  }
}

void SessionFiles::remove() {
  listener_.close();
  try {
    auto lock = LockFile::acquire(dir_, paths::kKeeperLock);
    unlink_all(dir_);
    std::move(lock).release_and_unlink();
  } catch (const common::Error&) {
    unlink_all(dir_);
  }
  ::rmdir(dir_.path().c_str());
}

}  // namespace genapp::remote::keeper
