#pragma once

// CONFIG_DIR/ca/issued: a line for each certificate that the authority has signed,
// "2026-11-25T08:15:02Z 3F2A… host host1 2029-02-27T08:15:02Z node1 3f2a9c01": when, serial, kind,
// name, until, and by which authority. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace genapp::remote::keys {

struct Issued {
  std::string when;
  std::string serial;
  std::string kind;  // "host", "guest"
  std::string name;
  std::string until;
  std::string authority;  // its common name
  bool operator==(const Issued&) const = default;
};

std::string format_issued(const Issued& record);
// Lines that are no records are passed over: a crash may have cut one.
std::vector<Issued> parse_issued(std::string_view text);

// The newest of each kind and name that is still valid at `now` (in the file's form) and of another
// authority than `authority`: what nobody accepts any more once the others are gone.
std::vector<Issued> left_behind(const std::vector<Issued>& records, const std::string& authority,
                                const std::string& now);

}  // namespace genapp::remote::keys
