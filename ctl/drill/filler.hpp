#pragma once

// The run directory's file system made full.

#include <cstdint>
#include <string>

#include "common/directory.hpp"
#include "common/fd.hpp"

namespace genapp::ctl::drill {

struct Space {
  bool own = false;    // a file system of the run directory's own: nobody else's files are in it
  bool tmpfs = false;  // full and empty again within moments, without a journal or reserved blocks
  std::uint64_t free_bytes = 0;
};

// Why it must not be filled; empty when it may be. Pure.
std::string why_not_fill(const Space& space, const std::string& path);
inline constexpr std::uint64_t kMostFill = 64 * 1024 * 1024;  // it is memory

// Throws common::Error.
Space space_of(const common::Directory& run_dir);

// A file without a name that holds what was free. It goes with the object or the process, SIGKILL
// included: the kernel frees what nobody can open any more.
class Filler {
 public:
  // Throws common::Error.
  explicit Filler(const common::Directory& run_dir);
  std::uint64_t bytes() const { return bytes_; }

 private:
  common::Fd file_;
  std::uint64_t bytes_ = 0;
};

}  // namespace genapp::ctl::drill
