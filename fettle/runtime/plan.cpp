#include "fettle/runtime/plan.h"

#include <set>

namespace fettle {

int64_t StoredWeightBytes(const Plan& plan) {
  std::set<const Tensor*> stored;
  for (const PlanTensor& tensor : plan.tensors) {
    if (tensor.constant) stored.insert(tensor.constant.get());
  }
  for (const PlanStep& step : plan.steps) {
    for (const auto& weight : step.weights) stored.insert(weight.get());
  }
  int64_t bytes = 0;
  for (const Tensor* tensor : stored) bytes += static_cast<int64_t>(tensor->num_bytes());
  return bytes;
}

}  // namespace fettle
