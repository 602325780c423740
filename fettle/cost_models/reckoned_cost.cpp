#include "fettle/cost_models/reckoned_cost.h"

#include <algorithm>

namespace fettle {
namespace {

// Of one core of a machine of some years ago; only their ratios matter here.
constexpr double kBytesPerMs = 2.5e7;  // from the caches and beyond
constexpr double kMsOfACall = 1e-3;    // what a layer takes that does nothing

double MacsPerMs(const Target& target) {
  if (target.has_avx512_bf16) return 1.1e8;
  if (target.has_avx512) return 5.5e7;
  return target.has_avx2 ? 3e7 : 4e6;
}

// The share of the arithmetic peak that a good kernel reaches, in multiplications of the plain
// definition: above 1 where Winograd saves some (docs/primitives.md; the design's measurements).
double EfficiencyOf(const LayerSpec& spec) {
  if (std::holds_alternative<InvertedResidual>(spec.op)) return 0.5;
  const auto* conv = std::get_if<Conv>(&spec.op);
  if (conv == nullptr) return 0.3;
  const Window& window = conv->window;
  const int64_t channels = spec.inputs[0].shape[1] / conv->groups;
  if (channels == 1) return 0.12;
  if (channels < 4) return 0.15;
  if (channels < 8) return 0.35;
  const bool is_3x3 = window.kernel == std::vector<int64_t>{3, 3};
  const bool is_plain = window.strides == std::vector<int64_t>{1, 1} &&
                        window.dilations == std::vector<int64_t>{1, 1};
  if (is_3x3 && is_plain && channels >= 16 && conv->groups == 1) return 1.7;
  return channels < 16 ? 0.6 : 0.8;
}

double BytesOf(const LayerSpec& spec, const Target& target) {
  double elements = static_cast<double>(ElementCount(spec.output));
  for (const TensorType& type : spec.inputs) elements += static_cast<double>(ElementCount(type));
  for (const TensorType& type : spec.weights) elements += static_cast<double>(ElementCount(type));
  return elements * (target.has_avx512_bf16 ? 2 : 4);
}

}  // namespace

double ReckonedMs(const LayerSpec& spec, const Target& target) {
  const double threads = target.threads;
  const double arithmetic =
      static_cast<double>(MacsOf(spec)) / (EfficiencyOf(spec) * MacsPerMs(target) * threads);
  return kMsOfACall + std::max(arithmetic, BytesOf(spec, target) / (kBytesPerMs * threads));
}

double ReckonedMs(const LayerGraph& graph, const Target& target) {
  double ms = 0;
  for (const Layer& layer : graph.layers) ms += ReckonedMs(layer.spec, target);
  return ms;
}

}  // namespace fettle
