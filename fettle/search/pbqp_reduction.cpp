#include "fettle/search/pbqp_reduction.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

namespace fettle {
namespace {

// out[i] = min(out[i], base + values[i]). Here and below the compiler makes vector minima of it.
inline void MinPlus(double base, const double* values, int n, double* __restrict out) {
  for (int i = 0; i < n; ++i) out[i] = Smaller(base + values[i], out[i]);
}

// The same with four rows at once, which saves most of the traffic with `out`.
inline void MinPlus4(const double base[4], const double* values, int n, double* __restrict out) {
  const double *const v0 = values, *const v1 = v0 + n, *const v2 = v1 + n, *const v3 = v2 + n;
  const double b0 = base[0], b1 = base[1], b2 = base[2], b3 = base[3];
  for (int i = 0; i < n; ++i) {
    const double first = Smaller(b0 + v0[i], b1 + v1[i]);
    const double second = Smaller(b2 + v2[i], b3 + v3[i]);
    out[i] = Smaller(Smaller(first, second), out[i]);
  }
}

}  // namespace

void ReduceToVector(const std::vector<double>& costs, const PbqpMatrix& to_a,
                    std::vector<double>* out) {
  assert(to_a.rows() == static_cast<int>(costs.size()));
  out->assign(static_cast<size_t>(to_a.cols()), kForbidden);
  for (int k = 0; k < to_a.rows(); ++k) {
    const double base = costs[k];
    if (base < kForbidden) MinPlus(base, to_a.Row(k), to_a.cols(), out->data());
  }
}

void ReduceToMatrix(const std::vector<double>& costs, const PbqpMatrix& to_a,
                    const PbqpMatrix& to_b, PbqpMatrix* out) {
  const int options = static_cast<int>(costs.size());
  assert(to_a.rows() == options && to_b.rows() == options);
  *out = PbqpMatrix(to_a.cols(), to_b.cols(), kForbidden);
  for (int a = 0; a < to_a.cols(); ++a) {
    int k = 0;
    for (; k + 4 <= options; k += 4) {
      double base[4];
      for (int i = 0; i < 4; ++i) base[i] = costs[k + i] + to_a.At(k + i, a);
      MinPlus4(base, to_b.Row(k), to_b.cols(), out->Row(a));
    }
    for (; k < options; ++k) {
      MinPlus(costs[k] + to_a.At(k, a), to_b.Row(k), to_b.cols(), out->Row(a));
    }
  }
}

int BestOption(const std::vector<double>& costs, const std::vector<DecidedEdge>& edges) {
  int best = -1;
  double best_cost = kForbidden;
  for (int k = 0; k < static_cast<int>(costs.size()); ++k) {
    double cost = costs[k];
    for (const DecidedEdge& edge : edges) cost += edge.costs->At(k, edge.choice);
    if (cost < best_cost) {
      best = k;
      best_cost = cost;
    }
  }
  return best;
}

Separation Separate(const PbqpMatrix& matrix, double tolerance) {
  const int rows = matrix.rows(), cols = matrix.cols();
  Separation result;
  result.row.assign(static_cast<size_t>(rows), kForbidden);
  result.col.assign(static_cast<size_t>(cols), kForbidden);
  for (int i = 0; i < rows; ++i) {
    const double* const row = matrix.Row(i);
    const double low = cols == 0 ? kForbidden : *std::min_element(row, row + cols);
    result.row[i] = low;
    if (low == kForbidden) continue;
    for (int j = 0; j < cols; ++j) {
      double& col = result.col[j];
      col = std::min(col, row[j] - low);
    }
  }
  result.separable = true;
  for (int i = 0; i < rows && result.separable; ++i) {
    const double low = result.row[i];
    if (low == kForbidden) continue;
    for (int j = 0; j < cols && result.separable; ++j) {
      const double col = result.col[j];
      if (col < kForbidden) result.separable = (matrix.At(i, j) - low) - col <= tolerance;
    }
  }
  return result.separable ? result : Separation();
}

double RoundingTolerance(const PbqpMatrix& matrix) {
  double largest = 0;
  for (double value : matrix.values()) {
    if (value < kForbidden) largest = std::max(largest, std::abs(value));
  }
  return 1e-13 * largest;
}

}  // namespace fettle
