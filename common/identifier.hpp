#pragma once

// Tags and ids. Run-time files are named by the id, so the rule below is what keeps a name inside
// its folder and from looking like an option.

#include <string>
#include <string_view>

namespace genapp::common {

// [A-Za-z0-9_][A-Za-z0-9_.:@-]{0,63}
bool is_identifier(std::string_view text);

// Tag and id are different types so that one can't be passed for the other.
class Tag {
 public:
  // Throws Error (exit code 64) that names the rule.
  explicit Tag(std::string_view text);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Id {
 public:
  // Throws Error (exit code 64) that names the rule.
  explicit Id(std::string_view text);
  const std::string& text() const { return text_; }
  friend bool operator==(const Id&, const Id&) = default;

 private:
  std::string text_;
};

}  // namespace genapp::common
