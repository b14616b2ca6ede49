#pragma once

// The agent's status page and what it is made of, over HTTP/1.1. Read-only: GET and HEAD, and no
// request changes anything.
//
//   /            the page, /page.css, /page.js
//   /api/status  JSON (agent/status_json.hpp); with ?past=1, with stays and probes
//   /api/events  a JSON array of notices (agent/notice_log.hpp), after number ?after=N
//   /events      Server-Sent Events: "status" (StatusFeed::Part), "notice" (its number and time are
//                the event's id) and, when there was neither for a while, "alive"
//   /metrics     Prometheus's text

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/status_json.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::agent {

// What is shown. Called from the event loop; must not block.
struct PageData {
  std::function<std::string(Past)> status;
  std::function<std::string()> metrics;
  // Goes up with everything that `status` would show otherwise.
  std::function<std::uint64_t()> version;
  // What is new in the status since `read` (StatusFeed::after()).
  std::function<StatusFeed::Part(std::uint64_t read)> news;
  struct Told {
    std::uint64_t number = 0;
    std::string time;  // of it; a number is given anew after a boot
    std::string json;
  };
  // At most `most` notices beyond a number, oldest first.
  std::function<std::vector<Told>(std::uint64_t number, std::size_t most)> notices;
  std::function<std::uint64_t()> last_notice;  // its number; 0: none
};

class PageServer {
 public:
  struct Limits {
    std::size_t connections = 64;  // more wait in the backlog
    std::size_t streams = 48;      // of them; the rest is for answers that end
    std::chrono::milliseconds request = std::chrono::seconds(10);  // to send one
    // To take an answer, or a stream's batch: what a slow reader has not taken is never more than
    // one batch of status (StatusFeed's most_bytes) and notices, and then it is cut off.
    std::chrono::milliseconds taking = std::chrono::seconds(30);
    // Bytes of answers that wait to be taken, of all connections; one alone may have more.
    std::size_t held = 64 * 1024 * 1024;
    std::chrono::milliseconds news = std::chrono::milliseconds(250);  // at most so often
    std::chrono::milliseconds alive = std::chrono::seconds(15);
  };

  // `address` as parse_page_address() takes it. Throws common::Error naming it when it can't be
  // had. May go while the event loop goes on.
  PageServer(boost::asio::io_context& io, const std::string& address, PageData data);
  PageServer(boost::asio::io_context& io, const std::string& address, PageData data,
             const Limits& limits);
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  std::uint16_t port() const;
  // Accepts no more and closes what is open.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::agent
