#include "cluster/resource.hpp"

#include <array>

#include "common/printable.hpp"

namespace genapp::cluster {
namespace {

using common::Error;
using common::Setting;
using common::TomlFile;

constexpr std::array<std::string_view, 3> kKeys{"type", "id", "info"};
constexpr std::array<std::string_view, 1> kTypes{"lbhc"};

const Setting& required(const TomlFile& file, std::string_view key) {
  if (const Setting* found = file.find("", key)) return *found;
  throw Error(file.path() + ": the key " + std::string(key) + " is missing");
}

std::string read_type(const TomlFile& file) {
  const Setting& type = required(file, "type");
  if (type.as_string() == "script") throw type.error("\"script\" is not in this version");
  type.as_word({kTypes[0]});
  return type.as_string();
}

}  // namespace

Resource parse_resource(const common::Tag& tag, const std::string& path, std::string_view text) {
  TomlFile file = TomlFile::parse(path, text);
  file.require_known("", kKeys);
  std::string type = read_type(file);
  const std::array<std::string_view, 1> section{type};
  file.require_known_sections(section);
  const Setting& id = required(file, "id");
  if (!common::is_identifier(id.as_string())) {
    throw id.error("is " + common::quoted(id.as_string()) + ", which is not a valid id");
  }
  const Setting* info = file.find("", "info");
  return Resource{tag, common::Id(id.as_string()), std::move(type), info ? info->as_string() : "",
                  std::move(file)};
}

}  // namespace genapp::cluster
