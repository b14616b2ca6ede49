#include "common/detach.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

// Zero, or the line of the first check that did not hold.
#define MUST(condition) \
  if (!(condition)) return __LINE__ % 90 + 1

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(Detach, LeavesTheCallersSurroundings) {
  tests::Child child([] {
    const int kept = ::open("/proc", O_RDONLY);
    const int dropped = ::open("/proc", O_RDONLY);
    const int high = ::fcntl(kept, F_DUPFD, 50);
    ::umask(077);
    ::signal(SIGTERM, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    detach("a-daemon", {high, kept});
    MUST(is_open(kept) && is_open(high));
    MUST(!is_open(dropped));
    MUST(::getsid(0) == ::getpid());
    MUST(std::filesystem::current_path() == "/");
    MUST(::umask(0) == 022);
    MUST(tests::read_file("/proc/self/comm") == "a-daemon\n");
    for (const int stream : {0, 1, 2}) {
      MUST(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(stream)) == "/dev/null");
    }
    MUST(::signal(SIGTERM, SIG_DFL) == SIG_DFL);
    MUST(::signal(SIGPIPE, SIG_DFL) == SIG_IGN);
    sigset_t now;
    ::sigprocmask(SIG_SETMASK, nullptr, &now);
    MUST(sigismember(&now, SIGTERM) == 0);
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace genapp::common
