#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fettle/primitives/primitive.h"

namespace fettle {

// An element-wise expression over operands broadcast as in NumPy, from left to right:
//   ((a op0 b) op1 c) ...
// computed in f32 in one pass, with the layer's epilogue. Binary and sum are such, and
// channel_affine where scale or shift are computed.
struct BroadcastExpression {
  std::vector<Shape> operands;    // the operator's inputs, then its weights
  std::vector<BinaryKind> kinds;  // one fewer
};

// Every layout in which the kernel below can compute it: an input of the output's rank has the
// output's layout; one of lower rank is plain, and one value for each channel, or for all, where
// the output is not plain.
std::vector<Implementation> BroadcastImplementations(std::string_view name, const LayerSpec& spec);

std::unique_ptr<Kernel> PrepareBroadcast(const LayerSpec& spec,
                                         const Implementation& implementation, const Target& target,
                                         const BroadcastExpression& expression,
                                         std::span<const Tensor* const> weights);

}  // namespace fettle
