#include "fettle/tuner/fastest_plan.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "fettle/core/statistics.h"
#include "fettle/tuner/plan_folders.h"

namespace fettle {
namespace {

constexpr std::chrono::milliseconds kBudgetEach(600);

}  // namespace

FastestPlan FastestOf(std::vector<Plan> plans, const PlansTimer& timer,
                      const std::filesystem::path& folder) {
  if (plans.size() == 1) return {std::move(plans.front()), 1};
  PlanFolders folders(folder / "fastest");
  PlansRequest request;
  for (const Plan& plan : plans) request.folders.push_back(folders.Add(plan));
  request.options.contender_budget = kBudgetEach;
  const PlansAnswer answer = timer(request);
  const auto median = [&](size_t i) {  // infinite where there is none
    const std::vector<double>& samples = answer.plans[i].timing.measurement.samples_ms;
    return samples.empty() ? std::numeric_limits<double>::infinity() : Median(samples);
  };
  size_t best = 0;
  for (size_t i = 1; i < plans.size(); ++i) {
    if (median(i) < median(best)) best = i;
  }
  const double gain = median(0) / median(best);
  return {std::move(plans[best]), std::isfinite(gain) ? gain : 1};
}

FastestPlan WithBestThreads(const Plan& plan, const PlansTimer& timer,
                            const std::filesystem::path& folder) {
  std::vector<Plan> plans;
  for (int threads = plan.threads; threads >= 1; threads /= 2) {
    plans.push_back(plan);
    plans.back().threads = threads;
  }
  return FastestOf(std::move(plans), timer, folder);
}

}  // namespace fettle
