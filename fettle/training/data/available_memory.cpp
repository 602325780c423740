#include "fettle/training/data/available_memory.h"

#include <fstream>
#include <limits>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// What Linux says; without bound where nothing does.
int64_t AvailableBytes() {
  std::ifstream in("/proc/meminfo");
  int64_t kib = 0;
  for (std::string word; in >> word;) {
    if (word == "MemAvailable:" && in >> kib) return kib * 1024;
  }
  return std::numeric_limits<int64_t>::max();
}

}  // namespace

void RequireMemory(int64_t bytes, const std::string& data) {
  const int64_t available = AvailableBytes();
  if (bytes <= available / 2) return;
  throw BadInput(data, ": its images take ", bytes >> 20, " MiB, more than half of the ",
                 available >> 20, " MiB of memory that are left; take fewer with option limit");
}

}  // namespace fettle
