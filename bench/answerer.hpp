#pragma once

// A server of the bench's own, in a thread: answers monitors, well or badly, and notes when their
// requests came. Linux.

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace genapp::bench {

class Answerer {
 public:
  enum class Manner {
    http,       // 200 at once
    smtp,       // 220, and 250 to whatever comes until QUIT
    silent,     // accepts, and that is all
    drip_http,  // a byte every 100 ms, without end
    drip_smtp,
  };
  using Clock = std::chrono::steady_clock;

  // Listens on 127.0.0.1. Throws std::runtime_error.
  Answerer(std::uint16_t port, Manner manner);
  ~Answerer();
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  // When the requests for "/N" were read, by N, since the last call. http only.
  std::map<int, std::vector<Clock::time_point>> take_arrivals();

 private:
  void serve(std::stop_token stop);
  void accept_all();
  void on_readable(int connection);
  // What is answered; also notes a request. `over`: nothing follows.
  std::string answer(int connection, const std::string& bytes, bool& over);
  void drip();
  void close_connection(int connection);

  Manner manner_;
  int listener_ = -1;
  int epoll_ = -1;
  std::map<int, std::string> connections_{};  // a descriptor, and what came of its request
  std::mutex mutex_{};
  std::map<int, std::vector<Clock::time_point>> arrivals_{};
  std::jthread thread_{};  // last: the others outlive it
};

}  // namespace genapp::bench
