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
  const uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t last = (begin + bytes) / kHugePage * kHugePage;
  // It is advice: where it is not taken (no huge pages built in), pages are as they were.
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

#else

void AdviseHugePages(void*, size_t) {}

#endif

}  // namespace fettle
