#pragma once

// The programs that answer probes: genapp's daemon, the limit, and the peers that are installed.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/node.hpp"
#include "bench/program.hpp"

namespace genapp::bench {

inline constexpr char kGenapp[] = "genapp";
inline constexpr char kLimit[] = "limit: C, epoll, polite close";

enum class Answer { tcp_reply, tcp_nothing, http };

struct Responder {
  std::string name;
  Program program;
};

// Those that can give this answer, all for the same port; genapp's first. `folder` is for their
// files and must outlive them.
std::vector<Responder> responders(Answer answer, std::uint16_t port, const Folder& folder,
                                  Node& node);

}  // namespace genapp::bench
