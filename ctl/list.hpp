#pragma once

// The resources as text. Pure.

#include <string>
#include <vector>

#include "cluster/registry.hpp"

namespace genapp::ctl {

using Entries = std::vector<cluster::Registry::Entry>;

// TAG, ID, TYPE and INFO; those of a resource that can't be read are unknown but for its tag.
std::string list_table(const Entries& entries);

// One line, with its line feed:
//   {"version":1,"resources":[{"tag":"lb","id":"app1","type":"lbhc","info":"54321 OK",
//                              "error":null}]}
// By tag. A resource that can't be read has its tag and the error, the others null.
std::string list_json(const Entries& entries);

// A line for every resource that can't be read.
std::string list_problems(const Entries& entries);

}  // namespace genapp::ctl
