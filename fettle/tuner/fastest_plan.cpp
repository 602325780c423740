#include "fettle/tuner/fastest_plan.h"

#include <chrono>
#include <limits>
#include <utility>

#include "fettle/core/statistics.h"
#include "fettle/tuner/plan_folders.h"

namespace fettle {
namespace {

constexpr std::chrono::milliseconds kBudgetEach(600);

}  // namespace

Plan FastestOf(std::vector<Plan> plans, const PlansTimer& timer,
               const std::filesystem::path& folder) {
  if (plans.size() == 1) return std::move(plans.front());
  PlanFolders folders(folder / "fastest");
  PlansRequest request;
  for (const Plan& plan : plans) request.folders.push_back(folders.Add(plan));
  request.options.contender_budget = kBudgetEach;
  const PlansAnswer answer = timer(request);
  size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < plans.size(); ++i) {
    const std::vector<double>& samples = answer.plans[i].timing.measurement.samples_ms;
    if (samples.empty() || Median(samples) >= least) continue;
    least = Median(samples);
    best = i;
  }
  return std::move(plans[best]);
}

Plan WithBestThreads(Plan plan, const PlansTimer& timer, const std::filesystem::path& folder) {
  std::vector<Plan> plans;
  for (int threads = plan.threads; threads >= 1; threads /= 2) {
    plans.push_back(plan);
    plans.back().threads = threads;
  }
  return FastestOf(std::move(plans), timer, folder);
}

}  // namespace fettle
