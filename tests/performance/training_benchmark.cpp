// Trains an architecture and prints samples/s and accuracy an epoch:
//   training_benchmark ARCHITECTURE DATA [EPOCHS [f32|bf16 [NAME=VALUE...]]]
// with the names of TrainSettings (rate, batch, decay, smoothing, averaging, shift, erase, flip,
// warmup, seed, threads) and checkpoint=FILE, from which it goes on where it exists.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "fettle/core/error.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/trainer/trainer.h"

namespace fettle {
namespace {

struct Options {
  std::string architecture, data, checkpoint;
  TrainSettings settings;
  int threads = 2;
};

Options ParseOptions(int count, char** texts) {
  Options options;
  options.architecture = texts[1];
  options.data = texts[2];
  TrainSettings& s = options.settings;
  s.augmentation = {.flip = true, .shift = 2};
  if (count > 3) s.epochs = std::atof(texts[3]);
  if (count > 4) s.dtype = ParseDType(texts[4]).value_or(DType::kF32);
  for (int i = 5; i < count; ++i) {
    const std::string text = texts[i], name = text.substr(0, text.find('='));
    const std::string value = text.substr(std::min(text.size(), name.size() + 1));
    const double number = std::atof(value.c_str());
    if (name == "checkpoint") options.checkpoint = value;
    if (name == "threads") options.threads = static_cast<int>(number);
    if (name == "rate") s.learning_rate = number;
    if (name == "batch") s.batch = static_cast<int64_t>(number);
    if (name == "decay") s.weight_decay = number;
    if (name == "smoothing") s.label_smoothing = number;
    if (name == "averaging") s.weight_averaging = number;
    if (name == "shift") s.augmentation.shift = static_cast<int64_t>(number);
    if (name == "erase") s.augmentation.erase_probability = number;
    if (name == "flip") s.augmentation.flip = number != 0;
    if (name == "warmup") s.warmup_epochs = number;
    if (name == "seed") s.seed = static_cast<uint64_t>(number);
  }
  return options;
}

void Train(const Options& options) {
  const Target target = HostTarget(options.threads);
  const Dataset train = LoadDataset(ParseDataSpec(options.data, DataSplit::kTrain));
  const Dataset validation = LoadDataset(ParseDataSpec(options.data, DataSplit::kValidation));
  const Dataset test = LoadDataset(ParseDataSpec(options.data, DataSplit::kTest));
  const Graph graph = MakeArchitecture(options.architecture, train.ImageShape(), train.num_classes,
                                       options.settings.seed);
  Trainer trainer(graph, train, options.settings, target);
  std::printf("%lld parameters, %lld steps\n", static_cast<long long>(graph.NumParameters()),
              static_cast<long long>(trainer.steps()));
  const bool keeps = !options.checkpoint.empty();
  if (keeps && std::filesystem::exists(options.checkpoint)) {
    trainer.RestoreCheckpoint(options.checkpoint);
  }
  while (trainer.step() < trainer.steps()) {
    TrainProgress last;
    trainer.RunEpoch([&](const TrainProgress& progress) {
      last = progress;
      return true;
    });
    const Graph trained = trainer.TrainedGraph();
    const auto accuracy = [&](const Dataset& data) {
      return 100 * Accuracy(Logits(trained, data, DType::kF32, target), data.labels);
    };
    std::printf("step %lld of %lld: loss %.4f, %.0f images/s, %.0f s left, validation %.2f %%",
                static_cast<long long>(last.step), static_cast<long long>(last.steps), last.loss,
                last.images_per_second, last.seconds_left, accuracy(validation));
    if (last.step == last.steps) std::printf(", test %.2f %%", accuracy(test));
    std::printf("\n");
    std::fflush(stdout);
    if (keeps) trainer.SaveCheckpoint(options.checkpoint);
  }
}

}  // namespace
}  // namespace fettle

int main(int count, char** texts) {
  if (count < 3) {
    std::fprintf(stderr, "usage: training_benchmark ARCHITECTURE DATA [EPOCHS [f32|bf16 ...]]\n");
    return 2;
  }
  try {
    fettle::Train(fettle::ParseOptions(count, texts));
  } catch (const fettle::Error& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return static_cast<int>(fault.kind());
  }
  return 0;
}
