#include <cblas.h>
#include <unistd.h>

#include <cstdlib>
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

void TellOpenblas(char** argv) {
  constexpr const char* kVariable = "OPENBLAS_CORETYPE";
  const std::string core = BetterOpenblasCore(HostTarget(1));
  if (core.empty() || std::getenv(kVariable) != nullptr) return;
  char self[4096];  // by its name, so that others see it under that one
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
  if (length <= 0 || setenv(kVariable, core.c_str(), 1) != 0) return;
  self[length] = '\0';
  execv(self, argv);
}

}  // namespace fettle
