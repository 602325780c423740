#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "fettle/primitives/library_versions.h"

namespace fettle {

// To be called first in main: begins the process anew, with argv, where OpenBLAS has to be told
// which kernels this processor runs (BetterOpenblasCore) and nobody has; it listens only while it
// is loaded. Goes on where that fails.
inline void TellOpenblas(char** argv) {
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
