#include "tests/support/random_tensor.h"

#include <algorithm>

#include "fettle/primitives/element.h"

namespace fettle {
namespace {

template <typename T>
void FillFloats(double low, double high, Random* random, Tensor* tensor) {
  auto* to = reinterpret_cast<T*>(tensor->bytes());
  for (int64_t i = 0; i < tensor->num_elements(); ++i) {
    to[i] = ConvertElement<T>(random->Uniform(low, high));
  }
}

// Half of [low, high] mirrored to the negative side, for what must not come near zero.
void MirrorSome(Random* random, Tensor* tensor) {
  for (int64_t i = 0; i < tensor->num_elements(); ++i) {
    if (!random->Chance(0.5)) continue;
    if (tensor->dtype() == DType::kF32) tensor->values<float>()[i] *= -1;
    if (tensor->dtype() == DType::kBF16) tensor->values<uint16_t>()[i] ^= 0x8000;
  }
}

// Zeros in whole blocks of `block` rows of the outermost axis.
void Thin(double density, int64_t block, Random* random, Tensor* tensor) {
  const auto size = static_cast<int64_t>(SizeOf(tensor->dtype()));
  const int64_t rows = tensor->shape().empty() ? 1 : tensor->shape()[0];
  const int64_t row = rows == 0 ? 0 : tensor->num_elements() / rows;
  for (int64_t first = 0; first < rows; first += block) {
    for (int64_t i = 0; i < row; ++i) {
      if (random->Chance(density)) continue;
      for (int64_t r = first; r < std::min(first + block, rows); ++r) {
        std::fill_n(tensor->bytes() + (r * row + i) * size, size, std::byte{0});
      }
    }
  }
}

Tensor Operand(const LayerSpec& spec, const TensorType& type, size_t index, Random* random) {
  const auto* binary = std::get_if<Binary>(&spec.op);
  if (binary != nullptr && binary->kind == BinaryKind::kDiv && index == 1) {
    Tensor divisor = RandomTensor(type, 0.5, 2, random);
    MirrorSome(random, &divisor);
    return divisor;
  }
  const bool is_variance = std::holds_alternative<BatchNorm>(spec.op) && index == 4;
  if (is_variance) return RandomTensor(type, 0.25, 2, random);
  if (std::holds_alternative<Activation>(spec.op)) return RandomTensor(type, -8, 8, random);
  if (std::holds_alternative<Cast>(spec.op)) return RandomTensor(type, -400, 400, random);
  return RandomTensor(type, -2, 2, random);
}

}  // namespace

Tensor RandomTensor(const TensorType& type, double low, double high, Random* random) {
  Tensor tensor(type);
  switch (type.dtype) {
    case DType::kF32:
      FillFloats<float>(low, high, random, &tensor);
      break;
    case DType::kF64:
      FillFloats<double>(low, high, random, &tensor);
      break;
    case DType::kF16:
      FillFloats<F16>(low, high, random, &tensor);
      break;
    case DType::kBF16:
      FillFloats<BF16>(low, high, random, &tensor);
      break;
    case DType::kBool:
      for (uint8_t& value : tensor.values<uint8_t>()) value = random->Chance(0.5) ? 1 : 0;
      break;
    default:
      for (size_t i = 0; i < tensor.num_bytes(); ++i) {
        tensor.bytes()[i] = static_cast<std::byte>(random->Below(256));
      }
  }
  return tensor;
}

LayerOperands RandomOperands(const LayerSpec& spec, Random* random) {
  LayerOperands operands;
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    operands.inputs.push_back(Operand(spec, spec.inputs[i], i, random));
  }
  const size_t before = spec.inputs.size() - (spec.adds_residual ? 1 : 0);
  for (size_t i = 0; i < spec.weights.size(); ++i) {
    operands.weights.push_back(Operand(spec, spec.weights[i], before + i, random));
  }
  if (!operands.weights.empty() && spec.density < 1) {
    Thin(spec.density, spec.sparse_block, random, &operands.weights[0]);
  }
  return operands;
}

}  // namespace fettle
