#pragma once

// Writes a stream of the command's output to one of our own descriptors, which somebody else may
// never read: in a thread of its own, which may stand in write(2) for ever and is then left there.
// The descriptor's flags stay as they are, since others share them.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace genapp::remote {

class OutputWriter {
 public:
  // `progress` is called in the writer's thread after every write, and not any more once the object
  // is gone. The thread begins with the first piece.
  OutputWriter(int fd, std::function<void()> progress);
  ~OutputWriter();
  OutputWriter(const OutputWriter&) = delete;
  OutputWriter& operator=(const OutputWriter&) = delete;

  // `bytes` begin at `offset` of the stream. Does not block. Throws Error when no thread can be
  // made.
  void put(std::uint64_t offset, std::string bytes);

  struct State {
    std::uint64_t written = 0;    // all before it is written, or thrown away; 0: nothing yet
    std::size_t waiting = 0;      // bytes
    std::uint64_t discarded = 0;  // bytes that could not be written
    int error = 0;                // of the last write that failed; 0: none has
  };
  State state() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  int fd_;
};

// A line of ours, with its line feed, on a descriptor that others may have filled. Waits `limit`
// for room at most; then it is lost.
void put_last_line(int fd, const std::string& line, int limit_ms);

}  // namespace genapp::remote
