#pragma once

#include <chrono>
#include <functional>

namespace genapp::tests {

// Looks every 5 ms until `condition` holds; false when it does not within `limit`. The limit only
// bounds a failing test: nothing may be asserted from how long it took.
bool wait_until(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(20));

}  // namespace genapp::tests
