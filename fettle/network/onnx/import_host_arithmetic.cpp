#include <algorithm>
#include <cmath>

#include "fettle/core/shape_inference.h"
#include "fettle/network/onnx/fold.h"
#include "fettle/network/onnx/operator_table.h"

// Arithmetic that networks only do on sizes: computed at import or refused.

namespace fettle {
namespace {

// The result's type, its bytes charged.
TensorType BroadcastType(NodeImport& node, const TensorType& a, const TensorType& b) {
  TensorType type = InferTypes(Binary{}, std::vector<TensorType>{a, b})[0];
  node.state().ChargeFolding(type);
  return type;
}

Numbers NumbersIn(const Tensor& tensor) {
  std::optional<Numbers> numbers = NumbersOf(tensor);
  if (!numbers) throw Refuse("over ", NameOf(tensor.dtype()));
  return std::move(*numbers);
}

template <typename T>
T UnaryResult(std::string_view op_type, T x) {
  // Negating the smallest integer wraps.
  if (op_type == "Neg" || (op_type == "Abs" && x < 0)) {
    if constexpr (std::is_integral_v<T>) return static_cast<T>(-static_cast<uint64_t>(x));
    return -x;
  }
  if (op_type == "Not") return static_cast<T>(x == 0);
  if constexpr (std::is_floating_point_v<T>) {
    if (op_type == "Floor") return std::floor(x);
    if (op_type == "Ceil") return std::ceil(x);
    if (op_type == "Sqrt") return std::sqrt(x);
  }
  return x;
}

template <typename T>
T Modulo(T a, T b, bool takes_sign_of_dividend) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if (b == 0) throw BadInput("divides ", a, " by zero");
    const T rest = b == -1 ? 0 : a % b;
    return !takes_sign_of_dividend && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
}

template <typename T>
T BinaryResult(std::string_view op_type, T a, T b, bool fmod) {
  if (op_type == "Equal") return a == b;
  if (op_type == "Less") return a < b;
  if (op_type == "LessOrEqual") return a <= b;
  if (op_type == "Greater") return a > b;
  if (op_type == "GreaterOrEqual") return a >= b;
  if (op_type == "And") return a != 0 && b != 0;
  if (op_type == "Or") return a != 0 || b != 0;
  if (op_type == "Min") return std::min(a, b);
  if (op_type == "Max") return std::max(a, b);
  return Modulo(a, b, fmod);
}

bool AnswersNumber(std::string_view op_type) {
  return op_type == "Min" || op_type == "Max" || op_type == "Mod";
}

Tensor Combined(NodeImport& node, const Tensor& a, const Tensor& b, bool fmod) {
  TensorType type = BroadcastType(node, a.type(), b.type());
  Numbers left = NumbersIn(BroadcastTo(a, type.shape));
  const Numbers right = NumbersIn(BroadcastTo(b, type.shape));
  std::visit(
      [&](auto& list) {
        const auto& others = std::get<std::remove_reference_t<decltype(list)>>(right);
        for (size_t i = 0; i < list.size(); ++i) {
          list[i] = BinaryResult(node.op_type(), list[i], others[i], fmod);
        }
      },
      left);
  if (!AnswersNumber(node.op_type())) type.dtype = DType::kBool;
  return TensorOf(left, type);
}

}  // namespace

// Abs, Ceil, Floor, Neg, Not, Sqrt.
void ImportHostUnary(NodeImport& node) {
  const Tensor& input = node.HostInput(0);
  node.state().ChargeFolding(input.type());
  Numbers numbers = NumbersIn(input);
  std::visit(
      [&](auto& list) {
        for (auto& value : list) value = UnaryResult(node.op_type(), value);
      },
      numbers);
  node.SetConstant(TensorOf(numbers, input.type()));
}

// Comparisons and logic of two inputs; Min and Max of any number; Mod.
void ImportHostBinary(NodeImport& node) {
  const bool fmod = node.op_type() == "Mod" && node.attributes().Int("fmod", 0) != 0;
  const bool takes_any = node.op_type() == "Min" || node.op_type() == "Max";
  if (node.num_inputs() < (takes_any ? 1 : 2) || (!takes_any && node.num_inputs() > 2)) {
    throw BadInput("has ", node.num_inputs(), " inputs");
  }
  node.state().ChargeFolding(node.HostInput(0).type());
  Tensor result = node.HostInput(0);
  for (size_t i = 1; i < node.num_inputs(); ++i) {
    result = Combined(node, result, node.HostInput(i), fmod);
  }
  node.SetConstant(std::move(result));
}

void ImportWhere(NodeImport& node) {
  const Tensor& condition = node.HostInput(0);
  const Tensor& yes = node.HostInput(1);
  const Tensor& no = node.HostInput(2);
  if (condition.dtype() != DType::kBool) {
    throw BadInput("its condition is ", TypeText(condition.type()));
  }
  const TensorType values = BroadcastType(node, yes.type(), no.type());
  const TensorType type = BroadcastType(node, values, {values.dtype, condition.shape()});
  const Tensor choice = BroadcastTo(condition, type.shape);
  Tensor result = BroadcastTo(yes, type.shape);
  const Tensor other = BroadcastTo(no, type.shape);
  const size_t size = SizeOf(type.dtype);
  for (size_t i = 0; i < choice.num_bytes(); ++i) {
    if (choice.bytes()[i] != std::byte{0}) continue;
    std::copy_n(other.bytes() + i * size, size, result.bytes() + i * size);
  }
  node.SetConstant(std::move(result));
}

}  // namespace fettle
