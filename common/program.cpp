#include "common/program.hpp"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <new>
#include <string>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::common {
namespace {

constexpr std::size_t kMostErrorBytes = 4096;

void print_line(const Program& program, const std::string& text) {
  // What came from outside (a path with a line feed, a library's words) stays on the one line.
  const std::string line =
      std::string(program.name) + ": error: " + printable(text, kMostErrorBytes) + "\n";
  ::fwrite(line.data(), 1, line.size(), stderr);
}

// A number that nobody has opened would become a socket's or a file's of ours, and the log's lines
// would go there. Opened the wrong way round, so that using it stays the error that it was.
void fill_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // Takes the lowest number that is free: this one. For programs that we start too.
    if (::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

int print_and_check(const std::string& text) {
  const bool written =
      ::fwrite(text.data(), 1, text.size(), stdout) == text.size() && ::fflush(stdout) == 0;
  return static_cast<int>(written ? ExitCode::ok : ExitCode::failed);
}

}  // namespace

int run_program(const Program& program, int argc, const char* const* argv,
                const std::function<ExitCode()>& work) {
  ::signal(SIGPIPE, SIG_IGN);
  fill_standard_streams();
  const std::string_view first = argc > 1 ? argv[1] : "";
  const std::string name(program.name);
  if (first == "--help" || (first == "-h" && program.h_is_help)) {
    return print_and_check(name + ": " + std::string(program.summary) + "\n\n" +
                           std::string(program.usage));
  }
  if (first == "--version") return print_and_check(name + " (genapp) " GENAPP_VERSION "\n");
  try {
    return static_cast<int>(work());
  } catch (const Error& problem) {
    const bool usage = problem.exit_code() == ExitCode::usage;
    print_line(program, problem.what() + std::string(usage ? "; see " + name + " --help" : ""));
    return static_cast<int>(problem.exit_code());
  } catch (const std::bad_alloc&) {
    print_line(program, "out of memory");
  } catch (const std::exception& problem) {
    print_line(program, problem.what());
  }
  return static_cast<int>(ExitCode::failed);
}

}  // namespace genapp::common
