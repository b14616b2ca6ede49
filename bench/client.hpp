#pragma once

// A load of probes from one thread, for measuring responders. Loopback, IPv4.

#include <cstdint>
#include <string>
#include <vector>

namespace genapp::bench {

struct Load {
  int clients = 1;      // at once, each with one connection after the other
  int probes = 20'000;  // in all
  // No probe is begun after so long: some peers answer a few a second only.
  double most_seconds = 5;
  // Sent once connected. With `reads_reply`, a probe is answered when bytes have come and the
  // responder has ended the connection; without, when it is connected, and the client closes.
  std::string request{};
  bool reads_reply = true;
};

struct LoadResult {
  double seconds = 0;
  std::vector<double> latencies_us{};  // of those that were answered, from connect()
  int lost = 0;                        // refused, reset, without an answer, or longer than 2 s
};

// Blocks until every probe that was begun has ended. Throws std::runtime_error.
LoadResult run_load(std::uint16_t port, const Load& load);

// Waits until somebody listens, 5 s at most; throws std::runtime_error after that.
void wait_for_listener(std::uint16_t port);

}  // namespace genapp::bench
