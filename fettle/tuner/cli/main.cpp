#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "fettle/tuner/cli/command.h"
#include "fettle/tuner/cli/tell_openblas.h"

int main(int argc, char** argv) {
  fettle::TellOpenblas(argv);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  fettle::Console console(std::cout, std::cerr, is_terminal);
  return fettle::RunCommandLine(arguments, console);
}
