#include <array>
#include <boost/program_options.hpp>
#include <string>

#include "cluster/cluster.hpp"
#include "cluster/registry.hpp"
#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"
#include "ctl/commands.hpp"
#include "ctl/options.hpp"
#include "ctl/output.hpp"

namespace genapp::ctl {
namespace {

namespace po = boost::program_options;
namespace paths = common::paths;
using common::Error;
using common::ExitCode;
using common::State;

// OSF is not for people to set: only a restore can fail.
State parse_settable(const std::string& word) {
  const auto state = common::parse_state(word);
  if (state && *state != State::out_failed) return *state;
  throw Error("the state " + common::quoted(word) + " must be one of: ISP, ISU, OSU",
              ExitCode::usage);
}

}  // namespace

ExitCode set_state(int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("tag,t", po::value<std::string>())("state,S", po::value<std::string>());
  const po::variables_map found = parse_options(options, "", argc, argv);
  const common::Tag tag(required(found, "tag", "-t TAG"));
  const State state = parse_settable(required(found, "state", "-S ISP|ISU|OSU"));
  if (cluster::cluster_kind(common::read_settings()) == common::ClusterKind::lifekeeper) {
    throw Error("LifeKeeper records the states on this node: use its own ins_setstate");
  }
  const common::Id id = cluster::Registry(paths::resources_dir()).read(tag).id;
  cluster::record_state(common::open_run_dir(), id, state);
  print("the state of \"" + tag.text() + "\" is " + std::string(common::state_text(state)) + "\n");
  return ExitCode::ok;
}

}  // namespace genapp::ctl
