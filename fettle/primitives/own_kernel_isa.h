#pragma once

#include "fettle/primitives/own_dot.h"
#include "fettle/primitives/own_isa.h"

// What a convolution's kernels are compiled for: the lanes of a vector, how products are summed and
// rounded (own_dot.h), and the instruction set that runs them.

namespace fettle {

template <int kLanesOfIsa, typename ProductsOfIsa>
struct PlainIsa {
  static constexpr int kLanes = kLanesOfIsa;
  using Products = ProductsOfIsa;
  template <typename Body>
  static void Run(const Body& body) {
    body();
  }
};

#if defined(__x86_64__)

struct Avx2Isa : PlainIsa<8, F32Products> {
  template <typename Body>
  static void Run(const Body& body) {
    RunAvx2(body);
  }
};

struct Avx512Isa : PlainIsa<16, F32Products> {
  template <typename Body>
  static void Run(const Body& body) {
    RunAvx512(body);
  }
};

template <typename ProductsOfIsa>
struct Avx512BF16Isa : PlainIsa<16, ProductsOfIsa> {
  template <typename Body>
  static void Run(const Body& body) {
    RunAvx512BF16(body);
  }
};

#endif

}  // namespace fettle
