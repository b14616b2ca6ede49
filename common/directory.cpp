#include "common/directory.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "common/account.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/settings.hpp"

namespace genapp::common {
namespace {

void write_all(int fd, std::string_view content, const std::string& where) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("writing " + where, errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string read_open_file(const Fd& file, const std::string& path, std::size_t most) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw system_error("reading " + path, errno);
  if (!S_ISREG(info.st_mode)) throw Error(path + " is not a regular file");
  std::string text(std::min(static_cast<std::size_t>(info.st_size), most) + 1, '\0');
  std::size_t used = 0;
  for (;;) {
    if (used > most) throw Error(path + " is larger than " + std::to_string(most) + " bytes");
    if (used == text.size()) text.resize(std::min(2 * used, most + 1));
    const ssize_t n = ::read(file.get(), text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("reading " + path, errno);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  text.resize(used);
  return text;
}

// "link/" is the directory behind the link, which O_NOFOLLOW lets pass.
std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Removes the temporary file unless it became the real one.
class Temporary {
 public:
  Temporary(int dir, std::string name) : dir_(dir), name_(std::move(name)) {}
  ~Temporary() {
    if (!kept_) ::unlinkat(dir_, name_.c_str(), 0);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  void keep() { kept_ = true; }

 private:
  int dir_;
  std::string name_;
  bool kept_ = false;
};

// Whether the daemons' user has this group: then its members may write, since daemons do. Looked up
// for such a directory only.
bool is_daemons_group(gid_t group) {
  const auto daemons = daemon_account();
  if (daemons && daemons->identity.group == group) return true;
  try {
    const std::string user = read_settings().user;
    return !user.empty() && find_account(user).identity.group == group;
  } catch (const Error&) {
    // Whose group it is can't be told, and root gave it the directory. A typing error in
    // genapp.toml must not keep remove from its work.
    return true;
  }
}

bool is_foreign(const struct stat& info) { return info.st_uid != 0 && info.st_uid != ::geteuid(); }

void check_run_dir(const Directory& dir) {
  struct stat info {};
  if (::fstat(dir.fd(), &info) != 0) throw system_error("run directory " + dir.path(), errno);
  if (is_foreign(info)) {
    throw Error("run directory " + dir.path() + " belongs to user " + std::to_string(info.st_uid) +
                ", who is neither root nor you: chown it, or set GENAPP_RUN_DIR");
  }
  if (info.st_mode & S_IWOTH) {
    throw Error("run directory " + dir.path() + " is writable by everybody: chmod o-w it");
  }
  if ((info.st_mode & S_IWGRP) && info.st_gid != 0 && info.st_gid != ::getegid() &&
      !(info.st_uid == 0 && is_daemons_group(info.st_gid))) {
    throw Error("run directory " + dir.path() + " is writable by group " +
                std::to_string(info.st_gid) +
                ", which is neither root's, yours nor the daemons': chmod g-w it");
  }
}

void check_subdirectory(const Directory& dir) {
  struct stat info {};
  if (::fstat(dir.fd(), &info) != 0) throw system_error("directory " + dir.path(), errno);
  if (is_foreign(info)) {
    throw Error("directory " + dir.path() + " belongs to user " + std::to_string(info.st_uid) +
                ", who is neither root nor you: remove it");
  }
  if (info.st_mode & (S_IWGRP | S_IWOTH)) {
    throw Error("directory " + dir.path() +
                " is writable by its group or everybody: chmod go-w it");
  }
}

}  // namespace

Directory Directory::open(const std::string& given, std::string_view role, Symlink symlink) {
  const std::string path = without_trailing_slashes(given);
  const int link_flag = symlink == Symlink::refuse ? O_NOFOLLOW : 0;
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | link_flag));
  if (!fd) {
    const int error = errno;
    struct stat info {};
    const bool link = link_flag && ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
    const std::string what = std::string(role) + " " + path;
    if (link) throw Error(what + " is a symbolic link: name the directory itself");
    if (error == ENOTDIR) throw Error(what + " is not a directory");
    if (error == ENOENT) throw Error(what + " does not exist: create it (mkdir -p -m 0755)");
    throw system_error(what, error);
  }
  return Directory(std::move(fd), path);
}

bool Directory::exists(const std::string& name) const {
  struct stat info {};
  if (::fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  throw system_error(full(name), errno);
}

std::vector<std::string> Directory::names() const {
  // A descriptor of its own: fdopendir takes it over, and the offset is not shared.
  const int copy = ::openat(fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) throw system_error(path_, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), &::closedir);
  if (!stream) throw system_error(path_, errno);
  std::vector<std::string> found;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (!entry) break;
    if (entry->d_name[0] != '.') found.emplace_back(entry->d_name);
  }
  if (errno != 0) throw system_error(path_, errno);
  std::sort(found.begin(), found.end());
  return found;
}

bool Directory::unlink(const std::string& name) const {
  if (::unlinkat(fd(), name.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  throw system_error("removing " + full(name), errno);
}

std::optional<Directory> Directory::subdirectory_if_there(const std::string& name) const {
  Fd opened(::openat(fd(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!opened) {
    const int error = errno;
    if (error == ENOENT) return std::nullopt;
    struct stat info {};
    const bool there = ::fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISLNK(info.st_mode)) throw Error(full(name) + " is a symbolic link: remove it");
    throw system_error("directory " + full(name), error);
  }
  Directory found(std::move(opened), full(name));
  check_subdirectory(found);
  return found;
}

Directory Directory::subdirectory(const std::string& name, unsigned mode) const {
  const bool made = ::mkdirat(fd(), name.c_str(), mode) == 0;
  if (!made && errno != EEXIST) throw system_error("making the directory " + full(name), errno);
  auto found = subdirectory_if_there(name);
  if (!found) throw system_error("directory " + full(name), ENOENT);  // removed meanwhile
  return std::move(*found);
}

bool Directory::remove_directory(const std::string& name) const {
  if (::unlinkat(fd(), name.c_str(), AT_REMOVEDIR) == 0) return true;
  if (errno == ENOENT) return false;
  throw system_error("removing the directory " + full(name), errno);
}

std::optional<std::string> Directory::read(const std::string& name, std::size_t most) const {
  const Fd file(::openat(fd(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP) throw Error(full(name) + " is a symbolic link");
    throw system_error("reading " + full(name), errno);
  }
  return read_open_file(file, full(name), most);
}

std::optional<std::string> read_file(const std::string& path, std::size_t most) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    throw system_error("reading " + path, errno);
  }
  return read_open_file(file, path, most);
}

bool Directory::write(const std::string& name, std::string_view content, Durability durability,
                      Existing existing, unsigned mode) const {
  const std::string temporary = paths::temporary_name(name);
  if (::unlinkat(fd(), temporary.c_str(), 0) != 0 && errno != ENOENT) {
    throw system_error("removing " + full(temporary), errno);
  }
  const Fd file(::openat(fd(), temporary.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) throw system_error("writing " + full(name), errno);
  Temporary guard(fd(), temporary);
  write_all(file.get(), content, full(name));
  if (durability == Durability::synced && ::fsync(file.get()) != 0) {
    throw system_error("writing " + full(name), errno);
  }
  if (existing == Existing::refuse) {
    if (::renameat2(fd(), temporary.c_str(), fd(), name.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST) return false;
      throw system_error("writing " + full(name), errno);
    }
  } else if (::renameat(fd(), temporary.c_str(), fd(), name.c_str()) != 0) {
    throw system_error("writing " + full(name), errno);
  }
  guard.keep();
  if (durability == Durability::synced) sync();
  return true;
}

void Directory::sync() const {
  if (::fsync(fd()) != 0) throw system_error("writing " + path_, errno);
}

std::optional<Directory> open_run_dir_if_there() {
  const std::string path = paths::run_dir();
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 && errno == ENOENT) return std::nullopt;
  return open_run_dir();
}

Directory open_run_dir() {
  Directory dir = Directory::open(paths::run_dir(), "run directory", Directory::Symlink::refuse);
  check_run_dir(dir);
  return dir;
}

namespace {

// As the package's tmpfiles.d has it: daemons that give up root go on writing there.
void share_with_daemons(const Directory& dir) {
  if (::geteuid() != 0) return;
  const auto daemons = daemon_account();
  if (!daemons) return;
  if (::fchown(dir.fd(), 0, daemons->identity.group) != 0 || ::fchmod(dir.fd(), 0770) != 0) {
    throw system_error("making the run directory " + dir.path(), errno);
  }
}

}  // namespace

Directory make_run_dir() {
  const std::string path = paths::run_dir();
  const bool made = ::mkdir(path.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) throw system_error("making the run directory " + path, errno);
  Directory dir = open_run_dir();
  if (made) share_with_daemons(dir);
  return dir;
}

}  // namespace genapp::common
