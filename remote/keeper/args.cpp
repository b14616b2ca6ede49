#include "remote/keeper/args.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/printable.hpp"

namespace genapp::remote::keeper {
namespace {

using common::quoted;
using std::chrono::milliseconds;

constexpr std::uint64_t kMostId = std::numeric_limits<uid_t>::max() - 1;  // -1 is no user
constexpr std::size_t kMostGroups = 65'536;                               // NGROUPS_MAX

common::Error usage(const std::string& text) {
  return common::Error(text, common::ExitCode::usage);
}

common::Error unfit(std::string_view option, std::string_view value, const std::string& wanted) {
  return usage(std::string(option) + " " + quoted(value) + ": " + wanted + " is wanted");
}

std::uint64_t number_of(std::string_view option, std::string_view value, std::uint64_t least,
                        std::uint64_t most, int base = 10) {
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), number, base);
  if (error != std::errc() || end != value.data() + value.size() || number < least ||
      number > most) {
    throw unfit(option, value,
                "a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

// "5", "0.25": seconds with at most three decimals.
milliseconds seconds_of(std::string_view option, std::string_view value, milliseconds most) {
  const auto point = value.find('.');
  std::string digits(value.substr(0, point));
  std::string decimals(point == std::string_view::npos ? "0" : value.substr(point + 1));
  const bool all_digits = (digits + decimals).find_first_not_of("0123456789") == std::string::npos;
  if (digits.empty() || digits.size() > 9 || decimals.empty() || decimals.size() > 3 ||
      !all_digits) {
    throw unfit(option, value, "a number of seconds");
  }
  decimals.resize(3, '0');
  const milliseconds length(std::stoll(digits + decimals));
  if (length > most) {
    throw unfit(option, value, "at most " + common::seconds_text(most) + " seconds");
  }
  return length;
}

std::string path_of(std::string_view option, std::string_view value) {
  if (!value.starts_with('/')) throw unfit(option, value, "an absolute path");
  return std::string(value);
}

std::vector<gid_t> groups_of(std::string_view option, std::string_view value) {
  std::vector<gid_t> groups;
  for (;;) {
    const auto end = value.find(',');
    groups.push_back(static_cast<gid_t>(number_of(option, value.substr(0, end), 0, kMostId)));
    if (groups.size() > kMostGroups) throw usage(std::string(option) + ": too many");
    if (end == std::string_view::npos) return groups;
    value.remove_prefix(end + 1);
  }
}

common::ResourceLimit limit_of(std::string_view option, std::string_view value) {
  const auto equals = value.find('=');
  const auto resource = common::limit_resource(value.substr(0, equals));
  if (!resource || equals == std::string_view::npos) throw unfit(option, value, "NAME=NUMBER");
  return {*resource, number_of(option, value.substr(equals + 1), 0,
                               std::numeric_limits<std::uint64_t>::max())};
}

class Parser {
 public:
  // `i` is where the options begin; returns where the command does.
  int options(int argc, const char* const* argv, int i) {
    for (; i < argc; i += 2) {
      const std::string_view option = argv[i];
      if (option == "--") return i + 1;
      if (i + 1 == argc) throw usage(std::string(option) + " has no value");
      note(option);
      set(option, argv[i + 1]);
    }
    throw usage("no -- and command");
  }

  Args finish(std::vector<std::string> command) {
    for (const std::string_view needed : {"--dir", "--session", "--parent"}) {
      if (!has(needed)) throw usage(std::string(needed) + " is missing");
    }
    if (has("--uid") != has("--gid") || (has("--groups") && !has("--uid"))) {
      throw usage("--uid and --gid go together, and --groups with them");
    }
    if (has("--uid")) args_.start.identity = identity_;
    if (command.empty()) throw usage("no command after --");
    path_of("the command", command.front());
    args_.start.command = std::move(command);
    return std::move(args_);
  }

 private:
  bool has(std::string_view option) const {
    return std::find(seen_.begin(), seen_.end(), option) != seen_.end();
  }

  void note(std::string_view option) {
    if (has(option) && option != "--limit") throw usage(std::string(option) + " is there twice");
    seen_.push_back(option);
  }

  void set(std::string_view option, std::string_view value) {
    KeeperStart& start = args_.start;
    if (option == "--dir") {
      start.session_dir = path_of(option, value);
    } else if (option == "--session") {
      start.session = common::Id(value);
    } else if (option == "--parent") {
      args_.parent =
          static_cast<pid_t>(number_of(option, value, 1, std::numeric_limits<pid_t>::max()));
    } else if (option == "--uid") {
      identity_.user = static_cast<uid_t>(number_of(option, value, 0, kMostId));
    } else if (option == "--gid") {
      identity_.group = static_cast<gid_t>(number_of(option, value, 0, kMostId));
    } else if (option == "--groups") {
      identity_.groups = groups_of(option, value);
    } else if (option == "--umask") {
      start.umask = static_cast<mode_t>(number_of(option, value, 0, 0777, 8));
    } else if (option == "--limit") {
      start.limits.push_back(limit_of(option, value));
    } else if (option == "--directory") {
      start.directory = path_of(option, value);
    } else {
      set_bound(option, value);
    }
  }

  void set_bound(std::string_view option, std::string_view value) {
    KeeperStart& start = args_.start;
    if (option == "--buffer") {
      start.buffer = number_of(option, value, kLeastBuffer, kMostBuffer);
    } else if (option == "--stall") {
      start.stall = seconds_of(option, value, kMostStall);
    } else if (option == "--kill-after") {
      start.kill_after = seconds_of(option, value, kMostKillAfter);
    } else if (option == "--leftovers") {
      if (value != "end" && value != "leave") throw unfit(option, value, "end or leave");
      start.leftovers = value == "end" ? Leftovers::end : Leftovers::leave;
    } else {
      throw usage("unknown option " + quoted(option));
    }
  }

  Args args_;
  common::Identity identity_;
  std::vector<std::string_view> seen_;
};

}  // namespace

Args parse_args(int argc, const char* const* argv) {
  Parser parser;
  const int command = parser.options(argc, argv, 1);
  return parser.finish(std::vector<std::string>(argv + command, argv + argc));
}

}  // namespace genapp::remote::keeper
