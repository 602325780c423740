#include "fettle/device/plan_contender.h"

#include "fettle/core/random.h"
#include "fettle/core/statistics.h"
#include "fettle/runtime/plan_file.h"

namespace fettle {
namespace {

constexpr int kStepRuns = 25;

Tensor RandomInput(const Plan& plan, int id, Random* random) {
  Tensor tensor(plan.tensors[static_cast<size_t>(id)].type);
  if (tensor.dtype() == DType::kF32) {
    for (float& value : tensor.values<float>()) value = static_cast<float>(random->Normal());
  }
  return tensor;
}

}  // namespace

PlanContender::PlanContender(Plan plan, int threads, const PrimitiveList& primitives,
                             uint64_t data_seed)
    : executor_(std::move(plan), primitives, HostTarget(threads)) {
  const Plan& made = executor_.plan();
  Random random(data_seed);
  for (const int id : made.inputs) inputs_.push_back(RandomInput(made, id, &random));
  for (const int id : made.outputs) {
    outputs_.emplace_back(made.tensors[static_cast<size_t>(id)].type);
  }
  for (const Tensor& input : inputs_) input_pointers_.push_back(&input);
  for (Tensor& output : outputs_) output_pointers_.push_back(&output);
}

std::vector<StepTiming> PlanContender::TimeSteps(Environment& environment) {
  const std::vector<PlanStep>& steps = executor_.plan().steps;
  std::vector<std::vector<double>> samples(steps.size());
  for (int run = 0; run < kStepRuns; ++run) {
    std::chrono::nanoseconds before = environment.Now();
    executor_.Run(input_pointers_, output_pointers_, [&](size_t step) {
      const std::chrono::nanoseconds now = environment.Now();
      samples[step].push_back(std::chrono::duration<double, std::milli>(now - before).count());
      before = environment.Now();
    });
  }
  std::vector<StepTiming> timings;
  for (size_t s = 0; s < steps.size(); ++s) {
    const double ms = samples[s].empty() ? 0 : Median(samples[s]);  // none: a constant's
    timings.push_back({steps[s].layer, steps[s].implementation.name, ms, std::move(samples[s])});
  }
  return timings;
}

std::unique_ptr<PlanContender> LoadContender(const std::string& folder, int threads,
                                             const PrimitiveList& primitives, uint64_t data_seed) {
  Plan plan = ReadPlan(folder);
  if (threads > 0) plan.threads = threads;
  const int used = plan.threads;
  return std::make_unique<PlanContender>(std::move(plan), used, primitives, data_seed);
}

}  // namespace fettle
