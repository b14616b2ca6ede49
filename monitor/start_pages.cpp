#include "monitor/start_pages.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace genapp::monitor {
namespace {

// Only segments that were never writable: the others hold what the linker has written, even where
// they can't be written any more.
int drop_constant_segments(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<ElfW(Addr)>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W)) continue;
    // Whole pages: one that the segment shares with a writable neighbour is mapped there once more.
    const ElfW(Addr) begin = (object->dlpi_addr + segment.p_vaddr + page - 1) & ~(page - 1);
    const ElfW(Addr) end = (object->dlpi_addr + segment.p_vaddr + segment.p_filesz) & ~(page - 1);
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void drop_start_pages() { ::dl_iterate_phdr(&drop_constant_segments, nullptr); }

}  // namespace genapp::monitor
