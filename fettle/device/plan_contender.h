#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/device/contender.h"
#include "fettle/device/environment.h"
#include "fettle/device/plan_protocol.h"
#include "fettle/runtime/executor.h"

namespace fettle {

// A plan with inputs of its own, ready to run again and again.
class PlanContender : public Contender {
 public:
  // The inputs are made from `data_seed`. Throws as Executor does.
  PlanContender(Plan plan, int threads, const PrimitiveList& primitives, uint64_t data_seed);

  void Run() override { executor_.Run(input_pointers_, output_pointers_); }

  const Executor& executor() const { return executor_; }

  // The median time of each step. Reading the clock between steps costs some tens of nanoseconds
  // each, which is why the network's time is measured apart.
  std::vector<StepTiming> TimeSteps(Environment& environment);

 private:
  Executor executor_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<const Tensor*> input_pointers_;
  std::vector<Tensor*> output_pointers_;
};

// Of a folder with a plan.json; 0 threads are the plan's own.
std::unique_ptr<PlanContender> LoadContender(const std::string& folder, int threads,
                                             const PrimitiveList& primitives, uint64_t data_seed);

}  // namespace fettle
