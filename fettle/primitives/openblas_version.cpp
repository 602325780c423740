#include <cblas.h>

#include <string_view>

#include "fettle/primitives/library_versions.h"

namespace fettle {

// "OpenBLAS 0.3.21 DYNAMIC_ARCH ..." on a core "SkylakeX" gives "0.3.21 SkylakeX".
std::string OpenblasVersion() {
  const std::string config = openblas_get_config();
  const size_t begin = config.find(' ') + 1;
  return config.substr(begin, config.find(' ', begin) - begin) + " " + openblas_get_corename();
}

std::string BetterOpenblasCore(const Target& target) {
  // What it takes for a processor whose model it does not know (0.3.21: Intel's since 2023).
  if (openblas_get_corename() != std::string_view("Prescott")) return "";
  if (target.has_avx512) return "SkylakeX";
  return target.has_avx2 ? "Haswell" : "";
}

}  // namespace fettle
