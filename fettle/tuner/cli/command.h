#pragma once

#include <span>
#include <string>
#include <string_view>

#include "fettle/tuner/cli/console.h"

namespace fettle {

// A subcommand. Its function gets what stands behind its name, and returns the exit code or throws
// an Error.
struct Command {
  std::string_view name;
  std::string_view summary;  // one line
  int (*run)(std::span<const std::string> arguments, Console& console);
};

// In the order in which help shows them.
std::span<const Command> Commands();

// The whole program: finds the command, turns Errors into one line and an exit code.
int RunCommandLine(std::span<const std::string> arguments, Console& console);

}  // namespace fettle
