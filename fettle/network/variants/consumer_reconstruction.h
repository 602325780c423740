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

// Least squares on calibration data: the weights of the channels that stay become those that bring
// a consumer's outputs nearest, in the mean square, to what they were (He et al., "Channel Pruning
// for Accelerating Very Deep Neural Networks", 2017, section 3.1, without its choice of channels),
//     W C[:, kept] C[kept, kept]^-1,
// and the bias takes what is missed of the mean. C is the covariance of the patches that the
// consumer multiplies with a row of its weights W, kept the entries of channels that stay, all taps
// of them: a tap is made up for by its neighbours too, and the zeros of the padding are in it. On
// the calibration data no other weights do better but for a small ridge (least_squares.h), and
// folding constants never does. Each consumer is given its input as the whole network computes it,
// not as pruned layers before it do: what those miss adds up along a path, and of a residual stream
// cut to a quarter it can be more than constants miss.
//
// Where a kernel's patches are not known (they are too long, or it has not two axes), each tap
// looks at the channels of its own position only: exact in the mean away from a padded border, and
// no least-squares solution of the sum over the taps, so it can be worse than constants.
//
// Of convolutions without groups and of products of matrices by constants, in f32, whose input the
// calibration knows with its covariance and whose weights nothing else reads; others are not named.
ConsumerReconstruction ReconstructConsumers(const Graph& graph, const KeptIndices& kept,
                                            const Calibration& calibration);

}  // namespace fettle
