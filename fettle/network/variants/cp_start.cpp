#include "fettle/network/variants/cp_start.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "fettle/core/random.h"
#include "fettle/network/linalg/decompositions.h"

namespace fettle {
namespace {

// The eigenvectors of the Gram matrix of one axis of the window: 0 its rows, 1 its columns.
Matrix WindowBasis(const Matrix& kernel, size_t height, size_t width, int axis) {
  const size_t extent = axis == 0 ? height : width, taps = height * width;
  Matrix gram(extent, extent);
  const std::span<const double> values = kernel.values();
  for (size_t first = 0; first < values.size(); first += taps) {
    for (size_t a = 0; a < taps; ++a) {
      for (size_t b = 0; b < taps; ++b) {
        const bool meets = axis == 0 ? a % width == b % width : a / width == b / width;
        if (!meets) continue;
        gram(axis == 0 ? a / width : a % width, axis == 0 ? b / width : b % width) +=
            values[first + a] * values[first + b];
      }
    }
  }
  return SymmetricEigen(gram).vectors;
}

// [T, S]: the kernel seen through a pattern of the window.
Matrix SliceOf(const Matrix& kernel, const std::vector<double>& pattern) {
  Matrix slice(kernel.rows(), kernel.columns() / pattern.size());
  const double* value = kernel.values().data();
  for (double& sum : slice.values()) {
    for (const double weight : pattern) sum += weight * *value++;
  }
  return slice;
}

}  // namespace

CpComponents RandomComponents(size_t inputs, size_t height, size_t width, size_t outputs,
                              size_t rank, uint64_t seed) {
  CpComponents c{Matrix(inputs, rank), Matrix(height, rank), Matrix(width, rank),
                 Matrix(outputs, rank)};
  Random random(seed);
  for (Matrix* factor : {&c.inputs, &c.rows, &c.columns, &c.outputs}) {
    for (double& value : factor->values()) value = random.Normal();
  }
  return c;
}

CpComponents OrthogonalStart(const Matrix& kernel, size_t height, size_t width, size_t rank,
                             uint64_t seed) {
  const Matrix rows = WindowBasis(kernel, height, width, 0);
  const Matrix columns = WindowBasis(kernel, height, width, 1);
  const size_t inputs = kernel.columns() / (height * width);
  struct Candidate {
    double energy;
    size_t row, column, place;
  };
  std::vector<Candidate> candidates;
  std::vector<Matrix> slices, bases;
  for (size_t a = 0; a < height; ++a) {
    for (size_t b = 0; b < width; ++b) {
      std::vector<double> pattern;
      for (size_t i = 0; i < height; ++i) {
        for (size_t j = 0; j < width; ++j) pattern.push_back(rows(i, a) * columns(j, b));
      }
      slices.push_back(SliceOf(kernel, pattern));
      EigenDecomposition eigen =
          SymmetricEigen(ProductWithTransposed(slices.back(), slices.back()));
      for (size_t k = 0; k < std::min(inputs, kernel.rows()); ++k) {
        if (eigen.values[k] > 1e-12 * eigen.values[0]) {
          candidates.push_back({eigen.values[k], a, b, k});
        }
      }
      bases.push_back(std::move(eigen.vectors));
    }
  }
  std::ranges::stable_sort(candidates, std::greater<>(), &Candidate::energy);
  CpComponents c = RandomComponents(inputs, height, width, kernel.rows(), rank, seed);
  for (size_t r = 0; r < std::min(rank, candidates.size()); ++r) {
    const Candidate& from = candidates[r];
    const size_t slice = from.row * width + from.column;
    for (size_t i = 0; i < height; ++i) c.rows(i, r) = rows(i, from.row);
    for (size_t j = 0; j < width; ++j) c.columns(j, r) = columns(j, from.column);
    for (size_t s = 0; s < inputs; ++s) c.inputs(s, r) = 0;
    for (size_t t = 0; t < kernel.rows(); ++t) {
      c.outputs(t, r) = bases[slice](t, from.place);
      for (size_t s = 0; s < inputs; ++s) {
        c.inputs(s, r) += slices[slice](t, s) * bases[slice](t, from.place);
      }
    }
  }
  return c;
}

}  // namespace fettle
