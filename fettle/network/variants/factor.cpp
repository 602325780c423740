#include "fettle/network/variants/factor.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/shape_inference.h"
#include "fettle/network/graph_edit.h"
#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/macs.h"
#include "fettle/network/variants/least_squares.h"

namespace fettle {
namespace {

// A kernel with its extents: [outputs, inputs, height, width].
struct Kernel {
  size_t outputs = 0, inputs = 0, height = 1, width = 1;
  Matrix weights;  // [outputs, inputs * height * width]

  double& At(size_t t, size_t s, size_t i, size_t j) {
    return weights(t, (s * height + i) * width + j);
  }
  double At(size_t t, size_t s, size_t i, size_t j) const {
    return weights(t, (s * height + i) * width + j);
  }
};

Kernel AsKernel(const Factor& factor) {
  return {static_cast<size_t>(factor.shape.outputs),
          static_cast<size_t>(factor.shape.inputs / factor.shape.groups),
          static_cast<size_t>(factor.shape.window.kernel[0]),
          static_cast<size_t>(factor.shape.window.kernel[1]), factor.weights};
}

// Without groups: zeros for the inputs of other groups.
Kernel DenseKernel(const Factor& factor) {
  const FactorShape& shape = factor.shape;
  Kernel dense = AsKernel(factor);
  dense.inputs = static_cast<size_t>(shape.inputs);
  dense.weights = Matrix(dense.outputs, static_cast<size_t>(shape.inputs * shape.taps()));
  const size_t outputs_a_group = dense.outputs / static_cast<size_t>(shape.groups);
  const auto row = static_cast<size_t>(shape.patch());
  for (size_t t = 0; t < dense.outputs; ++t) {
    const size_t first = t / outputs_a_group * row;
    std::ranges::copy(factor.weights.row(t),
                      dense.weights.row(t).begin() + static_cast<ptrdiff_t>(first));
  }
  return dense;
}

// One tap of a factor, by rows of what it reads.
Matrix TapTimes(const Kernel& factor, size_t groups, size_t i, size_t j, const Matrix& rows) {
  if (groups == 1) {
    Matrix tap(factor.outputs, factor.inputs);
    for (size_t t = 0; t < factor.outputs; ++t) {
      for (size_t q = 0; q < factor.inputs; ++q) tap(t, q) = factor.At(t, q, i, j);
    }
    return Product(tap, rows);
  }
  Matrix result(factor.outputs, rows.columns());
  for (size_t t = 0; t < factor.outputs; ++t) {
    const size_t first = t / (factor.outputs / groups) * factor.inputs;
    for (size_t q = 0; q < factor.inputs; ++q) {
      const double weight = factor.At(t, q, i, j);
      const std::span<const double> from = rows.row(first + q);
      const std::span<double> to = result.row(t);
      for (size_t c = 0; c < from.size(); ++c) to[c] += weight * from[c];
    }
  }
  return result;
}

// `second` behind `first`.
Kernel Behind(const Kernel& first, const Factor& factor) {
  const Kernel second = AsKernel(factor);
  Kernel both;
  both.outputs = second.outputs;
  both.inputs = first.inputs;
  both.height = first.height + second.height - 1;
  both.width = first.width + second.width - 1;
  both.weights = Matrix(both.outputs, both.inputs * both.height * both.width);
  for (size_t i = 0; i < second.height; ++i) {
    for (size_t j = 0; j < second.width; ++j) {
      const Kernel part{
          both.outputs, both.inputs, first.height, first.width,
          TapTimes(second, static_cast<size_t>(factor.shape.groups), i, j, first.weights)};
      for (size_t t = 0; t < both.outputs; ++t) {
        for (size_t s = 0; s < both.inputs; ++s) {
          for (size_t k = 0; k < first.height; ++k) {
            for (size_t l = 0; l < first.width; ++l) {
              both.At(t, s, i + k, j + l) += part.At(t, s, k, l);
            }
          }
        }
      }
    }
  }
  return both;
}

Kernel Composed(std::span<const Factor> factors) {
  assert(!factors.empty());
  Kernel kernel = DenseKernel(factors[0]);
  for (const Factor& factor : factors.subspan(1)) kernel = Behind(kernel, factor);
  return kernel;
}

// The numbers of the last factor's input patch as functions of the layer's: F, with a row for each
// of its inputs and taps, in the order of its dense rows. Each row is one of the factors before it,
// shifted by the tap; the zeros beside it are not multiplied with.
class Features {
 public:
  Features(std::span<const Factor> before, const FactorShape& last)
      : first_(Composed(before)),
        height_(static_cast<size_t>(last.window.kernel[0])),
        width_(static_cast<size_t>(last.window.kernel[1])) {}

  // F M, for M with a row for each number of the layer's patch.
  Matrix Times(const Matrix& m) const {
    const size_t taps = height_ * width_;
    Matrix product(first_.outputs * taps, m.columns());
    for (size_t tap = 0; tap < taps; ++tap) {
      const std::vector<size_t> places = Places(tap / width_, tap % width_);
      Matrix seen(places.size(), m.columns());
      for (size_t p = 0; p < places.size(); ++p) {
        std::ranges::copy(m.row(places[p]), seen.row(p).begin());
      }
      const Matrix part = Product(first_.weights, seen);
      for (size_t q = 0; q < first_.outputs; ++q) {
        std::ranges::copy(part.row(q), product.row(q * taps + tap).begin());
      }
    }
    return product;
  }

 private:
  // Where in the layer's patch the factors before see theirs, behind this tap.
  std::vector<size_t> Places(size_t i, size_t j) const {
    const size_t height = first_.height + height_ - 1, width = first_.width + width_ - 1;
    std::vector<size_t> places;
    for (size_t s = 0; s < first_.inputs; ++s) {
      for (size_t k = 0; k < first_.height; ++k) {
        for (size_t l = 0; l < first_.width; ++l) {
          places.push_back((s * height + i + k) * width + j + l);
        }
      }
    }
    return places;
  }

  Kernel first_;
  size_t height_, width_;
};

Matrix Rows(const Matrix& matrix, size_t first, size_t count) {
  Matrix rows(count, matrix.columns());
  for (size_t r = 0; r < count; ++r) std::ranges::copy(matrix.row(first + r), rows.row(r).begin());
  return rows;
}

double TraceOfProduct(const Matrix& a, const Matrix& b) {  // of a b^T
  double trace = 0;
  for (size_t i = 0; i < a.values().size(); ++i) trace += a.values()[i] * b.values()[i];
  return trace;
}

// Puts the row in the layer's place; `weights` of each factor, `bias` null for none.
Graph Replaced(const Graph& graph, const WeightedLayer& layer, std::span<const FactorShape> shapes,
               std::vector<Tensor> weights, std::shared_ptr<const Tensor> bias) {
  assert(!shapes.empty() && shapes.size() == weights.size());
  const std::string weights_name = NameOfNewConstant(graph, layer, 1);
  const std::string bias_name = NameOfNewConstant(graph, layer, 2);
  return WithNodeReplaced(
      graph, layer.node, [&](Graph* result, const std::vector<ValueId>& inputs) {
        ValueId x = inputs[0];
        for (size_t i = 0; i < shapes.size(); ++i) {
          const bool is_last = i + 1 == shapes.size();
          const std::string name =
              is_last ? layer.name : UnusedNodeName(graph, Text(layer.name, ".", i + 1));
          std::vector<ValueId> operands = {
              x, result->AddConstant(is_last ? weights_name : name + ".weight",
                                     std::move(weights[i]))};
          if (is_last && bias != nullptr) operands.push_back(result->AddConstant(bias_name, bias));
          x = result->AddNode(name, OpOf(layer, shapes[i]), std::move(operands))[0];
        }
        return x;
      });
}

}  // namespace

FactorShape PointwiseFactor(int64_t outputs, int64_t inputs, int64_t groups) {
  return {outputs, inputs, groups, Window{{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}};
}

Window WindowAlong(const Window& window, size_t axis) {
  Window along{{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
  along.kernel[axis] = window.kernel[axis];
  along.strides[axis] = window.strides[axis];
  along.dilations[axis] = window.dilations[axis];
  along.pads_begin[axis] = window.pads_begin[axis];
  along.pads_end[axis] = window.pads_end[axis];
  return along;
}

Matrix ComposedKernel(std::span<const Factor> factors) { return Composed(factors).weights; }

double RelativeError(const Matrix& wanted, const Matrix& got, const Moments* input) {
  const Matrix missed = wanted - got;
  if (input == nullptr) {
    const double norm = wanted.SquaredNorm();
    return norm > 0 ? missed.SquaredNorm() / norm : 0;
  }
  const Matrix covariance = CovarianceOf(*input);
  const double whole = TraceOfProduct(Product(wanted, covariance), wanted);
  return whole > 0 ? TraceOfProduct(Product(missed, covariance), missed) / whole : 0;
}

// With F the features of a group, its weights go from M to M + (W - M F) C F^T (F C F^T)^-1.
void RefitLast(const Matrix& kernel, const Moments& input, std::vector<Factor>* factors) {
  const Matrix missed = kernel - ComposedKernel(*factors);
  Factor& last = factors->back();
  const std::span<const Factor> before(factors->data(), factors->size() - 1);
  // C F^T; without factors before it, C itself.
  Matrix seen = CovarianceOf(input);
  Matrix normals;  // F C F^T
  if (!before.empty()) {
    const Features features(before, last.shape);
    seen = features.Times(seen).Transposed();
    normals = features.Times(seen);
  }
  const Matrix& all_normals = before.empty() ? seen : normals;
  const auto groups = static_cast<size_t>(last.shape.groups);
  const size_t outputs = static_cast<size_t>(last.shape.outputs) / groups;
  const auto width = static_cast<size_t>(last.shape.patch());
  for (size_t g = 0; g < groups; ++g) {
    const Matrix of_group = seen.Columns(g * width, width);
    Matrix normal = Rows(all_normals.Columns(g * width, width), g * width, width);
    const Matrix added = LeastSquaresChange(Rows(missed, g * outputs, outputs), of_group,
                                            std::move(normal), input.samples);
    for (size_t t = 0; t < outputs; ++t) {
      for (size_t i = 0; i < width; ++i) last.weights(g * outputs + t, i) += added(t, i);
    }
  }
}

std::vector<double> MissedMeans(const Matrix& wanted, const Matrix& got, const Moments& input) {
  const Matrix missed = wanted - got;
  std::vector<double> means(missed.rows());
  for (size_t t = 0; t < missed.rows(); ++t) {
    for (size_t i = 0; i < missed.columns(); ++i) means[t] += missed(t, i) * input.mean[i];
  }
  return means;
}

ResponseBasis ResponseBasisOf(const Matrix& kernel, const Moments* input) {
  const Matrix responses = input == nullptr ? kernel : Product(kernel, CovarianceOf(*input));
  EigenDecomposition eigen = SymmetricEigen(ProductWithTransposed(responses, kernel));
  return {std::move(eigen.values), std::move(eigen.vectors)};
}

Op OpOf(const WeightedLayer& layer, const FactorShape& shape) {
  if (layer.is_conv) return Conv{shape.window, shape.groups};
  return Gemm{.transpose_b = true};
}

Shape WeightsShape(const WeightedLayer& layer, const FactorShape& shape) {
  if (!layer.is_conv) return {shape.outputs, shape.inputs};
  return {shape.outputs, shape.inputs / shape.groups, shape.window.kernel[0],
          shape.window.kernel[1]};
}

Graph WithFactors(const Graph& graph, const WeightedLayer& layer, std::span<const Factor> factors,
                  const std::vector<double>& bias) {
  std::vector<FactorShape> shapes;
  std::vector<Tensor> weights;
  for (const Factor& factor : factors) {
    shapes.push_back(factor.shape);
    Tensor& tensor =
        weights.emplace_back(TensorType{DType::kF32, WeightsShape(layer, factor.shape)});
    const auto values = tensor.values<float>();
    assert(values.size() == factor.weights.values().size());
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(factor.weights.values()[i]);
    }
  }
  const bool had_bias = graph.nodes()[static_cast<size_t>(layer.node)].inputs.size() > 2;
  std::shared_ptr<Tensor> biases;
  if (had_bias || std::ranges::any_of(bias, [](double b) { return b != 0; })) {
    biases = std::make_shared<Tensor>(TensorType{DType::kF32, {layer.outputs}});
    for (size_t t = 0; t < bias.size(); ++t) {
      biases->values<float>()[t] = static_cast<float>(bias[t]);
    }
  }
  return Replaced(graph, layer, shapes, std::move(weights), std::move(biases));
}

Graph WithFactorShapes(const Graph& graph, const WeightedLayer& layer,
                       std::span<const FactorShape> shapes) {
  std::vector<Tensor> weights;
  for (const FactorShape& shape : shapes) {
    weights.emplace_back(TensorType{DType::kF32, WeightsShape(layer, shape)});
  }
  const bool had_bias = graph.nodes()[static_cast<size_t>(layer.node)].inputs.size() > 2;
  std::shared_ptr<const Tensor> bias;
  if (had_bias) bias = std::make_shared<const Tensor>(TensorType{DType::kF32, {layer.outputs}});
  return Replaced(graph, layer, shapes, std::move(weights), std::move(bias));
}

int64_t ParametersOf(std::span<const FactorShape> shapes) {
  int64_t parameters = 0;
  for (const FactorShape& shape : shapes) parameters += shape.parameters();
  return parameters;
}

int64_t MacsOf(const WeightedLayer& layer, std::span<const FactorShape> shapes) {
  int64_t macs = 0;
  TensorType input = layer.input;
  for (const FactorShape& shape : shapes) {
    const Op op = OpOf(layer, shape);
    const std::vector<TensorType> operands = {input, {DType::kF32, WeightsShape(layer, shape)}};
    TensorType output = InferTypes(op, operands).at(0);
    macs += MacsOf(op, operands, output);
    input = std::move(output);
  }
  return macs;
}

}  // namespace fettle
