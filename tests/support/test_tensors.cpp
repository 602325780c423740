#include "tests/support/test_tensors.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "fettle/core/random.h"
#include "tests/support/values_in_double.h"

namespace fettle {
namespace {

template <typename T, typename F>
void Fill(Tensor* tensor, F&& next) {
  for (T& value : tensor->values<T>()) value = static_cast<T>(next());
}

}  // namespace

Tensor RandomTensor(const TensorType& type, uint64_t seed) {
  Random random(seed);
  const auto normal = [&] { return random.Normal(); };
  const auto integer = [&] { return random.Integer(-5, 5); };
  const auto natural = [&] { return random.Integer(0, 10); };
  Tensor tensor(type);
  switch (type.dtype) {
    case DType::kF32:
      Fill<float>(&tensor, normal);
      break;
    case DType::kF64:
      Fill<double>(&tensor, normal);
      break;
    case DType::kBF16:
      Fill<uint16_t>(&tensor, [&] { return ToBF16(static_cast<float>(random.Normal())); });
      break;
    case DType::kI8:
      Fill<int8_t>(&tensor, integer);
      break;
    case DType::kU8:
      Fill<uint8_t>(&tensor, natural);
      break;
    case DType::kBool:
      Fill<uint8_t>(&tensor, [&] { return random.Integer(0, 1); });
      break;
    case DType::kI16:
      Fill<int16_t>(&tensor, integer);
      break;
    case DType::kI32:
      Fill<int32_t>(&tensor, integer);
      break;
    case DType::kI64:
      Fill<int64_t>(&tensor, integer);
      break;
    case DType::kF16:
      assert(false);
  }
  return tensor;
}

std::vector<Tensor> RandomTensors(std::span<const TensorType> types, uint64_t seed) {
  std::vector<Tensor> tensors;
  for (const TensorType& type : types) {
    tensors.push_back(RandomTensor(type, Random(seed).Fork(tensors.size()).seed()));
  }
  return tensors;
}

Tensor RandomImages(const Shape& shape, uint64_t seed) {
  assert(shape.size() == 4);
  constexpr int64_t kAreas = 8;  // along each side
  Random random(seed);
  Tensor images(TensorType{DType::kF32, shape});
  float* value = images.values<float>().data();
  for (int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
    std::vector<double> areas(kAreas * kAreas);
    for (double& area : areas) area = random.Normal();
    for (int64_t row = 0; row < shape[2]; ++row) {
      for (int64_t column = 0; column < shape[3]; ++column) {
        const int64_t area = row * kAreas / shape[2] * kAreas + column * kAreas / shape[3];
        *value++ = static_cast<float>(areas[static_cast<size_t>(area)] + random.Normal(0, 0.3));
      }
    }
  }
  return images;
}

double RelativeError(const Tensor& got, const Tensor& want) {
  if (got.type() != want.type()) return std::numeric_limits<double>::infinity();
  const std::vector<double> a = ValuesInDouble(got);
  const std::vector<double> b = ValuesInDouble(want);
  double difference = 0;
  double magnitude = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) {
      if (std::isfinite(b[i])) magnitude = std::max(magnitude, std::abs(b[i]));
      continue;
    }
    const double here = std::abs(a[i] - b[i]);
    if (!std::isfinite(here)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, here);
    magnitude = std::max(magnitude, std::abs(b[i]));
  }
  return difference == 0 ? 0 : difference / magnitude;
}

}  // namespace fettle
