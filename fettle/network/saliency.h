#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"

namespace fettle {

enum class WeightNorm : uint8_t { kL1, kL2 };

struct MagnitudeOptions {
  WeightNorm norm = WeightNorm::kL2;
  // Weights as they count after the batch norm is folded in: those of a filter whose output only a
  // batch norm reads are multiplied by |scale| / sqrt(variance + epsilon).
  bool folds_batch_norm = true;
};

// How much the network is expected to lose with each unit of the group: the norm of the weights
// that compute its channels, over all coupled producers together (Li et al. 2017, summed over the
// group as in Fang et al. 2023): sum of |w|, or the root of the sum of w^2. Biases do not count.
// Comparable within a group, not between groups. A group without producers has zeros. Throws an
// Error for weights that are not f32, f64 or bf16.
std::vector<double> MagnitudeSaliency(const Graph& graph, const ChannelGroup& group,
                                      const MagnitudeOptions& options = {});

// The units with the greatest saliency, ascending; equals are kept in order. Asserts
// 0 <= count <= saliency.size(). NaN counts as the least.
std::vector<int64_t> MostSalient(std::span<const double> saliency, int64_t count);

}  // namespace fettle
