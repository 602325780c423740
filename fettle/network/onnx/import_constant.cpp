#include <algorithm>

#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

template <typename T>
Tensor ListTensor(DType dtype, const std::vector<T>& values) {
  return Tensor::Of<T>(dtype, {static_cast<int64_t>(values.size())}, values);
}

}  // namespace

void ImportConstant(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  for (const char* name : {"sparse_value", "value_string", "value_strings"}) {
    if (attributes.Has(name)) throw Refuse("a constant given as ", name);
  }
  if (auto value = attributes.Values("value", node.state().source())) {
    node.state().Credit(value->type());
    node.SetConstant(std::move(*value));
  } else if (attributes.Has("value_float")) {
    const float number = attributes.Float("value_float", 0);
    node.SetConstant(Tensor::Of<float>(DType::kF32, {}, {{number}}));
  } else if (attributes.Has("value_int")) {
    const int64_t number = attributes.Int("value_int", 0);
    node.SetConstant(Tensor::Of<int64_t>(DType::kI64, {}, {{number}}));
  } else if (const auto floats = attributes.Floats("value_floats")) {
    node.SetConstant(ListTensor(DType::kF32, *floats));
  } else if (const auto ints = attributes.Ints("value_ints")) {
    node.SetConstant(ListTensor(DType::kI64, *ints));
  } else {
    throw BadInput("has no value");
  }
}

void ImportConstantOfShape(NodeImport& node) {
  std::optional<Tensor> value = node.attributes().Values("value", node.state().source());
  if (!value) value.emplace(TensorType{DType::kF32, {1}});
  if (value->num_elements() != 1) throw BadInput("its value is ", TypeText(value->type()));
  node.HostInput(0);
  const TensorType type{value->dtype(), node.IntsInput(0, "shape")};
  node.state().ChargeFolding(type);
  Tensor filled(type);
  const size_t size = SizeOf(type.dtype);
  for (size_t at = 0; at < filled.num_bytes(); at += size) {
    std::copy_n(value->bytes(), size, filled.bytes() + at);
  }
  node.SetConstant(std::move(filled));
}

// The extents from `start` to `end` (opset 15).
void ImportShape(NodeImport& node) {
  const int64_t start = node.attributes().Int("start", 0);
  const std::optional<int64_t> end =
      node.attributes().Has("end") ? std::optional(node.attributes().Int("end", 0)) : std::nullopt;
  const Shape& shape = node.InputType(0).shape;
  const int64_t rank = node.Rank(0);
  const auto place = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const int64_t first = place(start), last = std::max(first, place(end.value_or(rank)));
  node.SetConstant(ListTensor<int64_t>(
      DType::kI64, std::vector<int64_t>(shape.begin() + first, shape.begin() + last)));
}

void ImportSize(NodeImport& node) {
  const int64_t count = ElementCount(node.InputType(0));
  node.SetConstant(Tensor::Of<int64_t>(DType::kI64, {}, {{count}}));
}

}  // namespace fettle
