#include "cluster/resource.hpp"

#include <array>

#include "common/printable.hpp"

namespace genapp::cluster {
namespace {

using common::Error;
using common::Setting;
using common::TomlFile;

constexpr std::array<std::string_view, 3> kKeys{"type", "id", "info"};
constexpr std::array kTypes{kLbhc, kScript, kRemote};
constexpr std::string_view kAgent = "agent";
constexpr std::string_view kMonitors = "monitor.*";

const Setting& required(const TomlFile& file, std::string_view key) {
  if (const Setting* found = file.find("", key)) return *found;
  throw Error(file.path() + ": the key " + std::string(key) + " is missing");
}

std::string read_type(const TomlFile& file) {
  const Setting& type = required(file, "type");
  type.as_word({kTypes[0], kTypes[1], kTypes[2]});
  return type.as_string();
}

}  // namespace

Description parse_description(const std::string& path, std::string_view text) {
  TomlFile file = TomlFile::parse(path, text);
  file.require_known("", kKeys);
  std::string type = read_type(file);
  // The agent alone reads its own: a mistake of theirs must not keep an action from working.
  const std::array<std::string_view, 3> sections{type, kAgent, kMonitors};
  file.require_known_sections(sections);
  Description description{std::move(type), std::nullopt, std::nullopt, {}};
  if (const Setting* id = file.find("", "id")) {
    if (!common::is_identifier(id->as_string())) {
      throw id->error("is " + common::quoted(id->as_string()) + ", which is not a valid id");
    }
    description.id.emplace(id->as_string());
  }
  if (const Setting* info = file.find("", "info")) description.info = info->as_string();
  description.file = std::move(file);
  return description;
}

Resource parse_resource(const common::Tag& tag, const std::string& path, std::string_view text) {
  Description description = parse_description(path, text);
  required(description.file, "id");
  return Resource{tag, *description.id, std::move(description.type), description.info.value_or(""),
                  std::move(description.file)};
}

}  // namespace genapp::cluster
