#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fettle {

// What a device can do, as far as the choice of a kernel depends on it, and how many threads it is
// asked to do it with.
struct Target {
  int threads = 1;
  bool has_avx2 = false;         // with FMA
  bool has_avx512 = false;       // F, BW, DQ and VL
  bool has_avx512_bf16 = false;  // dot products of bf16
  bool has_avx512_vnni = false;  // dot products of int8
  int64_t l2_bytes = 1 << 20;    // of a core's second-level cache; a guess where none is told

  friend bool operator==(const Target&, const Target&) = default;
};

// The machine this process runs on. Asserts threads >= 1.
Target HostTarget(int threads);

// The names of the extensions the target has, ascending: {"avx2", "avx512", ...}.
std::vector<std::string> IsaNames(const Target& target);

}  // namespace fettle
