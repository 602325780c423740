#include "fettle/primitives/epilogue.h"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__)
#define FETTLE_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define FETTLE_CLONES
#endif

namespace fettle {
namespace {

constexpr int64_t kParallelElements = 1 << 14;  // below, starting threads costs more than it saves

template <typename Function>
inline __attribute__((always_inline)) void ForEach(float* y, int64_t count,
                                                   const Function& function) {
  for (int64_t i = 0; i < count; ++i) y[i] = function(y[i]);
}

FETTLE_CLONES void AddOne(float* y, int64_t count, float bias) {
  for (int64_t i = 0; i < count; ++i) y[i] += bias;
}

FETTLE_CLONES void AddEach(float* y, int64_t count, const float* bias) {
  for (int64_t i = 0; i < count; ++i) y[i] += bias[i];
}

FETTLE_CLONES void Activate(const Activation& activation, float* y, int64_t count) {
  const float alpha = activation.alpha, beta = activation.beta;
  switch (activation.kind) {
    case ActivationKind::kRelu:
      return ForEach(y, count, [](float x) { return x > 0 ? x : 0; });
    case ActivationKind::kClip:
      return ForEach(y, count, [=](float x) {
        const float above = x > alpha ? x : alpha;
        return above < beta ? above : beta;
      });
    case ActivationKind::kLeakyRelu:
      return ForEach(y, count, [=](float x) { return x > 0 ? x : alpha * x; });
    case ActivationKind::kSigmoid:
      return ForEach(y, count, [](float x) { return 1 / (1 + std::exp(-x)); });
    case ActivationKind::kHardSigmoid:
      return ForEach(y, count, [=](float x) {
        const float above = alpha * x + beta > 0 ? alpha * x + beta : 0;
        return above < 1 ? above : 1;
      });
    case ActivationKind::kHardSwish:
      return ForEach(y, count, [](float x) {
        const float gate = x / 6 + 0.5f;
        const float above = gate > 0 ? gate : 0;
        return x * (above < 1 ? above : 1);
      });
    case ActivationKind::kTanh:
      return ForEach(y, count, [](float x) { return std::tanh(x); });
  }
}

}  // namespace

void Epilogue::ApplyToRows(float* y, int64_t rows, int64_t columns, const float* bias) const {
  if (bias == nullptr && !activation_) return;
#pragma omp parallel for schedule(static) if (rows * columns > kParallelElements)
  for (int64_t row = 0; row < rows; ++row) {
    if (bias != nullptr) AddOne(y + row * columns, columns, bias[row]);
    if (activation_) Activate(*activation_, y + row * columns, columns);
  }
}

void Epilogue::ApplyToColumns(float* y, int64_t rows, int64_t columns, const float* bias) const {
  if (bias == nullptr && !activation_) return;
#pragma omp parallel for schedule(static) if (rows * columns > kParallelElements)
  for (int64_t row = 0; row < rows; ++row) {
    if (bias != nullptr) AddEach(y + row * columns, columns, bias);
    if (activation_) Activate(*activation_, y + row * columns, columns);
  }
}

}  // namespace fettle
