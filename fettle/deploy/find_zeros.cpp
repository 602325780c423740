#include <algorithm>
#include <cmath>
#include <span>

#include "fettle/deploy/lowering_passes.h"

namespace fettle {
namespace {

constexpr double kMostDensity = 0.5;
constexpr double kStep = 0.01;

// The most neighbouring rows, among the numbers that kernels are made for, that are zero in the
// same places throughout.
int64_t BlockOf(std::span<const float> weights, int64_t rows) {
  const size_t length = weights.size() / static_cast<size_t>(rows);
  const auto share = [&](size_t block) {
    for (size_t i = 0; i < weights.size(); ++i) {
      const size_t first = i / length / block * block;  // of the row's block
      if ((weights[i] != 0) != (weights[first * length + i % length] != 0)) return false;
    }
    return true;
  };
  for (const int64_t block : {16, 8, 4, 2}) {
    if (block <= rows && share(static_cast<size_t>(block))) return block;
  }
  return 1;
}

}  // namespace

void FindZeros(LayerGraph* graph) {
  for (Layer& layer : graph->layers) {
    const auto* conv = std::get_if<Conv>(&layer.spec.op);
    if (conv == nullptr || conv->groups != 1 || layer.weights.empty()) continue;
    const Tensor& weights = *layer.weights[0];
    if (weights.dtype() != DType::kF32 || weights.num_elements() == 0) continue;
    const std::span<const float> values = weights.values<float>();
    const auto zeros = static_cast<double>(std::ranges::count(values, 0.0f));
    const double density = 1 - zeros / static_cast<double>(values.size());
    if (density > kMostDensity) continue;
    layer.spec.density = std::max(1.0, std::round(density / kStep)) / std::round(1 / kStep);
    layer.spec.sparse_block = BlockOf(values, weights.shape()[0]);
  }
}

}  // namespace fettle
