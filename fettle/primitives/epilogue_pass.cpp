#include "fettle/primitives/epilogue_pass.h"

#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"

namespace fettle {
namespace {

// Calls visit(row index, its elements) for each row, compiled for the target.
template <typename Visit>
void ForEachRow(const Target& target, float* y, int64_t rows, int64_t columns, const Visit& visit) {
  ParallelFor(target, rows, columns, [&](int64_t begin, int64_t end, int64_t) {
    WithIsa(target, [&] {
      for (int64_t row = begin; row < end; ++row) visit(row, y + row * columns);
    });
  });
}

}  // namespace

void EpiloguePass::ApplyToRows(float* y, int64_t rows, int64_t columns, const float* bias) const {
  if (bias == nullptr && !activation_) return;
  ForEachRow(target_, y, rows, columns, [&](int64_t row, float* values) {
    if (bias != nullptr) {
      const float addend = bias[row];
      MapRow(columns, values, [=](float x) { return x + addend; });
    }
    if (activation_) ActivateRow(*activation_, columns, values);
  });
}

void EpiloguePass::ApplyToColumns(float* y, int64_t rows, int64_t columns,
                                  const float* bias) const {
  if (bias == nullptr && !activation_) return;
  ForEachRow(target_, y, rows, columns, [&](int64_t, float* values) {
    if (bias != nullptr) {
#pragma omp simd
      for (int64_t i = 0; i < columns; ++i) values[i] += bias[i];
    }
    if (activation_) ActivateRow(*activation_, columns, values);
  });
}

}  // namespace fettle
