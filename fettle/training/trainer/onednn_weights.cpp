#include "fettle/training/trainer/onednn_weights.h"

namespace fettle::onednn {
namespace {

Tensor Bytes(const dnnl::memory::desc& desc) {
  return Tensor(TensorType{DType::kU8, {static_cast<int64_t>(desc.get_size())}});
}

dnnl::reorder Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  return dnnl::reorder(dnnl::reorder::primitive_desc(Engine(), from, Engine(), to));
}

}  // namespace

PackedWeights::PackedWeights(const dnnl::memory::desc& plain, const dnnl::memory::desc& packed)
    : plain_(plain), packed_(packed) {
  if (plain == packed) return;
  copy_ = Bytes(packed);
  reorder_ = Reorder(plain, packed);
}

dnnl::memory PackedWeights::Pack(const void* parameter, dnnl::stream* stream) {
  dnnl::memory from = Memory(plain_, parameter);
  if (!reorder_) return from;
  dnnl::memory to = Memory(packed_, copy_.bytes());
  reorder_.execute(*stream, from, to);
  return to;
}

UnpackedGradient::UnpackedGradient(const dnnl::memory::desc& packed,
                                   const dnnl::memory::desc& plain)
    : packed_(packed), plain_(plain) {
  if (packed == plain) return;
  copy_ = Bytes(packed);
  reorder_ = Reorder(packed, plain);
}

dnnl::memory UnpackedGradient::Target(void* gradient) {
  return Memory(packed_, reorder_ ? static_cast<void*>(copy_.bytes()) : gradient);
}

void UnpackedGradient::Unpack(void* gradient, dnnl::stream* stream) {
  if (!reorder_) return;
  dnnl::memory from = Memory(packed_, copy_.bytes());
  dnnl::memory to = Memory(plain_, gradient);
  reorder_.execute(*stream, from, to);
}

}  // namespace fettle::onednn
