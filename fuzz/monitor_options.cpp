// The command lines of httpmon and smtpmon, and the request that is made of one. The input's first
// byte chooses the command; its lines, from the second on, are the arguments.

#include "monitor/options.hpp"

#include <algorithm>

#include "fuzz/property.hpp"
#include "monitor/http_request.hpp"

namespace genapp::fuzz {
namespace {

using monitor::CommandLine;
using monitor::Protocol;
using monitor::Verb;
using Arguments = std::vector<std::string>;

// As execve passes them: ended by their first zero byte.
Arguments arguments_in(std::string_view input) {
  Arguments arguments = lines_of(input);
  for (std::string& argument : arguments) {
    argument.resize(std::min(argument.find('\0'), argument.size()));
  }
  return arguments;
}

// The fuzzer reads no files of this machine's.
bool names_a_file(const Arguments& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument.find("user-file") != std::string::npos;
  });
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

void check_durations(const monitor::Settings& settings) {
  const auto in_range = [](auto length, auto least) {
    return length >= least && length <= std::chrono::seconds(10000);
  };
  require(in_range(settings.interval, std::chrono::milliseconds(10)), "the interval's range");
  require(in_range(settings.wait, std::chrono::milliseconds(10)), "the wait's range");
  require(in_range(settings.initial_delay, std::chrono::seconds(0)), "the delay's range");
  require(settings.retries >= 1 && settings.retries <= 10000, "the retries' range");
  require(settings.rise >= 1 && settings.rise <= 10000, "the successes' range");
}

// One request, its headers those that were asked for, its lines what they seem.
void check_request(const monitor::HttpSettings& settings) {
  const std::string request = monitor::http_request(settings);
  const std::string method = settings.get ? "GET " : "HEAD ";
  require(request.starts_with(method + settings.uri + " HTTP/1."), "the first line is as asked");
  require(request.find("\r\n\r\n") == request.size() - 4, "one empty line, at the end");
  require(count(request, "\n") == count(request, "\r\n") &&
              count(request, "\r") == count(request, "\r\n"),
          "no line's end but a line's end");
  // First line, Host, User-Agent, Accept, Connection, Authorization, those given, the empty one.
  const std::size_t most = 7 + settings.headers.size();
  require(count(request, "\r\n") <= most, "no line was smuggled in");
}

void check_parsed(Protocol protocol, const CommandLine& line) {
  require(!line.id || monitor::is_monitor_id(line.id->text()), "an id is one");
  require(line.id || line.verb == Verb::once || line.verb == Verb::list, "and is there");
  require(
      line.stop_wait >= std::chrono::seconds(1) && line.stop_wait <= std::chrono::seconds(10000),
      "--stop's range");
  if (line.verb != Verb::start && line.verb != Verb::once) return;
  check_durations(line.settings);
  require(line.settings.protocol == protocol, "the command's protocol");
  if (protocol == Protocol::http) check_request(line.settings.http);
}

}  // namespace

void check(std::string_view input) {
  if (input.empty()) return;
  const Protocol protocol = input.front() == 's' ? Protocol::smtp : Protocol::http;
  const auto first = std::min(input.find('\n'), input.size() - 1);
  const Arguments arguments = arguments_in(input.substr(first + 1));
  if (names_a_file(arguments)) return;
  std::vector<const char*> argv{"monitor"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const int argc = static_cast<int>(argv.size());
  require(monitor::id_for_report(argc, argv.data()).size() <= 255, "the report's id is short");
  try {
    check_parsed(protocol, monitor::parse_command_line(protocol, argc, argv.data()));
  } catch (const common::Error& problem) {
    require_one_line(problem.what());
    require(problem.exit_code() == common::ExitCode::usage,
            "a wrong command line is a usage error");
  }
}

}  // namespace genapp::fuzz
