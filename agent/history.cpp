#include "agent/history.hpp"

namespace genapp::agent {
namespace {

constexpr std::size_t kMostStays = 64;
constexpr std::size_t kMostProbes = 64;

template <typename T>
void add(std::vector<T>& to, const T& one, std::size_t most) {
  if (to.size() >= most) to.erase(to.begin(), to.begin() + static_cast<long>(most / 4));
  to.push_back(one);
}

}  // namespace

void History::enter(Clock::time_point now, State state, bool faulted) {
  if (!stays_.empty() && stays_.back().state == state && stays_.back().faulted == faulted) return;
  add(stays_, {now, state, faulted}, kMostStays);
}

void History::probed(const Probe& probe) { add(probes_, probe, kMostProbes); }

}  // namespace genapp::agent
