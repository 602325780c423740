#include "fettle/primitives/own_epilogue.h"

#include "fettle/primitives/own_isa.h"

namespace fettle {

ActivateFunction ActivateFunctionFor(const Target& target) {
#if defined(__x86_64__)
  if (target.has_avx512) {
    return [](const Activation& activation, int64_t count, float* values) {
      RunAvx512([&] { ActivateRow(activation, count, values); });
    };
  }
  if (target.has_avx2) {
    return [](const Activation& activation, int64_t count, float* values) {
      RunAvx2([&] { ActivateRow(activation, count, values); });
    };
  }
#endif
  return [](const Activation& activation, int64_t count, float* values) {
    ActivateRow(activation, count, values);
  };
}

}  // namespace fettle
