#include "remote/keeper/output_ring.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

namespace genapp::remote::keeper {
namespace {

char* map_memory(std::size_t size) {
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<char*>(memory);
}

}  // namespace

OutputRing::OutputRing(std::size_t most) : most_(most), bytes_(map_memory(most)) {}

OutputRing::~OutputRing() { ::munmap(bytes_, most_); }

std::array<iovec, 2> OutputRing::space(std::size_t most) {
  const std::size_t count = std::min(most, room());
  const std::size_t at = (begin_ + size_) % most_;
  const std::size_t first = std::min(count, most_ - at);
  return {iovec{bytes_ + at, first}, iovec{bytes_, count - first}};
}

void OutputRing::put(std::size_t count) {
  const std::size_t after = begin_ + size_ + count;
  filled_ = std::max(filled_, std::min(after, most_));
  size_ += count;
}

std::string_view OutputRing::from(std::uint64_t offset, std::size_t most) const {
  if (offset >= end()) return {};
  const auto skipped = static_cast<std::size_t>(offset - kept_);
  const std::size_t at = (begin_ + skipped) % most_;
  return {bytes_ + at, std::min({most, size_ - skipped, most_ - at})};
}

void OutputRing::forget_to(std::uint64_t offset) {
  if (offset <= kept_) return;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(offset - kept_, size_));
  kept_ += count;
  size_ -= count;
  begin_ = (begin_ + count) % most_;
  if (size_ == 0) give_back();
}

void OutputRing::give_back() {
  begin_ = 0;
  ::madvise(bytes_, std::exchange(filled_, 0), MADV_DONTNEED);
}

}  // namespace genapp::remote::keeper
