#pragma once

#include <memory>

#include "fettle/primitives/primitive.h"

// One maker a primitive, for primitive_list.cpp alone: who wants a primitive takes it from the
// list.

namespace fettle {

// reference.cpp
std::unique_ptr<Primitive> MakeReference();

// own_activation.cpp, own_binary.cpp, own_channel_affine.cpp
std::unique_ptr<Primitive> MakeOwnActivation();
std::unique_ptr<Primitive> MakeOwnBinary();
std::unique_ptr<Primitive> MakeOwnChannelAffine();

// own_copy.cpp, own_move.cpp, own_reorder.cpp
std::unique_ptr<Primitive> MakeOwnCast();
std::unique_ptr<Primitive> MakeOwnConcat();
std::unique_ptr<Primitive> MakeOwnPad();
std::unique_ptr<Primitive> MakeOwnReorder();
std::unique_ptr<Primitive> MakeOwnReshape();
std::unique_ptr<Primitive> MakeOwnResizeNearest();
std::unique_ptr<Primitive> MakeOwnSlice();
std::unique_ptr<Primitive> MakeOwnTranspose();

// own_lrn.cpp, own_pool.cpp, own_reduce.cpp, own_resize.cpp, own_softmax.cpp
std::unique_ptr<Primitive> MakeOwnGlobalAveragePool();
std::unique_ptr<Primitive> MakeOwnLrn();
std::unique_ptr<Primitive> MakeOwnPool();
std::unique_ptr<Primitive> MakeOwnReduceMean();
std::unique_ptr<Primitive> MakeOwnResizeLinear();
std::unique_ptr<Primitive> MakeOwnSoftmax();

// own_depthwise_conv.cpp, own_im2col_conv.cpp, own_inner_product.cpp
std::unique_ptr<Primitive> MakeOwnDepthwiseConv();
std::unique_ptr<Primitive> MakeOwnIm2ColConv();
std::unique_ptr<Primitive> MakeOwnInnerProduct();
std::unique_ptr<Primitive> MakeOwnInvertedResidual();

// own_fft_conv.cpp
std::unique_ptr<Primitive> MakeOwnFftConv();

// own_grouped_conv.cpp
std::unique_ptr<Primitive> MakeOwnGroupedConv();

// own_sparse_conv.cpp
std::unique_ptr<Primitive> MakeOwnSparseConv();

// own_winograd_conv.cpp
std::unique_ptr<Primitive> MakeOwnWinogradConv();

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
