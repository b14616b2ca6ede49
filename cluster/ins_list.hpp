#pragma once

// What LifeKeeper's ins_list prints about a resource. Pure. The format is from SIOS's documentation
// and public scripts; what none of them says is marked (inferred).

#include <string>
#include <string_view>

#include "common/identifier.hpp"
#include "common/state.hpp"

namespace genapp::cluster {

struct InsListRecord {
  std::string id;    // as it stands there; may be empty
  std::string info;  // a free string
  common::State state = common::State::out_unimpaired;
};

// The one record in what `ins_list -t TAG` printed: a line whose fields are separated by byte 1;
// 0 system, 1 application, 2 type, 3 tag, 4 id (inferred), 5 info, 6 state; what follows is passed
// over. Throws common::Error, one line that begins with what was printed, when there is no record
// or more than one, it is another tag's, has too few fields or no state of LifeKeeper's.
InsListRecord parse_ins_list(const common::Tag& tag, std::string_view printed);

// What an exit code other than 0 means, and what to do: "7 (no such object): …".
std::string ins_list_exit_text(const common::Tag& tag, int exit_code);

}  // namespace genapp::cluster
