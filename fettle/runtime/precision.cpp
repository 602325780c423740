#include "fettle/runtime/precision.h"

#include <algorithm>
#include <cassert>

namespace fettle {

bool CanHavePrecision(const LayerSpec& spec, DType dtype) {
  if (dtype == DType::kF32) return true;
  if (dtype != DType::kBF16 || std::holds_alternative<Cast>(spec.op)) return false;
  const auto is_f32 = [](const TensorType& type) { return type.dtype == DType::kF32; };
  return is_f32(spec.output) && std::ranges::all_of(spec.inputs, is_f32) &&
         std::ranges::all_of(spec.weights, is_f32);
}

LayerSpec AtPrecision(LayerSpec spec, DType dtype) {
  assert(CanHavePrecision(spec, dtype));
  if (dtype == DType::kF32) return spec;
  for (TensorType& input : spec.inputs) input.dtype = dtype;
  spec.output.dtype = dtype;
  for (size_t i = 0; i < spec.weights.size(); ++i) {
    spec.weights[i].dtype = WeightTypeAt(spec, dtype, i);
  }
  return spec;
}

DType WeightTypeAt(const LayerSpec& spec, DType dtype, size_t index) {
  const bool follows = IsMatrix(spec.op, index) && dtype != DType::kF32;
  return follows ? dtype : spec.weights[index].dtype;
}

Tensor ConvertTo(const Tensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return tensor;
  Tensor result(TensorType{dtype, tensor.shape()});
  if (dtype == DType::kBF16) {
    std::ranges::transform(tensor.values<float>(), result.values<uint16_t>().begin(), ToBF16);
  } else {
    assert(dtype == DType::kF32 && tensor.dtype() == DType::kBF16);
    std::ranges::transform(tensor.values<uint16_t>(), result.values<float>().begin(), FromBF16);
  }
  return result;
}

}  // namespace fettle
