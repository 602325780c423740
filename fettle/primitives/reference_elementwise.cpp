#include <algorithm>
#include <cmath>
#include <limits>

#include "fettle/core/scalar_operators.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/reference_broadcast.h"
#include "fettle/primitives/reference_operators.h"

namespace fettle {
void ReferenceCompute(const Activation& op, FloatOperands operands, const Shape&,
                      std::span<double> y) {
  for (size_t i = 0; i < y.size(); ++i) y[i] = Apply(op, operands[0].values[i]);
}

void ReferenceCompute(const BatchNorm& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const int64_t channels = shape[1], plane = Volume(shape, 2, shape.size());
  for (int64_t i = 0; i < ElementCount(shape); ++i) {
    const auto c = static_cast<size_t>(i / plane % channels);
    const double deviation = std::sqrt(double{operands[4].values[c]} + double{op.epsilon});
    y[i] = (double{operands[0].values[i]} - operands[3].values[c]) / deviation *
               operands[1].values[c] +
           operands[2].values[c];
  }
}

void ReferenceCompute(const ChannelAffine&, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const int64_t channels = shape[1], plane = Volume(shape, 2, shape.size());
  for (int64_t i = 0; i < ElementCount(shape); ++i) {
    const auto c = static_cast<size_t>(i / plane % channels);
    y[i] = double{operands[1].values[c]} * operands[0].values[i] + operands[2].values[c];
  }
}

void ReferenceCompute(const Softmax& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const int64_t extent = shape[op.axis];
  const int64_t inner = Volume(shape, static_cast<size_t>(op.axis) + 1, shape.size());
  const float* x = operands[0].values.data();
  for (int64_t i = 0; i < ElementCount(shape); i += extent * inner) {
    for (int64_t j = i; j < i + inner; ++j) {
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t k = 0; k < extent; ++k) largest = std::max(largest, double{x[j + k * inner]});
      for (int64_t k = 0; k < extent; ++k) sum += std::exp(x[j + k * inner] - largest);
      for (int64_t k = 0; k < extent; ++k) {
        y[j + k * inner] = std::exp(x[j + k * inner] - largest) / sum;
      }
    }
  }
}

void ReferenceCompute(const Binary& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const BroadcastOffsets a(operands[0].shape, shape), b(operands[1].shape, shape);
#pragma omp parallel for schedule(static) if (IsWorthThreads(shape, 16))
  for (int64_t i = 0; i < ElementCount(shape); ++i) {
    y[i] = Apply(op.kind, operands[0].values[a(i)], operands[1].values[b(i)]);
  }
}

void ReferenceCompute(const Sum&, FloatOperands operands, const Shape& shape, std::span<double> y) {
  std::fill(y.begin(), y.end(), 0.0);
  for (const FloatOperand& operand : operands) {
    const BroadcastOffsets offset_of(operand.shape, shape);
#pragma omp parallel for schedule(static) if (IsWorthThreads(shape, 16))
    for (int64_t i = 0; i < ElementCount(shape); ++i) y[i] += operand.values[offset_of(i)];
  }
}

}  // namespace fettle
