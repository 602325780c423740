#include <array>

#include "fettle/tuner/cli/command.h"
#include "fettle/tuner/cli/commands.h"

namespace fettle {

std::span<const Command> Commands() {
  static constexpr std::array kCommands = {
      Command{"inspect", "what a model is made of, and what may be changed in it", RunInspect},
      Command{"run", "inference on .npy files", RunRun},
  };
  return kCommands;
}

}  // namespace fettle
