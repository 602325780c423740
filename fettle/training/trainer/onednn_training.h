#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "fettle/core/error.h"
#include "fettle/core/shape.h"

// Our words in oneDNN's, for this folder's files that are named after it.

namespace fettle::onednn {

using Tag = dnnl::memory::format_tag;

// The processor. Primitives and memory point to it, so that it must outlive them all.
inline const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

inline dnnl::memory::data_type TypeOf(DType dtype) {
  return dtype == DType::kBF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

// An activation with channels last; 2 to 4 axes.
inline dnnl::memory::desc ActivationDesc(const TensorType& type) {
  const size_t rank = type.shape.size();
  const Tag tag = rank == 2 ? Tag::nc : rank == 3 ? Tag::nwc : Tag::nhwc;
  return {type.shape, TypeOf(type.dtype), tag};
}

// The scratch memory belongs to the caller: the library's own is lost between threads.
inline dnnl::primitive_attr UserScratch() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// oneDNN takes inputs as void* too.
inline dnnl::memory Memory(const dnnl::memory::desc& desc, const void* data) {
  return {desc, Engine(), const_cast<void*>(data)};
}

}  // namespace fettle::onednn
