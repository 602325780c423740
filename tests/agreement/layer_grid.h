#pragma once

#include <vector>

#include "fettle/core/layer_spec.h"

namespace fettle {

// Small layers, enumerated: for each operator the combinations of what its kernels treat apart
// (channels below, at and above a block, strides, borders, groups, epilogues, types).
std::vector<LayerSpec> ConvGrid();
std::vector<LayerSpec> GroupedGrid();      // convolutions in groups, down to one filter a channel
std::vector<LayerSpec> TileGrid();         // 3x3 convolutions about the tiles of Winograd's
std::vector<LayerSpec> BlockGrid();        // inverted_residual
std::vector<LayerSpec> SparseGrid();       // convolutions with zeros
std::vector<LayerSpec> WideKernelGrid();   // of stride 1, about the tiles of Fourier transforms
std::vector<LayerSpec> MatrixGrid();       // inner_product, gemm, matmul
std::vector<LayerSpec> PoolingGrid();      // pool, global_average_pool, reduce_mean, resize, lrn
std::vector<LayerSpec> ElementwiseGrid();  // activation, channel_affine, binary, sum, softmax, cast
std::vector<LayerSpec> MovingGrid();       // concat, slice, reshape, transpose, pad, reorder

// Layers of the same operators, large enough that kernels share them out over threads.
std::vector<LayerSpec> ParallelGrid();

}  // namespace fettle
