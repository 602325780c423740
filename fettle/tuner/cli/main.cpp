#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/primitives/library_versions.h"
#include "fettle/tuner/cli/command.h"

namespace {

// Begins anew where OpenBLAS has to be told which kernels this processor runs: it listens only
// while it is loaded. Goes on where that fails.
void TellOpenblas(char** argv) {
  constexpr const char* kVariable = "OPENBLAS_CORETYPE";
  const std::string core = fettle::BetterOpenblasCore(fettle::HostTarget(1));
  if (core.empty() || std::getenv(kVariable) != nullptr) return;
  if (setenv(kVariable, core.c_str(), 1) == 0) execv("/proc/self/exe", argv);
}

}  // namespace

int main(int argc, char** argv) {
  TellOpenblas(argv);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  fettle::Console console(std::cout, std::cerr, is_terminal);
  return fettle::RunCommandLine(arguments, console);
}
