#pragma once

// The one exception type that genapp throws on purpose. Its text is what the user reads on stderr:
// what failed, on which resource, path or port, and what to do. One line.

#include <stdexcept>
#include <string>

#include "common/exit_code.hpp"

namespace genapp::common {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text, ExitCode exit_code = ExitCode::failed,
                 int error_number = 0)
      : std::runtime_error(text), exit_code_(exit_code), error_number_(error_number) {}

  ExitCode exit_code() const { return exit_code_; }
  // The errno behind it; 0 when there is none.
  int error_number() const { return error_number_; }

 private:
  ExitCode exit_code_;
  int error_number_;
};

// The kernel's words for an errno value, without locale: "No space left on device".
std::string errno_text(int error);

// "WHAT: No such file or directory" as an Error with exit code 1.
Error system_error(const std::string& what, int error);

}  // namespace genapp::common
