#include "fettle/device/warm_up.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "fettle/core/statistics.h"

namespace fettle {
namespace {

constexpr size_t kSettlingBatches = 5;
constexpr int kMostRuns = 1 << 24;
constexpr double kMostGrowth = 100;  // from one batch to the next, the first being all overhead

std::chrono::nanoseconds ShortestBatch(Environment& environment, const Stopwatch& stopwatch,
                                       const TimingOptions& options) {
  const std::chrono::nanoseconds ticks = environment.Tick() * options.min_ticks;
  // A cold run stands alone; more of them make no batch.
  return stopwatch.is_cold() ? ticks : std::max(ticks, options.min_batch);
}

bool HasSettled(std::span<const double> batches, double relative_width) {
  if (batches.size() < 2 * kSettlingBatches) return false;
  const double now = Median(batches.last(kSettlingBatches));
  const double before = Median(batches.last(2 * kSettlingBatches).first(kSettlingBatches));
  return std::abs(now - before) <= relative_width * before;
}

}  // namespace

int RunsOfBatch(Environment& environment, const Stopwatch& stopwatch, const TimingOptions& options,
                const Batch& last) {
  const auto wanted =
      1.2 * static_cast<double>(ShortestBatch(environment, stopwatch, options).count());
  const auto took = static_cast<double>(std::max<int64_t>(last.wall.count(), 1));
  const double growth = std::min(wanted / took, kMostGrowth);
  return std::clamp(static_cast<int>(std::ceil(last.runs * growth)), 1, kMostRuns);
}

bool IsLongEnough(Environment& environment, const Stopwatch& stopwatch,
                  const TimingOptions& options, const Batch& batch) {
  return batch.runs == kMostRuns || batch.wall >= ShortestBatch(environment, stopwatch, options);
}

int WarmUp(Environment& environment, Stopwatch& stopwatch, const TimingOptions& options,
           Contender& contender) {
  const auto deadline = environment.Now() + options.warm_up_budget;
  std::vector<double> batches;
  int runs = 1;
  do {
    const Batch batch = stopwatch.Time(contender, runs);
    if (IsLongEnough(environment, stopwatch, options, batch)) {
      batches.push_back(batch.MsPerRun());
    } else {
      runs = std::max(runs + 1, RunsOfBatch(environment, stopwatch, options, batch));
    }
  } while (environment.Now() < deadline && !HasSettled(batches, options.relative_width));
  return runs;
}

}  // namespace fettle
