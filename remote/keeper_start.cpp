#include "remote/keeper_start.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/printable.hpp"

namespace genapp::remote {
namespace {

// An escape takes four bytes; the rest is for the word, a number and what printable() says of text
// that it cuts.
constexpr std::size_t kMostText = kMostAnswerLine / 5;

std::string octal(mode_t mode) {
  std::array<char, 16> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), mode, 8).ptr;
  return std::string(text.data(), end);
}

std::string joined(const std::vector<gid_t>& groups) {
  std::string text;
  for (const gid_t group : groups) text += (text.empty() ? "" : ",") + std::to_string(group);
  return text;
}

std::string limit_text(const common::ResourceLimit& limit) {
  const auto name = common::limit_name(limit.resource);
  if (name && !limit.soft_only) return std::string(*name) + "=" + std::to_string(limit.most);
  throw common::Error("a keeper can't set the limit " + std::to_string(limit.resource));
}

void add_identity(std::vector<std::string>& argv, const common::Identity& identity) {
  argv.insert(argv.end(),
              {"--uid", std::to_string(identity.user), "--gid", std::to_string(identity.group)});
  if (!identity.groups.empty()) argv.insert(argv.end(), {"--groups", joined(identity.groups)});
}

// Takes the number at the text's begin.
template <typename Number>
std::optional<Number> take_number(std::string_view& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<KeeperAnswer> ready_of(std::string_view text) {
  const auto pid = take_number<pid_t>(text);
  if (!pid || *pid <= 0 || !take(text, " ")) return std::nullopt;
  const auto ticks = take_number<std::uint64_t>(text);
  if (!ticks || !text.empty()) return std::nullopt;
  return KeeperReady{*pid, *ticks};
}

std::optional<KeeperAnswer> failed_of(std::string_view text) {
  const auto error = take_number<int>(text);
  if (!error || *error < 0 || !take(text, " ")) return std::nullopt;
  return KeeperFailed{*error, std::string(text)};
}

struct AnswerFormatter {
  std::string operator()(const KeeperReady& ready) const {
    return "ready " + std::to_string(ready.pid) + " " + std::to_string(ready.start_ticks) + "\n";
  }
  std::string operator()(const KeeperFailed& failed) const {
    return "failed " + std::to_string(failed.error) + " " +
           common::printable(failed.text, kMostText) + "\n";
  }
  std::string operator()(const KeeperProblem& problem) const {
    return "error " + common::printable(problem.text, kMostText) + "\n";
  }
};

}  // namespace

common::Spawn keeper_spawn(const std::string& program, const KeeperStart& start, pid_t parent,
                           int out) {
  common::Spawn what;
  std::vector<std::string>& argv = what.argv;
  argv = {program,
          "--dir",
          start.session_dir,
          "--session",
          start.session.text(),
          "--parent",
          std::to_string(parent)};
  if (start.identity) add_identity(argv, *start.identity);
  for (const common::ResourceLimit& limit : start.limits) {
    argv.insert(argv.end(), {"--limit", limit_text(limit)});
  }
  argv.insert(argv.end(),
              {"--umask", octal(start.umask), "--buffer", std::to_string(start.buffer), "--stall",
               common::seconds_text(start.stall), "--kill-after",
               common::seconds_text(start.kill_after), "--directory", start.directory,
               "--leftovers", start.leftovers == Leftovers::end ? "end" : "leave", "--"});
  argv.insert(argv.end(), start.command.begin(), start.command.end());
  what.environment = start.environment;
  what.out = out;
  what.ends_with_parent = true;  // until it is ready
  return what;
}

std::string format_keeper_answer(const KeeperAnswer& answer) {
  return std::visit(AnswerFormatter(), answer);
}

std::optional<KeeperAnswer> parse_keeper_answer(std::string_view line) {
  if (!line.ends_with('\n') || line.size() > kMostAnswerLine) return std::nullopt;
  line.remove_suffix(1);
  if (take(line, "ready ")) return ready_of(line);
  if (take(line, "failed ")) return failed_of(line);
  if (take(line, "error ")) return KeeperProblem{std::string(line)};
  return std::nullopt;
}

}  // namespace genapp::remote
