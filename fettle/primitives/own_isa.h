#pragma once

#include "fettle/core/target.h"

// Our own kernels are written once, in plain C++ over short loops and vectors of the compiler, and
// compiled for each instruction set: `flatten` inlines the body, and all it calls, into a function
// of that set, and what is inlined is vectorised for it. Which one runs is chosen by the target,
// not by the machine the library was built on.

namespace fettle {

#if defined(__x86_64__)

template <typename Body>
__attribute__((target("avx2,fma"), flatten, noinline)) void RunAvx2(const Body& body) {
  body();
}

template <typename Body>
__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"),
               flatten, noinline)) void
RunAvx512(const Body& body) {
  body();
}

// What functions that call intrinsics say of themselves; they are inlined into the bodies of these
// sets.
#define FETTLE_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
#define FETTLE_AVX512_BF16 \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

template <typename Body>
__attribute__((
    target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,prefer-vector-width=512"),
    flatten, noinline)) void
RunAvx512BF16(const Body& body) {
  body();
}

#endif

// Calls body(), compiled for the widest instruction set the target has. Loops that are worth it
// stand inside the body; a call of something not inlined (a std::function) runs as it was built.
template <typename Body>
void WithIsa(const Target& target, const Body& body) {
#if defined(__x86_64__)
  if (target.has_avx512) return RunAvx512(body);
  if (target.has_avx2) return RunAvx2(body);
#endif
  body();
}

}  // namespace fettle
