#pragma once

#include "fettle/core/dtype.h"
#include "fettle/core/target.h"

namespace fettle {

// What a core does at most, in GFLOP/s: a loop of nothing but independent multiply-adds in
// registers (f32), or of dot products (bf16, where the target has them; f32's elsewhere), the best
// of some tries. Nothing (0) without AVX2.
double PeakGflops(DType dtype, const Target& target);

}  // namespace fettle
