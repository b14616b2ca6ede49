#include "tests/e2e/monitors.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr char kId[] = "watch";

// Nothing when the text is none, or a member is not there.
std::optional<json::value> member(const std::string& text, const std::string& path) {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return std::nullopt;
  std::istringstream names(path);
  for (std::string name; std::getline(names, name, '.');) {
    const json::value* const inner =
        value.is_object() ? value.as_object().if_contains(name) : nullptr;
    if (!inner) return std::nullopt;
    value = json::value(*inner);
  }
  return value;
}

std::string text_of(const std::string& object, const std::string& path) {
  const auto value = member(object, path);
  return value && value->is_string() ? std::string(value->as_string()) : "";
}

double number_of(const std::string& object, const std::string& path) {
  const auto value = member(object, path);
  return value && value->is_number() ? value->to_number<double>() : -1;
}

}  // namespace

Command Monitors::command(Arguments arguments) const {
  arguments.insert(arguments.begin(), program_);
  return node_.command(std::move(arguments));
}

Process Monitors::start(Arguments arguments) const {
  arguments.insert(arguments.begin(), {kId, "--json"});
  return Process(command(std::move(arguments)));
}

Result Monitors::run(Arguments arguments) const {
  arguments.insert(arguments.begin(), kId);
  return tests::run(command(std::move(arguments)));
}

Result Monitors::once(Arguments arguments) const {
  arguments.insert(arguments.begin(), "--once");
  return tests::run(command(std::move(arguments)));
}

double Monitors::number(const std::string& name) const {
  return number_of(run({"--disp", "--json"}).out, name);
}

std::string Monitors::text(const std::string& name) const {
  return text_of(run({"--disp", "--json"}).out, name);
}

bool Monitors::has_checked(int times) const {
  return wait_until([&] { return number("checks") >= times; });
}

std::vector<std::string> Monitors::left() const {
  std::vector<std::string> names;
  std::error_code gone;
  for (const auto& entry : fs::recursive_directory_iterator(node_.run_dir(), gone)) {
    const std::string name = fs::relative(entry.path(), node_.run_dir());
    if (name != "monitors" && !name.starts_with("monitors/.locks")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Told> told(const std::string& output) {
  std::vector<Told> events;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    events.push_back(
        {static_cast<int>(number_of(line, "event")), text_of(line, "id"), text_of(line, "reason")});
  }
  return events;
}

std::vector<int> numbers(const std::string& output) {
  std::vector<int> all;
  for (const Told& event : told(output)) all.push_back(event.event);
  return all;
}

}  // namespace genapp::tests
