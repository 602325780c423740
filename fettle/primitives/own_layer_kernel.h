#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "fettle/core/target.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_kernel_isa.h"
#include "fettle/primitives/own_rows.h"

// How layers of one input become kernels.

namespace fettle {

// Of T: layer->Run(x, epilogue, workspace). Shared, since a kernel's function can be copied.
template <typename T, typename Layer>
std::unique_ptr<Kernel> MakeLayerKernel(std::shared_ptr<const Layer> layer, const LayerSpec& spec) {
  const size_t workspace_bytes = layer->WorkspaceBytes(), weight_bytes = layer->WeightBytes();
  return MakeKernel(
      [spec, layer = std::move(layer)](KernelInputs inputs, std::byte* output,
                                       std::byte* workspace) {
        layer->Run(As<T>(inputs[0]), EpilogueOf<T>(spec, inputs, output), workspace);
      },
      workspace_bytes, weight_bytes);
}

// Calls visit.operator()<T, Isa>() with the type and the widest instruction set that the target has
// for it, vectors of 8 at least; `by_dots`: BF16Dots, of bf16 on a target with AVX-512 BF16.
template <typename Visit>
std::unique_ptr<Kernel> VisitIsa(DType dtype, [[maybe_unused]] const Target& target,
                                 [[maybe_unused]] bool by_dots, const Visit& visit) {
  return VisitFloat(dtype, [&](auto type) {
    using T = decltype(type);
#if defined(__x86_64__)
    if constexpr (std::is_same_v<T, BF16>) {
      if (by_dots) return visit.template operator()<T, Avx512BF16Isa<BF16Dots>>();
      if (target.has_avx512_bf16) {
        return visit.template operator()<T, Avx512BF16Isa<F32RoundedProducts>>();
      }
    } else if (target.has_avx512) {
      return visit.template operator()<T, Avx512Isa>();
    }
    if (target.has_avx2) return visit.template operator()<T, Avx2Isa>();
#endif
    return visit.template operator()<T, PlainIsa<8, F32Products>>();
  });
}

}  // namespace fettle
