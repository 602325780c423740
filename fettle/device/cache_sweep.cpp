#include "fettle/device/cache_sweep.h"

#include <sched.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <thread>
#include <utility>

#include "fettle/device/caches.h"

namespace fettle {
namespace {

constexpr int64_t kMebi = 1 << 20;
constexpr int64_t kMostBytes = 256 * kMebi;
constexpr int64_t kUnknownCache = 32 * kMebi;

// Best effort: where it is refused the system still spreads the threads over idle processors.
void StayOn(int cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  if (cpu < CPU_SETSIZE) CPU_SET(static_cast<size_t>(cpu), &only);
  ::sched_setaffinity(0, sizeof only, &only);
}

void Overwrite(std::vector<uint8_t>* memory) {
  const auto value = static_cast<int>(memory->front() + 1);
  std::memset(memory->data(), value, memory->size());
}

}  // namespace

CacheSweep::CacheSweep(std::vector<int> cpus, size_t bytes_each)
    : cpus_(std::move(cpus)), bytes_each_(bytes_each) {
  assert(bytes_each_ > 0);
  if (cpus_.empty()) cpus_ = {0};
}

void CacheSweep::Run() {
  if (memory_.empty()) memory_.resize(cpus_.size(), std::vector<uint8_t>(bytes_each_));
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < cpus_.size(); ++i) {
    threads.emplace_back([this, i] {
      StayOn(cpus_[i]);
      Overwrite(&memory_[i]);
    });
  }
}

CacheSweep HostCacheSweep(Environment& environment) {
  std::vector<int> cpus = AllowedCpus(environment);
  if (cpus.empty()) cpus = {0};
  const auto count = static_cast<int64_t>(cpus.size());
  const std::vector<int64_t> caches = CachesOf(environment, cpus.front());
  const int64_t last = caches.empty() ? kUnknownCache : caches.back();
  const int64_t second = caches.size() >= 2 ? caches[1] : 0;
  const int64_t wanted = std::max({2 * last / count, 2 * second, kMebi});
  const int64_t bytes_each = std::max<int64_t>(std::min(wanted, kMostBytes / count), 1);
  return {std::move(cpus), static_cast<size_t>(bytes_each)};
}

}  // namespace fettle
