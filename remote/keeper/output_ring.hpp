#pragma once

// The last bytes of one of a command's streams: those that no manager has confirmed. Pure, but for
// the memory: address space is taken once, pages as they are filled, and all of them are given back
// when it is empty, since a thousand keepers are idle most of the time.

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace genapp::remote::keeper {

class OutputRing {
 public:
  // Keeps `most` bytes. Throws std::bad_alloc.
  explicit OutputRing(std::size_t most);
  ~OutputRing();
  OutputRing(const OutputRing&) = delete;
  OutputRing& operator=(const OutputRing&) = delete;

  // Offsets from the stream's start: of the first byte that is kept, and after the last.
  std::uint64_t kept() const { return kept_; }
  std::uint64_t end() const { return kept_ + size_; }
  std::size_t size() const { return size_; }
  std::size_t room() const { return most_ - size_; }

  // Where the next bytes, `most` of them and no more than room(), are to be put before put() is
  // told how many there are: for readv(2). The second may be empty.
  std::array<iovec, 2> space(std::size_t most);
  void put(std::size_t count);
  // What is kept from `offset` on, `most` bytes at most; fewer where the ring's end comes. Empty
  // when there is nothing from there on. `offset` is not below kept(). Valid until the next call of
  // a function that is not const.
  std::string_view from(std::uint64_t offset, std::size_t most) const;
  // Forgets what is before `offset`; that is not there is passed over.
  void forget_to(std::uint64_t offset);

 private:
  void give_back();

  const std::size_t most_;
  char* const bytes_;
  std::size_t begin_ = 0;   // in bytes_, of the first that is kept
  std::size_t filled_ = 0;  // the pages before this have been touched
  std::size_t size_ = 0;
  std::uint64_t kept_ = 0;
};

}  // namespace genapp::remote::keeper
