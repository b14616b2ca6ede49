#include "common/error.hpp"

#include <string.h>

namespace genapp::common {

std::string errno_text(int error) {
  const char* text = strerrordesc_np(error);
  return text ? text : "error " + std::to_string(error);
}

Error system_error(const std::string& what, int error) {
  return Error(what + ": " + errno_text(error), ExitCode::failed, error);
}

}  // namespace genapp::common
