#pragma once

#include <string_view>

namespace genapp::common {

// Tells systemd (sd_notify(3)): "READY=1", "STOPPING=1", "STATUS=…", a line each. Does nothing
// without NOTIFY_SOCKET. Ten lines here, since libsystemd costs 0.8 ms of start-up.
void notify_systemd(std::string_view lines);

}  // namespace genapp::common
