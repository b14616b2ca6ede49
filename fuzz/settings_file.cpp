// genapp.toml, and any TOML file as such.

#include "common/settings.hpp"

#include <algorithm>

#include "fuzz/property.hpp"
#include "lbhc/config.hpp"

namespace genapp::fuzz {
namespace {

constexpr char kPath[] = "/etc/genapp/genapp.toml";

void check_places(const common::TomlFile& file, std::string_view text) {
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  int before = 1;
  std::size_t sought = 0;
  for (const common::Setting& setting : file.settings()) {
    require(setting.line >= before && setting.line <= lines, "settings are in the file's order");
    require(setting.origin == std::string(kPath) + ":" + std::to_string(setting.line),
            "a setting knows where it was written");
    // find() looks through all of them; for the first hundred that is quick.
    require(++sought > 100 || file.find(setting.section, setting.key) == &setting,
            "no setting is there twice");
    require_one_line(setting.error("is wrong").what());
    before = setting.line;
  }
}

void check_settings(const common::Settings& settings) {
  require(settings.file.has_value(), "the file is kept");
  require(settings.log_file.empty() ||
              (settings.log_file[0] == '/' && settings.log_file.find('\0') == std::string::npos),
          "the log file is an absolute path");
}

// With a resource that has no key of its own, the node's are those that hold.
void check_shared(const common::Settings& settings) {
  const auto resource = common::TomlFile::parse("/r.toml", "info = \"54321 up\"\n");
  lbhc::Config config;
  const std::string problem =
      refusal([&] { config = lbhc::read_config(&*settings.file, resource, "54321 up"); });
  require(problem.empty() || problem.starts_with(std::string(kPath) + ":") ||
              problem.starts_with("/r.toml:1: "),
          "an error names its place");
  require(!problem.empty() || config.port == 54321, "the port is the resource's");
}

}  // namespace

void check(std::string_view input) {
  common::TomlFile file;
  const std::string wrong = refusal([&] { file = common::TomlFile::parse(kPath, input); });
  if (wrong.empty()) check_places(file, input);
  common::Settings settings;
  const std::string problem = refusal([&] { settings = common::parse_settings(kPath, input); });
  require(wrong.empty() || wrong == problem, "no settings are read from what is no TOML");
  require(problem.empty() || problem.starts_with(std::string(kPath) + ":"),
          "an error names file and line");
  if (!problem.empty()) return;
  check_settings(settings);
  check_shared(settings);
}

}  // namespace genapp::fuzz
