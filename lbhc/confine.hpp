#pragma once

// What the daemon gives up once it has its port, its log and its control socket, and before it
// answers anybody: root, new privileges, the system calls that it does not need, and all files but
// those of the run directory and its log. docs/security.md says what each is good for.

#include <string>

#include "common/directory.hpp"
#include "common/pid_file.hpp"

namespace genapp::lbhc {

struct Confinement {
  std::string user;      // `user` of genapp.toml; empty: genapp, where root has made one
  std::string log_file;  // empty: syslog
};

// For the calling process, for good. Says what is in force: "user genapp, seccomp, landlock". What
// the kernel does not offer is left out; so is the change of user where it can't be done and
// genapp.toml does not ask for it, with a warning in the log. Throws common::Error when it asks for
// what can't be done.
std::string confine(const Confinement& wanted, const common::Directory& run_dir,
                    const common::PidFile& pid_file);

}  // namespace genapp::lbhc
