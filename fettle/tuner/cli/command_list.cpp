#include <array>

#include "fettle/tuner/cli/command.h"
#include "fettle/tuner/cli/commands.h"

namespace fettle {

std::span<const Command> Commands() {
  static constexpr std::array kCommands = {
      Command{"tune", "a tuning session: fits a trained model to this machine", RunTune},
      Command{"front", "the Pareto front of a session", RunFront},
      Command{"deploy", "writes a configuration of a session's front", RunDeploy},
      Command{"report", "a session as one self-contained page", RunReport},
      Command{"bench", "latency from end to end, and against ONNX Runtime", RunBench},
      Command{"run", "inference on .npy files", RunRun},
      Command{"evaluate", "accuracy and loss on labelled data", RunEvaluate},
      Command{"train", "trains, fine-tunes or distils a classifier", RunTrain},
      Command{"inspect", "what a model is made of, and what may be changed in it", RunInspect},
      Command{"rewrite", "applies one variant by hand", RunRewrite},
      Command{"query", "what the cost database knows", RunQuery},
      Command{"worker", "what the others start to measure in a process of its own", RunWorker},
  };
  return kCommands;
}

}  // namespace fettle
