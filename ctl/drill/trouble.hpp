#pragma once

// The faults, made on the living resource. Each begins with the object and ends with it, apart from
// what only recover or put_back() can mend: a daemon that is dead or stopped.

#include <memory>
#include <string>

#include "ctl/drill/fault.hpp"
#include "ctl/drill/target.hpp"

namespace genapp::ctl::drill {

class Trouble {
 public:
  virtual ~Trouble() = default;
  // What was done, in words.
  virtual std::string made() const = 0;
  // To be called at least every few seconds until recover is called, the last time right before.
  // What it did, in words, when that is worth telling. Throws common::Error.
  virtual std::string keep_up() { return ""; }
  // To be called every now and then while recover runs: ends what must not last.
  virtual std::string limit() { return ""; }
};

// Why the fault is not to be made on this resource; empty when it may be. Throws common::Error.
std::string why_not(Fault fault, const Target& target);

// Signals go only to the process that was proved to hold the id's lock. Blocks for 5 s at most.
// Throws common::Error.
std::unique_ptr<Trouble> make_trouble(Fault fault, const Target& target);

}  // namespace genapp::ctl::drill
