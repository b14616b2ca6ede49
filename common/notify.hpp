#pragma once

#include <string_view>

namespace genapp::common {

enum class NotifyWait { briefly, none };

// Tells systemd (sd_notify(3)): "READY=1", "STOPPING=1", "STATUS=…", a line each. Does nothing
// without NOTIFY_SOCKET. A systemd that reads nothing is waited for, for a second at most, or not
// at all; then it is not told. Ten lines here, since libsystemd costs 0.8 ms of start-up.
void notify_systemd(std::string_view lines, NotifyWait wait = NotifyWait::briefly);

}  // namespace genapp::common
