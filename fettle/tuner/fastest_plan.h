#pragma once

#include <filesystem>
#include <vector>

#include "fettle/runtime/plan.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {

struct FastestPlan {
  Plan plan;
  double gain = 1;  // the first one's time over its own, where both could be timed
};

// The fastest of the plans, timed in turns, each with its own number of threads; the first where
// none can be timed. They are written below `folder`, and removed again.
FastestPlan FastestOf(std::vector<Plan> plans, const PlansTimer& timer,
                      const std::filesystem::path& folder);

// The same plan with whatever is fastest of its threads, half as many, and so on down to one: a
// small network's layers are sooner done by one thread than two are woken.
FastestPlan WithBestThreads(const Plan& plan, const PlansTimer& timer,
                            const std::filesystem::path& folder);

}  // namespace fettle
