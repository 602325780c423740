#include "fettle/core/huge_pages.h"

#if defined(__linux__)
#include <sys/mman.h>

#include <cstdint>
#endif

namespace fettle {

#if defined(__linux__) && defined(MADV_HUGEPAGE)

void AdviseHugePages(void* data, size_t bytes) {
  constexpr uintptr_t kHugePage = 2 << 20, kFewestBytes = 2 * kHugePage;
  if (bytes < kFewestBytes) return;
  const auto begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t before = (kHugePage - begin % kHugePage) % kHugePage;
  const uintptr_t behind = (begin + bytes) % kHugePage;
  // It is advice: where it is not taken (no huge pages built in), pages are as they were.
  if (before + behind < bytes) {
    madvise(static_cast<std::byte*>(data) + before, bytes - before - behind, MADV_HUGEPAGE);
  }
}

#else

void AdviseHugePages(void*, size_t) {}

#endif

}  // namespace fettle
