#include <boost/program_options.hpp>
#include <optional>
#include <string>

#include "cluster/kind.hpp"
#include "cluster/registry.hpp"
#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/settings.hpp"
#include "common/toml_file.hpp"
#include "ctl/commands.hpp"
#include "ctl/options.hpp"
#include "ctl/output.hpp"
#include "lbhc/stop.hpp"
#include "script/turn.hpp"

namespace genapp::ctl {
namespace {

namespace po = boost::program_options;
namespace paths = common::paths;
using cluster::StateFile;
using common::Error;
using common::ExitCode;
using common::Id;
using common::Tag;

Error remove_first(const Tag& tag, const Id& id, const std::string& why) {
  return Error("the resource \"" + tag.text() + "\" " + why + ": run remove first (remove -t " +
               tag.text() + " -i " + id.text() + ")");
}

// Nothing when the resource can't be read.
std::optional<Id> id_of(const cluster::Registry& registry, const Tag& tag) {
  try {
    return registry.read(tag).id;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// The id in a file that is no valid resource; nothing when not even that can be found.
std::optional<Id> salvage_id(const Tag& tag) {
  try {
    const auto file = common::TomlFile::read(paths::resource_file(tag));
    const common::Setting* id = file ? file->find("", "id") : nullptr;
    return id ? std::optional(Id(id->as_string())) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void require_dead(const common::Directory& run_dir, const Tag& tag, const Id& id) {
  if (common::is_alive(run_dir, id)) throw remove_first(tag, id, "has a running daemon");
  for (const std::string& name : {paths::turn_name(id), paths::check_name(id)}) {
    if (common::is_alive(run_dir, name)) throw remove_first(tag, id, "has an action that runs");
  }
}

void require_out_of_service(const common::Directory& run_dir, const Tag& tag, const Id& id) {
  const common::State state = StateFile(run_dir, id).read();
  if (common::in_service(state)) {
    throw remove_first(tag, id, "is in service (" + std::string(common::state_text(state)) + ")");
  }
  // A restore that failed may have left half of it running, and only its own remove stops that.
  if (script::has_trace(run_dir, id)) {
    throw remove_first(tag, id, "was worked on by an action that no remove has followed");
  }
}

void clean_up(const common::Directory& run_dir, const Tag& tag, const Id& id) {
  const bool clean = lbhc::clean_up_if_dead(run_dir, id, [&] {
    require_dead(run_dir, tag, id);  // once more, now that nobody can begin
    for (const std::string& name : {paths::turn_name(id), paths::check_name(id)}) {
      run_dir.unlink(name);
    }
    StateFile(run_dir, id).write(common::State::out_unimpaired);
  });
  if (!clean) throw remove_first(tag, id, "has a daemon that was started meanwhile");
}

// The leftovers go first: should that fail, the resource is still there to delete again.
std::string delete_by_id(const cluster::Registry& registry, const Tag& tag) {
  const auto id = id_of(registry, tag);
  const auto known = id ? id : salvage_id(tag);
  const auto run_dir = common::open_run_dir_if_there();
  if (known && run_dir) {
    require_dead(*run_dir, tag, *known);
    // An unreadable resource can't be taken out of service any more, unless it has a daemon.
    if (id) require_out_of_service(*run_dir, tag, *known);
    clean_up(*run_dir, tag, *known);
  }
  registry.remove(tag);
  return known ? ""
               : "; its id could not be read, so files in " + paths::run_dir() + " may have stayed";
}

// Settings that can't be read keep nobody from deleting a resource.
void refuse_lifekeeper() {
  common::Settings settings;
  try {
    settings = common::read_settings();
  } catch (const Error&) {
  }
  if (cluster::cluster_kind(settings) == common::ClusterKind::registry) return;
  throw Error("this node's resources are LifeKeeper's: delete it there, or set cluster = " +
              common::toml_quoted("registry") + " in " + paths::settings_file());
}

}  // namespace

ExitCode delete_resource(int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("tag,t", po::value<std::string>());
  const po::variables_map found = parse_options(options, "", argc, argv);
  const Tag tag(required(found, "tag", "-t TAG"));
  refuse_lifekeeper();
  const std::string remark = delete_by_id(cluster::Registry(paths::resources_dir()), tag);
  print("deleted the resource \"" + tag.text() + "\"" + remark + "\n");
  return ExitCode::ok;
}

}  // namespace genapp::ctl
