#pragma once

#include <cstdint>
#include <functional>

namespace fettle {

// Calls work(0) ... work(shards - 1), by up to `threads` threads at once, each with ThreadScope(1)
// in force; a thread that is free takes the next shard. The first exception by number of shard is
// thrown again at the end.
void ForEachShard(int64_t shards, int threads, const std::function<void(int64_t shard)>& work);

}  // namespace fettle
