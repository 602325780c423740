#pragma once

#include <map>
#include <memory>

#include "fettle/network/calibration.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/channel_removal.h"

namespace fettle {

struct ConsumerReconstruction {
  std::map<ValueId, std::shared_ptr<const Tensor>> weights;  // in place of these constants
  BiasCorrections biases;
};

// Least squares on calibration data: a removed channel is predicted from the channels that stay at
// the same position, x_r ~ A x_k + b with A = C_rk C_kk^-1 and b = m_r - A m_k, and a consumer's
// weights for it go by A into those of the others and by b into the bias. For linear layers and
// 1x1 convolutions that is the least-squares solution for the consumer's outputs (He et al.,
// "Channel Pruning for Accelerating Very Deep Neural Networks", 2017, section 3.1); for larger
// kernels it looks at one position at a time: exact in its mean away from a padded border, and no
// least-squares solution of the sum over the taps (for that, covariances of whole patches would be
// wanted): it can be worse than constants. C_kk gets a ridge of its mean diagonal times 1e-3 + kept
// channels / samples.
//
// Of convolutions without groups and of products of matrices by constants, in f32, whose input the
// calibration knows with its covariance and whose weights nothing else reads; others are not named.
ConsumerReconstruction ReconstructConsumers(const Graph& graph, const KeptIndices& kept,
                                            const Calibration& calibration);

}  // namespace fettle
