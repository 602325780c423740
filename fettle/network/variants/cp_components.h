#pragma once

#include <cstddef>
#include <cstdint>

#include "fettle/network/linalg/matrix.h"

// A kernel [T, S * Dh * Dw] as a sum of R products of four vectors (canonical polyadic
// decomposition).

namespace fettle {

struct CpComponents {
  Matrix inputs;   // [S, R]
  Matrix rows;     // [Dh, R]
  Matrix columns;  // [Dw, R]
  Matrix outputs;  // [T, R]

  size_t rank() const { return outputs.columns(); }

  // The kernel they come to.
  Matrix Kernel() const;

  // The sum of the components' squared norms. Much more than the kernel's own: they cancel, and
  // neither bf16 nor training takes that well.
  double ComponentEnergy() const;

  // The four vectors of each component made equally long.
  void Balance();
};

// Components of more than so much of the kernel's energy are brought down.
inline constexpr double kMostComponentEnergy = 1.2;

struct CpLimits {
  double multiplications = 2e9;
  int sweeps = 300;
  uint64_t seed = 1;
};

// By alternating least squares, on the kernel's Tucker-2 core where that saves time; from the R
// greatest of the orthogonal components that the singular value decompositions of the kernel's
// slices make (after those of the window's two axes), seeded random ones beyond, and for small
// kernels from other random starts too; with error-preserving correction.
CpComponents BestComponents(const Matrix& kernel, size_t height, size_t width, size_t rank,
                            const CpLimits& limits);

// Error-preserving correction (Phan et al., "Stable Low-rank Tensor Decomposition for Compression
// of Convolutional Neural Network", ECCV 2020): factor by factor, that of least norm whose error is
// no greater than now, by a multiplier found by bisection; at most so many sweeps over the four.
void LowerComponentEnergy(const Matrix& kernel, int sweeps, CpComponents* components);

}  // namespace fettle
