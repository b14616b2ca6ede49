#include "common/account.hpp"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include <charconv>
#include <functional>
#include <memory>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::common {
namespace {

constexpr char kUsers[] = "/etc/passwd";
constexpr char kGroups[] = "/etc/group";

struct Close {
  void operator()(FILE* file) const { ::fclose(file); }
};
using File = std::unique_ptr<FILE, Close>;

File open_file(const char* path) {
  File file(::fopen(path, "re"));
  if (!file) throw system_error(std::string("reading ") + path, errno);
  return file;
}

std::optional<Account> find_user(const std::function<bool(const passwd&)>& wanted) {
  const File file = open_file(kUsers);
  while (const passwd* line = ::fgetpwent(file.get())) {
    if (!wanted(*line)) continue;
    return Account{{line->pw_uid, line->pw_gid, {}}, line->pw_name, line->pw_dir, line->pw_shell};
  }
  return std::nullopt;
}

std::vector<gid_t> groups_of(const Account& account) {
  std::vector<gid_t> groups{account.identity.group};
  const File file = open_file(kGroups);
  while (const group* line = ::fgetgrent(file.get())) {
    for (char** member = line->gr_mem; *member; ++member) {
      if (account.name == *member && line->gr_gid != account.identity.group) {
        groups.push_back(line->gr_gid);
      }
    }
  }
  return groups;
}

std::optional<uid_t> as_number(std::string_view user) {
  uid_t number = 0;
  const auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), number);
  if (error != std::errc() || end != user.data() + user.size()) return std::nullopt;
  // setresuid(2) takes this one for "leave it as it is": the script would run as the caller.
  if (number == static_cast<uid_t>(-1)) return std::nullopt;
  return number;
}

// "1000" or "1000:1000".
std::optional<Account> by_number(std::string_view user) {
  const auto colon = user.find(':');
  const auto number = as_number(user.substr(0, colon));
  if (!number) return std::nullopt;
  Account account = account_of(*number);
  if (colon == std::string_view::npos) return account;
  const auto group = as_number(user.substr(colon + 1));
  if (!group) return std::nullopt;
  account.identity.group = *group;
  return account;
}

std::optional<Account> by_name(std::string_view user) {
  return find_user([user](const passwd& line) { return user == line.pw_name; });
}

}  // namespace

Account account_of(uid_t user) {
  const auto account = find_user([user](const passwd& line) { return line.pw_uid == user; });
  // Without a line, its group is the one of the same number, as useradd makes it.
  return account ? *account : Account{{user, user, {}}};
}

Account find_account(const std::string& user) {
  auto account = by_number(user);
  if (!account) account = by_name(user);
  if (!account) {
    throw Error("there is no user " + quoted(user) + " in " + kUsers +
                ": one of a directory service is to be given by number");
  }
  account->identity.groups = groups_of(*account);
  return *account;
}

std::optional<Account> daemon_account() {
  try {
    auto account = by_name(kDaemonUser);
    if (account) account->identity.groups = groups_of(*account);
    return account;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace genapp::common
