#include "fettle/device/layer_data.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>
#include <variant>

#include "fettle/core/random.h"
#include "fettle/primitives/element.h"

namespace fettle {
namespace {

struct Range {
  double low, high;
};

template <typename T>
void FillWith(Range range, Random* random, Tensor* tensor) {
  auto* values = reinterpret_cast<T*>(tensor->bytes());
  for (int64_t i = 0; i < tensor->num_elements(); ++i) {
    values[i] = ConvertElement<T>(random->Uniform(range.low, range.high));
  }
}

void Fill(Range range, Random* random, Tensor* tensor) {
  switch (tensor->dtype()) {
    case DType::kF32:
      return FillWith<float>(range, random, tensor);
    case DType::kF64:
      return FillWith<double>(range, random, tensor);
    case DType::kF16:
      return FillWith<F16>(range, random, tensor);
    case DType::kBF16:
      return FillWith<BF16>(range, random, tensor);
    case DType::kI8:
      return FillWith<int8_t>({-128, 128}, random, tensor);
    case DType::kU8:
      return FillWith<uint8_t>({0, 256}, random, tensor);
    case DType::kI16:
      return FillWith<int16_t>({-32768, 32768}, random, tensor);
    case DType::kI32:
      return FillWith<int32_t>({-1000, 1000}, random, tensor);
    case DType::kI64:
      return FillWith<int64_t>({-1000, 1000}, random, tensor);
    case DType::kBool:
      for (uint8_t& value : tensor->values<uint8_t>()) value = random->Chance(0.5) ? 1 : 0;
      return;
  }
}

// `operand`: the index among the operator's own operands, inputs first.
Range RangeOf(const LayerSpec& spec, size_t operand, const TensorType& type) {
  constexpr Range kPositive{0.5, 1.5};
  const auto* binary = std::get_if<Binary>(&spec.op);
  if (binary != nullptr && binary->kind == BinaryKind::kDiv && operand == 1) return kPositive;
  const bool is_scale_or_variance = operand == 1 || operand == 4;
  if (std::holds_alternative<BatchNorm>(spec.op) && is_scale_or_variance) return kPositive;
  if (std::holds_alternative<ChannelAffine>(spec.op) && operand == 1) return kPositive;
  if (operand > 0 && IsMatrix(spec.op, operand - 1) && !type.shape.empty() && type.shape[0] > 0) {
    const double fan_in =
        static_cast<double>(ElementCount(type)) / static_cast<double>(type.shape[0]) * spec.density;
    const double bound = std::sqrt(3 / std::max(fan_in, 1.0));
    return {-bound, bound};
  }
  return {-1, 1};
}

// Zeros in whole blocks of `block` rows of the outermost axis, at random places.
void Thin(double density, int64_t block, Random* random, Tensor* tensor) {
  const int64_t rows = tensor->shape().empty() ? 1 : tensor->shape()[0];
  const int64_t row = rows == 0 ? 0 : tensor->num_elements() / rows;
  std::vector<uint32_t> places(static_cast<size_t>((rows + block - 1) / block * row));
  std::iota(places.begin(), places.end(), 0u);
  random->Shuffle(&places);
  const auto kept = static_cast<size_t>(std::llround(density * static_cast<double>(places.size())));
  const auto size = static_cast<int64_t>(SizeOf(tensor->dtype()));
  for (size_t i = kept; i < places.size(); ++i) {
    const int64_t first = places[i] / row * block, column = places[i] % row;
    for (int64_t r = first; r < std::min(first + block, rows); ++r) {
      std::fill_n(tensor->bytes() + (r * row + column) * size, size, std::byte{0});
    }
  }
}

}  // namespace

LayerData MakeLayerData(const LayerSpec& spec, uint64_t seed) {
  const Random random(seed);
  const size_t own_inputs = spec.inputs.size() - (spec.adds_residual ? 1 : 0);
  LayerData data;
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    const bool is_residual = i == own_inputs;
    Random values = random.Fork("input").Fork(i);
    data.inputs.emplace_back(spec.inputs[i]);
    Fill(is_residual ? Range{-1, 1} : RangeOf(spec, i, spec.inputs[i]), &values,
         &data.inputs.back());
  }
  for (size_t i = 0; i < spec.weights.size(); ++i) {
    Random values = random.Fork("weight").Fork(i);
    data.weights.emplace_back(spec.weights[i]);
    Fill(RangeOf(spec, own_inputs + i, spec.weights[i]), &values, &data.weights.back());
  }
  if (spec.density < 1 && !data.weights.empty()) {
    Random places = random.Fork("density");
    Thin(spec.density, spec.sparse_block, &places, &data.weights[0]);
  }
  return data;
}

}  // namespace fettle
