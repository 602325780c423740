#pragma once

#include "fettle/core/tensor.h"
#include "fettle/training/trainer/onednn_training.h"

namespace fettle::onednn {

// A copy of a parameter (f32, plain) in the format and type that a primitive wants.
class PackedWeights {
 public:
  PackedWeights(const dnnl::memory::desc& plain, const dnnl::memory::desc& packed);

  // The copy of `parameter`, made anew; or the parameter itself where the formats are the same.
  dnnl::memory Pack(const void* parameter, dnnl::stream* stream);

 private:
  dnnl::memory::desc plain_, packed_;
  Tensor copy_;
  dnnl::reorder reorder_;  // null where nothing is to be done
};

// Memory in which a primitive leaves a parameter's gradient, and its way back.
class UnpackedGradient {
 public:
  UnpackedGradient(const dnnl::memory::desc& packed, const dnnl::memory::desc& plain);

  // Where the primitive is to write: own memory, or the gradient itself.
  dnnl::memory Target(void* gradient);
  void Unpack(void* gradient, dnnl::stream* stream);

 private:
  dnnl::memory::desc packed_, plain_;
  Tensor copy_;
  dnnl::reorder reorder_;
};

}  // namespace fettle::onednn
