#pragma once

#include <cstdint>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/core/tensor.h"

namespace fettle {

// What a layer is measured with.
struct LayerData {
  std::vector<Tensor> inputs, weights;  // in LayerSpec's order
};

// The same for the same spec and seed on every machine: floats uniform in [-1, 1), a convolution's
// or an inner product's weights scaled so that outputs have about the inputs' size; divisors,
// variances and scales in [1/2, 3/2); integers over their range, int64 within 1000. The first
// weight has exactly spec.density of its values (of its blocks of spec.sparse_block) not zero, at
// random places.
LayerData MakeLayerData(const LayerSpec& spec, uint64_t seed);

}  // namespace fettle
