#include "fettle/training/trainer/shard_threads.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

#include "fettle/primitives/threads.h"

namespace fettle {

void ForEachShard(int64_t shards, int threads, const std::function<void(int64_t shard)>& work) {
  std::vector<std::exception_ptr> faults(static_cast<size_t>(shards));
  const int64_t stride = std::min<int64_t>(threads, shards);
  const auto work_through = [&](int64_t first) {
    const ThreadScope one_thread(1);
    for (int64_t shard = first; shard < shards; shard += stride) {
      try {
        work(shard);
      } catch (...) {
        faults[static_cast<size_t>(shard)] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (int64_t first = 1; first < stride; ++first) others.emplace_back(work_through, first);
    work_through(0);
  }
  for (const std::exception_ptr& fault : faults) {
    if (fault) std::rethrow_exception(fault);
  }
}

}  // namespace fettle
