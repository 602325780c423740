#include <algorithm>
#include <limits>
#include <numeric>

#include "fettle/core/shape_inference.h"
#include "fettle/network/onnx/fold.h"
#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

// `since`: the opset from which the axes are an input.
ReduceMean ReadReduction(const NodeImport& node, int64_t since) {
  const Attributes& attributes = node.attributes();
  ReduceMean reduce;
  reduce.keep_dims = attributes.Int("keepdims", 1) != 0;
  const bool reduces_nothing_without_axes = attributes.Int("noop_with_empty_axes", 0) != 0;
  reduce.axes = node.IntsOf("axes", 1, since).value_or(std::vector<int64_t>());
  const int64_t rank = node.Rank(0);
  if (reduce.axes.empty() && !reduces_nothing_without_axes) {
    reduce.axes.resize(static_cast<size_t>(rank));
    std::iota(reduce.axes.begin(), reduce.axes.end(), 0);
  }
  reduce.axes = ResolvedAxes(std::move(reduce.axes), rank);
  return reduce;
}

template <typename T>
T Combined(std::string_view op_type, T a, T b) {
  if (op_type == "ReduceMax") return std::max(a, b);
  if (op_type == "ReduceMin") return std::min(a, b);
  if constexpr (std::is_integral_v<T>) {
    T result = 0;
    const bool is_product = op_type == "ReduceProd";
    const bool overflows =
        is_product ? __builtin_mul_overflow(a, b, &result) : __builtin_add_overflow(a, b, &result);
    if (overflows) throw BadInput("overflows");
    return result;
  } else {
    return op_type == "ReduceProd" ? a * b : a + b;
  }
}

// The reduced axes are moved behind the others, so that what is combined lies side by side.
Tensor WithAxesLast(const Tensor& input, const std::vector<int64_t>& axes) {
  const std::vector<int64_t> strides = RowMajorStrides(input.shape());
  Shape shape;
  std::vector<int64_t> moved;
  for (const bool is_reduced : {false, true}) {
    for (size_t axis = 0; axis < strides.size(); ++axis) {
      if (std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != is_reduced) {
        continue;
      }
      shape.push_back(input.shape()[axis]);
      moved.push_back(strides[axis]);
    }
  }
  return StridedCopy(input, 0, shape, moved);
}

}  // namespace

void ImportReduceMean(NodeImport& node) {
  const ReduceMean reduce = ReadReduction(node, 18);
  node.Emit(reduce, {node.Input(0)});
}

// ReduceProd, ReduceSum, ReduceMin, ReduceMax of sizes.
void ImportHostReduce(NodeImport& node) {
  const Tensor& input = node.HostInput(0);
  const ReduceMean reduce = ReadReduction(node, node.op_type() == "ReduceSum" ? 13 : 18);
  const TensorType type = InferTypes(reduce, std::vector<TensorType>{input.type()})[0];
  node.state().ChargeFolding(input.type());  // all of it is moved
  const auto results = static_cast<size_t>(ElementCount(type));
  if (input.num_elements() == 0) throw Refuse("reduces an empty tensor");

  std::optional<Numbers> numbers = NumbersOf(WithAxesLast(input, reduce.axes));
  if (!numbers) throw Refuse("of ", NameOf(input.dtype()));
  std::visit(
      [&](auto& list) {
        const size_t each = list.size() / results;
        for (size_t i = 0; i < results; ++i) {
          auto combined = list[i * each];
          for (size_t j = 1; j < each; ++j) {
            combined = Combined(node.op_type(), combined, list[i * each + j]);
          }
          list[i] = combined;
        }
      },
      *numbers);
  node.SetConstant(TensorOf(*numbers, type));
}

}  // namespace fettle
