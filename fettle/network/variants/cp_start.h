#pragma once

#include <cstddef>
#include <cstdint>

#include "fettle/network/variants/cp_components.h"

// Where alternating least squares for components of a kernel may begin.

namespace fettle {

// Of standard normal numbers.
CpComponents RandomComponents(size_t inputs, size_t height, size_t width, size_t outputs,
                              size_t rank, uint64_t seed);

// Components orthogonal to each other: those of the singular value decompositions of the kernel's
// slices, one for each pair of eigenvectors of the window's two axes; the `rank` with the greatest
// energies, and random ones where there are fewer.
CpComponents OrthogonalStart(const Matrix& kernel, size_t height, size_t width, size_t rank,
                             uint64_t seed);

}  // namespace fettle
