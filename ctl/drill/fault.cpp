#include "ctl/drill/fault.hpp"

namespace genapp::ctl::drill {

const Row& row_of(Fault fault) {
  for (const Row& row : kFaults) {
    if (row.fault == fault) return row;
  }
  return kFaults[0];
}

std::optional<Fault> parse_fault(std::string_view name) {
  for (const Row& row : kFaults) {
    if (row.name == name) return row.fault;
  }
  return std::nullopt;
}

}  // namespace genapp::ctl::drill
