#include <array>

#include "fettle/tuner/cli/command.h"
#include "fettle/tuner/cli/commands.h"

namespace fettle {

std::span<const Command> Commands() {
  static constexpr std::array kCommands = {
      Command{"train", "trains, fine-tunes or distils a classifier", RunTrain},
      Command{"evaluate", "accuracy and loss on labelled data", RunEvaluate},
      Command{"inspect", "what a model is made of, and what may be changed in it", RunInspect},
      Command{"run", "inference on .npy files", RunRun},
  };
  return kCommands;
}

}  // namespace fettle
