#pragma once

#include <cstddef>

#include "fettle/network/linalg/matrix.h"

namespace fettle {

// A Tucker-2 decomposition of a kernel [T, S * taps]: bases of its outputs and inputs, orthonormal
// in columns.
struct ChannelBases {
  Matrix inputs;   // [S, R3]
  Matrix outputs;  // [T, R4]
};

// By higher-order singular values (De Lathauwer, De Moor & Vandewalle 2000a), then higher-order
// orthogonal iteration (2000b) until a round keeps more of the kernel by no more than a share of
// 1e-6 of what is lost, or it has used as much time as its layer is worth; `most_rounds` at most.
ChannelBases BestChannelBases(const Matrix& kernel, size_t taps, size_t r3, size_t r4,
                              int most_rounds = 300);

// The kernel in these bases: [R4, R3 * taps].
Matrix CoreOf(const Matrix& kernel, size_t taps, const ChannelBases& bases);

}  // namespace fettle
