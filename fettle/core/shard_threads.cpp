#include "fettle/core/shard_threads.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "fettle/core/threads.h"

namespace fettle {

void ForEachShard(int64_t shards, int threads, const std::function<void(int64_t shard)>& work) {
  std::vector<std::exception_ptr> faults(static_cast<size_t>(shards));
  std::atomic<int64_t> next{0};
  const auto work_through = [&] {
    const ThreadScope one_thread(1);
    for (int64_t shard = next++; shard < shards; shard = next++) {
      try {
        work(shard);
      } catch (...) {
        faults[static_cast<size_t>(shard)] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (int64_t i = 1; i < std::min<int64_t>(threads, shards); ++i) {
      others.emplace_back(work_through);
    }
    work_through();
  }
  for (const std::exception_ptr& fault : faults) {
    if (fault) std::rethrow_exception(fault);
  }
}

}  // namespace fettle
