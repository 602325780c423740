#pragma once

#include <memory>

#include "fettle/primitives/primitive.h"

// One maker a primitive, for primitive_list.cpp alone: who wants a primitive takes it from the
// list.

namespace fettle {

// reference.cpp
std::unique_ptr<Primitive> MakeReference();

// onednn_conv.cpp
std::unique_ptr<Primitive> MakeOnednnConv();
// onednn_inner_product.cpp
std::unique_ptr<Primitive> MakeOnednnInnerProduct();
// onednn_matmul.cpp
std::unique_ptr<Primitive> MakeOnednnMatmul();
// onednn_pool.cpp
std::unique_ptr<Primitive> MakeOnednnPool();
std::unique_ptr<Primitive> MakeOnednnGlobalAveragePool();
// onednn_elementwise.cpp
std::unique_ptr<Primitive> MakeOnednnEltwise();
std::unique_ptr<Primitive> MakeOnednnSoftmax();
std::unique_ptr<Primitive> MakeOnednnLrn();
// onednn_binary.cpp
std::unique_ptr<Primitive> MakeOnednnBinary();
std::unique_ptr<Primitive> MakeOnednnSum();
// onednn_move.cpp
std::unique_ptr<Primitive> MakeOnednnConcat();
std::unique_ptr<Primitive> MakeOnednnReorder();
// onednn_resampling.cpp
std::unique_ptr<Primitive> MakeOnednnResampling();

// openblas_im2col_conv.cpp
std::unique_ptr<Primitive> MakeOpenblasIm2colConv();
std::unique_ptr<Primitive> MakeOpenblasIm2rowConv();
// openblas_pointwise_conv.cpp
std::unique_ptr<Primitive> MakeOpenblasPointwiseConv();
// openblas_kn2row_conv.cpp
std::unique_ptr<Primitive> MakeOpenblasKn2rowConv();
// openblas_matmul.cpp
std::unique_ptr<Primitive> MakeOpenblasInnerProduct();
std::unique_ptr<Primitive> MakeOpenblasMatmul();

}  // namespace fettle
