#include "cluster/registry.hpp"

#include <errno.h>
#include <sys/stat.h>

#include <optional>

#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"

namespace genapp::cluster {
namespace {

using common::Directory;
using common::Error;
using common::State;
using common::Tag;
namespace paths = common::paths;

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostStateBytes = 64;
constexpr char kRole[] = "resource folder";

std::optional<Directory> open_if_there(const std::string& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0 && errno == ENOENT) return std::nullopt;
  return Directory::open(folder, kRole, Directory::Symlink::follow);
}

Error no_such_resource(const Tag& tag, const std::string& path) {
  return Error("no resource " + common::quoted(tag.text()) + ": " + path +
               " does not exist; see 'genapp list'");
}

Resource read_from(const Directory& folder, const Tag& tag) {
  const std::string name = paths::resource_name(tag);
  const auto text = common::read_file(folder.full(name), kMostBytes);
  if (!text) throw no_such_resource(tag, folder.full(name));
  return parse_resource(tag, folder.full(name), *text);
}

// "lb.toml" -> "lb"; nothing for a name that no resource has.
std::optional<std::string> tag_of(const std::string& name) {
  const std::string_view suffix = paths::kResourceSuffix;
  if (name.size() <= suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  const std::string tag = name.substr(0, name.size() - suffix.size());
  return common::is_identifier(tag) ? std::optional(tag) : std::nullopt;
}

std::vector<Registry::Entry> list_in(const Directory& folder) {
  std::vector<Registry::Entry> entries;
  for (const std::string& name : folder.names()) {
    const auto tag = tag_of(name);
    if (!tag) continue;
    try {
      entries.push_back({*tag, read_from(folder, Tag(*tag))});
    } catch (const Error& problem) {
      entries.push_back({*tag, std::string(problem.what())});
    }
  }
  return entries;
}

void make_folder(const std::string& folder) {
  // The parent is the configuration directory; making that one too saves a first user a step.
  const std::string parent = folder.substr(0, folder.rfind('/'));
  for (const std::string& path : {parent, folder}) {
    if (!path.empty() && ::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
      throw common::system_error("making the folder " + path, errno);
    }
  }
}

}  // namespace

Resource Registry::read(const Tag& tag) const {
  const auto folder = open_if_there(folder_);
  if (!folder) throw no_such_resource(tag, folder_ + "/" + paths::resource_name(tag));
  return read_from(*folder, tag);
}

std::vector<Registry::Entry> Registry::list() const {
  const auto folder = open_if_there(folder_);
  return folder ? list_in(*folder) : std::vector<Entry>();
}

void Registry::create(const Tag& tag, std::string_view text) const {
  const std::string name = paths::resource_name(tag);
  const Resource resource = parse_resource(tag, folder_ + "/" + name, text);
  make_folder(folder_);
  const Directory folder = Directory::open(folder_, kRole, Directory::Symlink::follow);
  const auto lock = common::LockFile::acquire(folder, paths::kRegistryLock);
  for (const Entry& entry : list_in(folder)) {
    const auto* other = std::get_if<Resource>(&entry.resource);
    if (entry.tag != tag.text() && other && other->id == resource.id) {
      throw Error("the id " + common::quoted(resource.id.text()) + " is taken by the resource " +
                  common::quoted(entry.tag) +
                  ": an id names the run-time files, so choose another");
    }
  }
  if (!folder.write(name, text, Directory::Durability::synced, Directory::Existing::refuse, 0644)) {
    throw Error("the resource " + common::quoted(tag.text()) +
                " exists already: " + folder.full(name));
  }
}

void Registry::remove(const Tag& tag) const {
  const std::string name = paths::resource_name(tag);
  const auto folder = open_if_there(folder_);
  if (!folder) throw no_such_resource(tag, folder_ + "/" + name);
  const auto lock = common::LockFile::acquire(*folder, paths::kRegistryLock);
  if (!folder->unlink(name)) throw no_such_resource(tag, folder->full(name));
  folder->sync();
}

State StateFile::read() const {
  const std::string name = paths::state_name(id_);
  const auto text = run_dir_.read(name, kMostStateBytes);
  if (!text) return State::out_unimpaired;
  if (const auto state = common::parse_state_line(*text)) return *state;
  throw Error(run_dir_.full(name) + " holds " + common::quoted(*text) +
              ", not a state: remove and restore the resource");
}

void StateFile::write(State state) {
  const std::string name = paths::state_name(id_);
  if (state == State::out_unimpaired) {
    run_dir_.unlink(name);
  } else {
    run_dir_.write(name, common::state_line(state), Directory::Durability::visible,
                   Directory::Existing::replace, 0644);
  }
}

void record_state(const Directory& run_dir, const common::Id& id, State state) {
  auto lock = common::LockFile::acquire(run_dir, paths::lock_name(id));
  StateFile(run_dir, id).write(state);
  std::move(lock).release_and_unlink();
}

}  // namespace genapp::cluster
