#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/network/graph.h"
#include "fettle/network/linalg/matrix.h"
#include "fettle/network/variants/weighted_layer.h"

// Rewriting a layer into a row of linear ones ("factors"), nothing between them. The last one keeps
// the layer's name, and with it its bias; those before it are called NAME.1, NAME.2, ...

namespace fettle {

// One of them without its weights. For a product of matrices the window is a single tap.
struct FactorShape {
  int64_t outputs = 0, inputs = 0;  // of all groups
  int64_t groups = 1;
  Window window;

  int64_t taps() const { return window.kernel[0] * window.kernel[1]; }
  // Of a row of its weights.
  int64_t patch() const { return inputs / groups * taps(); }
  int64_t parameters() const { return outputs * patch(); }
};

// 1x1, stride 1.
FactorShape PointwiseFactor(int64_t outputs, int64_t inputs, int64_t groups = 1);

// What the window does along one axis: one tap, stride 1 and no padding along the other.
Window WindowAlong(const Window& window, size_t axis);

struct Factor {
  FactorShape shape;
  Matrix weights;  // [outputs, patch], as WeightedLayer's kernel
};

// The kernel that a row of factors comes to, [outputs of the last, inputs of the first * taps]:
// taps of one factor behind those of another add up, so kernels Dx1 and 1xD come to DxD. Strides
// are not looked at: no factor may have taps along an axis along which one before it has a stride.
// Dilations must be equal where taps meet.
Matrix ComposedKernel(std::span<const Factor> factors);

// sum (wanted - got) C (wanted - got)^T over sum wanted C wanted^T, traces: how far the layer's
// outputs are off for inputs of covariance C; without moments, C = 1: how far the weights are off.
double RelativeError(const Matrix& wanted, const Matrix& got, const Moments* input);

// Other weights for the last factor: those of least squares for the layer's outputs, given the
// factors before it and the covariance of the layer's input. Where the factors reproduce the kernel
// they stay as they are. For a single factor in groups: what each group computes best from its own
// inputs.
void RefitLast(const Matrix& kernel, const Moments& input, std::vector<Factor>* factors);

// What `got` misses of the layer's mean output, to be added to the bias.
std::vector<double> MissedMeans(const Matrix& wanted, const Matrix& got, const Moments& input);

// The eigenvectors (in columns) of the covariance of the layer's outputs, W C W^T or, without
// moments, W W^T: projected on the first k of them the outputs lose least (Zhang et al. 2015), and
// W is nearest in the Frobenius norm. With their eigenvalues, descending.
struct ResponseBasis {
  std::vector<double> energies;
  Matrix vectors;  // T x T
};
ResponseBasis ResponseBasisOf(const Matrix& kernel, const Moments* input);

// The operator that a factor becomes in the layer's place, and the shape of its weights.
Op OpOf(const WeightedLayer& layer, const FactorShape& shape);
Shape WeightsShape(const WeightedLayer& layer, const FactorShape& shape);

// The graph with the factors in the layer's place, their weights in f32. The bias is left out where
// the layer had none and all of it is 0.
Graph WithFactors(const Graph& graph, const WeightedLayer& layer, std::span<const Factor> factors,
                  const std::vector<double>& bias);

// Likewise with zeros for weights, made in no time: for shapes and prices.
Graph WithFactorShapes(const Graph& graph, const WeightedLayer& layer,
                       std::span<const FactorShape> shapes);

// Of the row.
int64_t ParametersOf(std::span<const FactorShape> shapes);

// Multiplications of the row, at the layer's input.
int64_t MacsOf(const WeightedLayer& layer, std::span<const FactorShape> shapes);

}  // namespace fettle
