#include "fettle/network/variants/consumer_weights.h"

#include <variant>

namespace fettle {
namespace {

// Lays out a node's weights; `shape` is theirs.
class Layout {
 public:
  Layout(const Graph& graph, const Node& node)
      : node_(node),
        shape_(graph.value(node.inputs[1]).type.shape),
        input_rank_(graph.value(node.inputs[0]).type.shape.size()) {}

  template <typename T>
  std::optional<ConsumerWeights> operator()(const T&) const {
    return std::nullopt;
  }
  std::optional<ConsumerWeights> operator()(const Conv& op) const {
    ConsumerWeights weights;
    weights.outputs = static_cast<size_t>(shape_[0]);
    weights.inputs = static_cast<size_t>(shape_[1]);
    weights.groups = static_cast<size_t>(op.groups);
    weights.taps = static_cast<size_t>(RowMajorStrides(shape_)[1]);
    weights.output_stride = weights.inputs * weights.taps;
    weights.input_stride = weights.taps;
    return weights;
  }
  std::optional<ConsumerWeights> operator()(const Gemm& op) const {
    if (op.transpose_a || (op.beta == 0 && node_.inputs.size() == 3)) return std::nullopt;
    return Product(op.transpose_b, op.alpha);
  }
  std::optional<ConsumerWeights> operator()(const MatMul&) const { return Product(false, 1); }

 private:
  std::optional<ConsumerWeights> Product(bool is_transposed, double scale) const {
    if (input_rank_ != 2 || shape_.size() != 2) return std::nullopt;
    const auto rows = static_cast<size_t>(shape_[0]), columns = static_cast<size_t>(shape_[1]);
    ConsumerWeights weights;
    weights.outputs = is_transposed ? rows : columns;
    weights.inputs = is_transposed ? columns : rows;
    weights.output_stride = is_transposed ? columns : 1;
    weights.input_stride = is_transposed ? 1 : columns;
    weights.scale = scale;
    return weights;
  }

  const Node& node_;
  const Shape& shape_;
  size_t input_rank_;
};

bool IsConstantF32(const Graph& graph, ValueId id) {
  return graph.IsConstant(id) && graph.value(id).type.dtype == DType::kF32;
}

}  // namespace

std::optional<ConsumerWeights> ConsumerWeights::Of(const Graph& graph, const Node& node) {
  if (node.inputs.size() < 2 || !IsConstantF32(graph, node.inputs[1])) return std::nullopt;
  std::optional<ConsumerWeights> weights = std::visit(Layout(graph, node), node.op);
  if (!weights) return std::nullopt;
  if (node.inputs.size() == 3) {
    const auto outputs = static_cast<int64_t>(weights->outputs);
    const Shape& bias = graph.value(node.inputs[2]).type.shape;
    const bool is_fit = IsConstantF32(graph, node.inputs[2]) && !bias.empty() &&
                        ElementCount(bias) == outputs && bias.back() == outputs;
    if (!is_fit) return std::nullopt;
  }
  weights->values = graph.value(node.inputs[1]).constant->values<float>();
  return weights;
}

}  // namespace fettle
