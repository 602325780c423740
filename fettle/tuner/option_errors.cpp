#include "fettle/tuner/option_errors.h"

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include "fettle/core/shard_threads.h"
#include "fettle/network/variants/variant_list.h"

namespace fettle {

void FillErrors(const Graph& graph, int threads, const std::function<void(size_t done)>& progress,
                std::vector<NetworkDecision>* decisions) {
  std::vector<std::pair<const std::string*, NetworkOption*>> options;  // with their layers
  for (NetworkDecision& decision : *decisions) {
    for (NetworkOption& option : decision.options) options.emplace_back(&decision.layer, &option);
  }
  std::mutex mutex;
  size_t done = 0;
  std::atomic<bool> has_failed{false};
  ForEachShard(static_cast<int64_t>(options.size()), threads, [&](int64_t i) {
    if (has_failed) return;
    const auto& [layer, option] = options[static_cast<size_t>(i)];
    try {
      if (!option->error) {
        option->error = ParseVariant(option->variant)->WeightError(graph, *layer);
      }
      const std::scoped_lock lock(mutex);
      ++done;
      if (progress) progress(done);
    } catch (...) {
      has_failed = true;
      throw;
    }
  });
}

}  // namespace fettle
