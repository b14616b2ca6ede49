#pragma once

// What a process that goes on in the background does first, after its fork.

#include <initializer_list>

namespace genapp::common {

// Makes the calling process a session leader in /, named `name` (15 letters at most), with umask
// 022, /dev/null as its standard streams, every signal at its default and none blocked, but SIGPIPE
// ignored; of the caller's descriptors only `keep` stay open: a cluster manager's pipes must not be
// held for a daemon's life. Throws Error.
void detach(const char* name, std::initializer_list<int> keep);

}  // namespace genapp::common
