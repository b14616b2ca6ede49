#include "tests/stress/prober.hpp"

#include <stdexcept>
#include <string>

#include "tests/support/net.hpp"

namespace genapp::tests {
namespace {

Attempt::Answer judge(const Client::Received& received) {
  const std::string whole = "OK";
  if (received.bytes == whole && received.ended) return Attempt::Answer::whole;
  if (!whole.starts_with(received.bytes)) return Attempt::Answer::wrong;
  if (received.ended || received.reset) return Attempt::Answer::cut;
  // A reply without its end is not a probe that nobody has seen.
  return received.bytes.empty() ? Attempt::Answer::silent : Attempt::Answer::wrong;
}

}  // namespace

Attempt probe_once(std::uint16_t port, const std::function<Time()>& now) {
  Attempt attempt;
  attempt.begin = now();
  try {
    Client client("127.0.0.1", port);
    attempt.answer = judge(client.receive(std::chrono::seconds(5)));
  } catch (const std::runtime_error&) {
    attempt.answer = Attempt::Answer::refused;
  }
  attempt.end = now();
  return attempt;
}

Prober::Prober(std::uint16_t port, Time pause, std::function<Time()> now)
    : now_(std::move(now)), thread_([this, port, pause] { run(port, pause); }) {}

Prober::~Prober() { stop(); }

std::vector<Attempt> Prober::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return std::move(attempts_);
}

void Prober::run(std::uint16_t port, Time pause) {
  while (!stopping_) {
    attempts_.push_back(probe_once(port, now_));
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace genapp::tests
