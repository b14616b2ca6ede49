#include "ctl/list.hpp"

#include <boost/json.hpp>
#include <boost/program_options.hpp>

#include "cluster/cluster.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"
#include "ctl/commands.hpp"
#include "ctl/options.hpp"
#include "ctl/output.hpp"
#include "ctl/table.hpp"

namespace genapp::ctl {
namespace {

namespace json = boost::json;
namespace po = boost::program_options;
using cluster::Resource;
using common::ExitCode;

// As `genapp status`: settings that can't be read do not hide the resources.
common::Settings settings_or_defaults() {
  try {
    return common::read_settings();
  } catch (const common::Error&) {
    return {};
  }
}

json::value entry_value(const cluster::Registry::Entry& entry) {
  if (const auto* problem = std::get_if<std::string>(&entry.resource)) {
    return {{"tag", entry.tag},
            {"id", nullptr},
            {"type", nullptr},
            {"info", nullptr},
            {"error", common::printable(*problem)}};
  }
  const auto& resource = std::get<Resource>(entry.resource);
  return {{"tag", entry.tag},
          {"id", resource.id.text()},
          {"type", resource.type},
          {"info", resource.info},
          {"error", nullptr}};
}

std::vector<std::string> row_of(const cluster::Registry::Entry& entry) {
  const auto* resource = std::get_if<Resource>(&entry.resource);
  if (!resource) return {entry.tag, "?", "?", "?"};
  return {entry.tag, resource->id.text(), resource->type, common::printable(resource->info, 80)};
}

}  // namespace

std::string list_table(const Entries& entries) {
  if (entries.empty()) return kNoResources;
  std::vector<std::vector<std::string>> rows{{"TAG", "ID", "TYPE", "INFO"}};
  for (const auto& entry : entries) rows.push_back(row_of(entry));
  return table_text(rows);
}

std::string list_json(const Entries& entries) {
  json::array resources;
  for (const auto& entry : entries) resources.push_back(entry_value(entry));
  return json::serialize(json::value{{"version", 1}, {"resources", std::move(resources)}}) + "\n";
}

std::string list_problems(const Entries& entries) {
  std::vector<std::pair<std::string, std::string>> problems;
  for (const auto& entry : entries) {
    if (const auto* problem = std::get_if<std::string>(&entry.resource)) {
      problems.emplace_back(entry.tag, *problem);
    }
  }
  return problem_lines(problems);
}

ExitCode list(int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("json", po::bool_switch());
  const po::variables_map found = parse_options(options, "", argc, argv);
  const Entries entries = cluster::open_cluster(settings_or_defaults())->list();
  Block block;
  block.out = found["json"].as<bool>() ? list_json(entries) : list_table(entries);
  block.err = list_problems(entries);
  print(block);
  return block.err.empty() ? ExitCode::ok : ExitCode::failed;
}

}  // namespace genapp::ctl
