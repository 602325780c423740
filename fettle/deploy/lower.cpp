// Lower() translates node by node, then runs the passes. Each operator has one Translate, which
// either adds layers or says that its output is its input.
#include "fettle/deploy/lower.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <optional>

#include "fettle/core/error.h"
#include "fettle/deploy/lowering_passes.h"

namespace fettle {
namespace {

using SharedTensor = std::shared_ptr<const Tensor>;

// Values broadcast to one a channel, or nothing where they differ along another axis of `shape`.
std::optional<Tensor> PerChannel(const Tensor& values, const Shape& shape) {
  if (values.dtype() != DType::kF32 || shape.size() < 2) return std::nullopt;
  if (values.shape().size() > shape.size()) return std::nullopt;
  const size_t missing = shape.size() - values.shape().size();
  for (size_t axis = 0; axis < values.shape().size(); ++axis) {
    const int64_t extent = values.shape()[axis];
    const bool is_channel = axis + missing == 1;
    if (extent != 1 && !(is_channel && extent == shape[1])) return std::nullopt;
  }
  Tensor result(TensorType{DType::kF32, {shape[1]}});
  const std::span<const float> from = values.values<float>();
  for (size_t c = 0; c < result.values<float>().size(); ++c) {
    result.values<float>()[c] = from[from.size() == 1 ? 0 : c];
  }
  return result;
}

Tensor Filled(int64_t count, float value) {
  Tensor tensor(TensorType{DType::kF32, {count}});
  std::ranges::fill(tensor.values<float>(), value);
  return tensor;
}

// factor * matrix, or its transpose.
Tensor ScaledMatrix(const Tensor& matrix, bool transpose, float factor) {
  const auto rows = static_cast<size_t>(matrix.shape()[0]);
  const auto cols = static_cast<size_t>(matrix.shape()[1]);
  Tensor result(TensorType{
      DType::kF32, transpose ? Shape{matrix.shape()[1], matrix.shape()[0]} : matrix.shape()});
  const std::span<const float> from = matrix.values<float>();
  const std::span<float> to = result.values<float>();
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) {
      to[transpose ? c * rows + r : r * cols + c] = factor * from[r * cols + c];
    }
  }
  return result;
}

class Lowering {
 public:
  Lowering(const Graph& graph, bool shapes_only)
      : graph_(graph), shapes_only_(shapes_only), tensor_of_(graph.num_values(), -1) {}

  LayerGraph Run() {
    for (const ValueId id : graph_.inputs()) lowered_.inputs.push_back(TensorOf(id));
    for (const Node& node : graph_.nodes()) {
      node_ = &node;
      std::visit([&](const auto& op) { Translate(op); }, node.op);
    }
    for (const ValueId id : graph_.outputs()) lowered_.outputs.push_back(TensorOf(id));
    return std::move(lowered_);
  }

 private:
  const TensorType& TypeOf(size_t input) const { return graph_.value(node_->inputs[input]).type; }
  const TensorType& OutputType() const { return graph_.value(node_->outputs[0]).type; }

  SharedTensor ConstantInput(size_t input) const {
    return graph_.value(node_->inputs[input]).constant;
  }

  SharedTensor RequireConstant(size_t input) const {
    SharedTensor constant = ConstantInput(input);
    if (constant) return constant;
    throw BadInput("node '", node_->name, "': '", graph_.value(node_->inputs[input]).name,
                   "' must be a constant (an initializer) for ", NameOf(node_->op),
                   "; fold it into the model");
  }

  TensorId AddTensor(std::string name, TensorType type, SharedTensor constant = nullptr) {
    lowered_.tensors.push_back({std::move(name), std::move(type), std::move(constant)});
    return static_cast<TensorId>(lowered_.tensors.size()) - 1;
  }

  TensorId TensorOf(ValueId id) {
    TensorId& tensor = tensor_of_[static_cast<size_t>(id)];
    if (tensor < 0) {
      const Value& value = graph_.value(id);
      tensor = AddTensor(value.name, value.type, value.constant);
    }
    return tensor;
  }

  // A layer from tensors to a new tensor.
  TensorId AddLayer(std::string name, Op op, std::vector<TensorId> inputs, TensorType output,
                    std::vector<SharedTensor> weights = {}) {
    Layer layer;
    layer.spec.op = std::move(op);
    for (const TensorId id : inputs) {
      layer.spec.inputs.push_back(lowered_.tensors[static_cast<size_t>(id)].type);
    }
    for (const SharedTensor& weight : weights) layer.spec.weights.push_back(weight->type());
    layer.spec.output = output;
    layer.inputs = std::move(inputs);
    layer.weights = std::move(weights);
    layer.output = AddTensor(name, std::move(output));
    layer.name = std::move(name);
    lowered_.layers.push_back(std::move(layer));
    return lowered_.layers.back().output;
  }

  void SetOutput(TensorId tensor, size_t output = 0) {
    const ValueId id = node_->outputs[output];
    tensor_of_[static_cast<size_t>(id)] = tensor;
    // A tensor that a node computes is known by the value's name.
    if (!lowered_.layers.empty() && lowered_.layers.back().output == tensor) {
      lowered_.tensors[static_cast<size_t>(tensor)].name = graph_.value(id).name;
    }
  }

  void PassThrough() { SetOutput(TensorOf(node_->inputs[0])); }

  // The operator as it is, all its inputs tensors.
  template <typename T>
  void Translate(const T& op) {
    std::vector<TensorId> inputs;
    for (const ValueId id : node_->inputs) inputs.push_back(TensorOf(id));
    SetOutput(AddLayer(node_->name, op, std::move(inputs), OutputType()));
  }

  void Translate(const Identity&) { PassThrough(); }

  void Translate(const Cast& op) {
    if (TypeOf(0).dtype == op.dtype) return PassThrough();
    SetOutput(AddLayer(node_->name, op, {TensorOf(node_->inputs[0])}, OutputType()));
  }

  void Translate(const Reshape& op) {
    if (TypeOf(0) == OutputType()) return PassThrough();
    SetOutput(AddLayer(node_->name, op, {TensorOf(node_->inputs[0])}, OutputType()));
  }

  void Translate(const Conv& op) {
    std::vector<SharedTensor> weights = {RequireConstant(1)};
    if (node_->inputs.size() > 2) weights.push_back(RequireConstant(2));
    SetOutput(
        AddLayer(node_->name, op, {TensorOf(node_->inputs[0])}, OutputType(), std::move(weights)));
  }

  void AddAffine(size_t input, Tensor scale, Tensor shift) {
    SetOutput(AddLayer(
        node_->name, ChannelAffine{}, {TensorOf(node_->inputs[input])}, OutputType(),
        {std::make_shared<Tensor>(std::move(scale)), std::make_shared<Tensor>(std::move(shift))}));
  }

  void Translate(const BatchNorm& op) {
    if (shapes_only_) {
      SetOutput(AddLayer(node_->name, ChannelAffine{}, {TensorOf(node_->inputs[0])}, OutputType(),
                         {RequireConstant(1), RequireConstant(2)}));
      return;
    }
    Tensor scale = *RequireConstant(1), shift = *RequireConstant(2);
    const SharedTensor mean = RequireConstant(3), variance = RequireConstant(4);
    for (size_t c = 0; c < scale.values<float>().size(); ++c) {
      const double factor = static_cast<double>(scale.values<float>()[c]) /
                            std::sqrt(static_cast<double>(variance->values<float>()[c]) +
                                      static_cast<double>(op.epsilon));
      shift.values<float>()[c] -=
          static_cast<float>(factor * static_cast<double>(mean->values<float>()[c]));
      scale.values<float>()[c] = static_cast<float>(factor);
    }
    AddAffine(0, std::move(scale), std::move(shift));
  }

  // x * matrix with a constant matrix, and a bias for each column where there is one.
  bool TranslateAsInnerProduct(bool transpose_a, bool transpose_b, float alpha, float beta) {
    const SharedTensor matrix = ConstantInput(1);
    if (transpose_a || !matrix || matrix->dtype() != DType::kF32) return false;
    if (TypeOf(0).shape.size() != 2 || matrix->shape().size() != 2) return false;
    std::vector<SharedTensor> weights = {
        shapes_only_ && transpose_b
            ? matrix
            : std::make_shared<Tensor>(ScaledMatrix(*matrix, !transpose_b, alpha))};
    if (node_->inputs.size() > 2) {
      const SharedTensor addend = ConstantInput(2);
      std::optional<Tensor> bias;
      if (addend) bias = PerChannel(*addend, OutputType().shape);
      if (!bias) return false;
      for (float& value : bias->values<float>()) value *= beta;
      weights.push_back(std::make_shared<Tensor>(std::move(*bias)));
    }
    SetOutput(AddLayer(node_->name, InnerProduct{}, {TensorOf(node_->inputs[0])}, OutputType(),
                       std::move(weights)));
    return true;
  }

  void Translate(const Gemm& op) {
    if (TranslateAsInnerProduct(op.transpose_a, op.transpose_b, op.alpha, op.beta)) return;
    Translate<Gemm>(op);
  }

  void Translate(const MatMul& op) {
    if (!TranslateAsInnerProduct(false, false, 1, 1)) Translate<MatMul>(op);
  }

  // Per-channel arithmetic with a constant.
  bool TranslateAsAffine(BinaryKind kind) {
    for (size_t constant = 0; constant < 2; ++constant) {
      const SharedTensor values = ConstantInput(constant);
      const TensorType& other = TypeOf(1 - constant);
      if (!values || ConstantInput(1 - constant) || other != OutputType()) continue;
      if (other.dtype != DType::kF32) continue;
      std::optional<Tensor> factor = PerChannel(*values, other.shape);
      if (!factor || (kind == BinaryKind::kDiv && constant == 0)) continue;
      const int64_t channels = factor->shape()[0];
      const bool is_reversed = kind == BinaryKind::kSub && constant == 0;  // c - x
      if (kind == BinaryKind::kSub && !is_reversed) {
        for (float& value : factor->values<float>()) value = -value;
      }
      if (kind == BinaryKind::kDiv) {
        for (float& value : factor->values<float>()) value = 1 / value;
      }
      if (kind == BinaryKind::kMul || kind == BinaryKind::kDiv) {
        AddAffine(1 - constant, std::move(*factor), Filled(channels, 0));
      } else {
        AddAffine(1 - constant, Filled(channels, is_reversed ? -1.0f : 1.0f), std::move(*factor));
      }
      return true;
    }
    return false;
  }

  void Translate(const Binary& op) {
    if (!TranslateAsAffine(op.kind)) Translate<Binary>(op);
  }

  void Translate(const Sum& op) {
    if (node_->inputs.size() == 1) return PassThrough();
    if (node_->inputs.size() == 2) return Translate(Binary{BinaryKind::kAdd});
    Translate<Sum>(op);
  }

  // A mean over all axes behind the channels is a global average pool, where that exists.
  void Translate(const ReduceMean& op) {
    const TensorType& input = TypeOf(0);
    std::vector<int64_t> spatial(input.shape.size() < 3 ? 0 : input.shape.size() - 2);
    std::iota(spatial.begin(), spatial.end(), int64_t{2});
    if (spatial.empty() || op.axes != spatial || input.dtype != DType::kF32) {
      return Translate<ReduceMean>(op);
    }
    TensorType pooled = input;
    std::fill(pooled.shape.begin() + 2, pooled.shape.end(), 1);
    const TensorId tensor =
        AddLayer(node_->name, GlobalAveragePool{}, {TensorOf(node_->inputs[0])}, pooled);
    if (op.keep_dims) return SetOutput(tensor);
    SetOutput(AddLayer(Text(node_->name, ":squeeze"), Reshape{OutputType().shape}, {tensor},
                       OutputType()));
  }

  void Translate(const Split& op) {
    const Shape& shape = TypeOf(0).shape;
    Slice slice{Shape(shape.size(), 0), shape, Shape(shape.size(), 1)};
    const auto axis = static_cast<size_t>(op.axis);
    for (size_t i = 0; i < op.sizes.size(); ++i) {
      slice.ends[axis] = slice.starts[axis] + op.sizes[i];
      SetOutput(AddLayer(Text(node_->name, ":", i), slice, {TensorOf(node_->inputs[0])},
                         graph_.value(node_->outputs[i]).type),
                i);
      slice.starts[axis] = slice.ends[axis];
    }
  }

  const Graph& graph_;
  bool shapes_only_;
  std::vector<TensorId> tensor_of_;
  const Node* node_ = nullptr;
  LayerGraph lowered_;
};

}  // namespace

LayerGraph Lower(Graph graph, const LowerOptions& options) {
  graph.RemoveUnused();
  LayerGraph lowered = Lowering(graph, options.shapes_only).Run();
  FoldPadding(&lowered);
  FoldChannelAffine(&lowered, options.shapes_only);
  FuseResidual(&lowered);
  FuseActivation(&lowered);
  if (!options.shapes_only) FindZeros(&lowered);
  return lowered;
}

}  // namespace fettle
