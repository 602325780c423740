#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/joined_text.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/network/onnx/export.h"
#include "fettle/network/onnx/import.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/trainer/trainer.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/data_help.h"
#include "fettle/tuner/cli/interrupt.h"
#include "fettle/tuner/cli/options.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

void Declare(Options* options) {
  options->AddArgument("NETWORK", "An architecture by name, or an ONNX model to go on from.");
  options->AddValue("data", "DATA", kDataHelp);
  options->AddValue("out", "FILE.onnx", "Where to write the trained model (its batch left open).");
  options->AddValue("epochs", "N", "Passes over the data (default 30); may be a fraction.");
  options->AddValue("batch", "N", "Images a step (default 128).");
  options->AddValue("rate", "R", "The highest learning rate (default 0.1).");
  options->AddValue("decay", "D", "Weight decay of weights (default 5e-4).");
  options->AddValue("momentum", "M", "Nesterov momentum (default 0.9).");
  options->AddValue("warmup", "EPOCHS", "Over which the rate rises (default 1).");
  options->AddValue("smoothing", "S", "Label smoothing (default 0).");
  options->AddValue("averaging", "A",
                    "Keep exponential averages of the weights with this factor a step (default 0: "
                    "the last weights).");
  options->AddValue("shift", "PIXELS",
                    "Shifted crops by up to so many pixels (default: 2, of CIFAR-10 4).");
  options->AddValue("erase", "P", "Probability of erasing a rectangle (default 0).");
  options->AddFlag("no-flip", "No mirrored images (the default for MNIST).");
  options->AddValue("seed", "N", "Of weights, order and augmentation (default 1).");
  options->AddValue("precision", "f32|bf16|auto",
                    "Of activations; auto: bf16 where the processor has it (default f32).");
  options->AddValue("teacher", "MODEL.onnx", "Distil from this model's outputs.");
  options->AddValue("temperature", "T", "Of the distillation (default 4).");
  options->AddValue("alpha", "A", "The teacher's share of the loss (default 0.9).");
  options->AddValue("threads", "N", "Threads (default 2).");
  options->AddValue("checkpoint", "FILE",
                    "Saved after each epoch and on Ctrl-C (default: OUT with "
                    ".checkpoint appended); removed at the end.");
  options->AddFlag("resume", "Goes on from the checkpoint.");
  options->AddFlag("json", "Prints the result as JSON.");
}

TrainSettings SettingsOf(const Options& options, const Augmentation& usual, const Target& target) {
  TrainSettings settings;
  settings.epochs = options.GetNumber("epochs", 30, 1e-6, 1e6);
  settings.batch = options.GetInteger("batch", settings.batch, 2, 1 << 20);
  settings.learning_rate = options.GetNumber("rate", settings.learning_rate, 0, 1e3);
  settings.weight_decay = options.GetNumber("decay", settings.weight_decay, 0, 1);
  settings.momentum = options.GetNumber("momentum", settings.momentum, 0, 1);
  settings.warmup_epochs = options.GetNumber("warmup", settings.warmup_epochs, 0, 1e6);
  settings.label_smoothing = options.GetNumber("smoothing", 0, 0, 1);
  settings.weight_averaging = options.GetNumber("averaging", 0, 0, 1);
  settings.augmentation.flip = usual.flip && !options.Has("no-flip");
  settings.augmentation.shift = options.GetInteger("shift", usual.shift, 0, 64);
  settings.augmentation.erase_probability = options.GetNumber("erase", 0, 0, 1);
  settings.seed = static_cast<uint64_t>(options.GetInteger("seed", 1, 0, INT64_MAX));
  const std::string precision = options.GetChoice("precision", {"f32", "bf16", "auto"});
  const bool wants_bf16 = precision == "bf16" || (precision == "auto" && target.has_avx512_bf16);
  settings.dtype = wants_bf16 ? DType::kBF16 : DType::kF32;
  CheckSettings(settings);
  return settings;
}

Graph NetworkOf(const std::string& text, const Dataset& dataset, uint64_t seed) {
  if (text.ends_with(".onnx") || std::filesystem::exists(text)) return ImportOnnx(text);
  return MakeArchitecture(text, dataset.ImageShape(), dataset.num_classes, seed);
}

std::optional<Teacher> TeacherOf(const Options& options, const Dataset& dataset,
                                 const Target& target, Console& console) {
  if (!options.Has("teacher")) return std::nullopt;
  console.Status("the teacher looks at the training images");
  Teacher teacher;
  teacher.logits = Logits(ImportOnnx(options.Get("teacher")), dataset, DType::kF32, target);
  teacher.distillation.temperature = options.GetNumber("temperature", 4, 1e-3, 1e3);
  teacher.distillation.alpha = options.GetNumber("alpha", 0.9, 0, 1);
  return teacher;
}

std::string Percent(double share) { return FixedText(100 * share, 2).append(" %"); }

// Trains to the end or to an interrupt; a line for each epoch.
void TrainAll(Trainer* trainer, const Dataset& validation, const Target& target,
              const std::string& checkpoint, Console& console) {
  while (trainer->step() < trainer->steps()) {
    TrainProgress last;
    const bool is_whole = trainer->RunEpoch([&](const TrainProgress& progress) {
      last = progress;
      console.Status(Text("step ", progress.step, " of ", progress.steps, ", loss ",
                          FixedText(progress.loss, 4), ", ",
                          FixedText(progress.images_per_second, 0), " images/s, ",
                          SecondsText(progress.seconds_left), " left"));
      return !WasInterrupted();
    });
    trainer->SaveCheckpoint(checkpoint);
    if (!is_whole) {
      throw Error(ErrorKind::kInterrupted,
                  Text("interrupted at step ", trainer->step(), " of ", trainer->steps(),
                       "; the same command with --resume goes on from ", checkpoint));
    }
    const Tensor logits = Logits(trainer->TrainedGraph(), validation, DType::kF32, target);
    console.Note(Text(
        "epoch ", (trainer->step() + trainer->steps_an_epoch() - 1) / trainer->steps_an_epoch(),
        ": loss ", FixedText(last.loss, 4), ", rate ", FixedText(last.learning_rate, 5),
        ", validation ", Percent(Accuracy(logits, validation.labels)), ", ",
        FixedText(last.images_per_second, 0), " images/s"));
  }
}

}  // namespace

int RunTrain(std::span<const std::string> arguments, Console& console) {
  const std::string names = JoinedText(Architectures(), ", ", &Architecture::name);
  Options options(
      "train ARCHITECTURE|MODEL.onnx --data DATA --out FILE.onnx",
      Text("Trains a classifier from random weights, goes on training a model, or distils one from "
           "a teacher. Stochastic gradient descent with Nesterov momentum and a cosine schedule; "
           "the validation images are held out. Architectures: ",
           names, "."),
      {"fettle train resnet20 --data fashion-mnist --epochs 30 --out resnet20.onnx",
       "fettle train small.onnx --data fashion-mnist --teacher resnet20.onnx --out better.onnx"});
  Declare(&options);
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  for (const char* required : {"data", "out"}) {
    if (!options.Has(required)) {
      throw Error(ErrorKind::kUsage, Text("--", required, " is missing; see fettle train --help"));
    }
  }
  const Target target = HostTarget(static_cast<int>(options.GetInteger("threads", 2, 1, 1024)));
  const std::string data = options.Get("data"), out = options.Get("out");
  const std::string checkpoint = options.Get("checkpoint", out + ".checkpoint");
  for (const std::string& file : {out, checkpoint}) RequireWritable(file);
  const Dataset train = LoadDataset(ParseDataSpec(data, DataSplit::kTrain));
  const TrainSettings settings = SettingsOf(options, train.augmentation, target);
  const Dataset validation = LoadDataset(ParseDataSpec(data, DataSplit::kValidation));
  Graph network = NetworkOf(options.Get("NETWORK"), train, settings.seed);
  Trainer trainer(std::move(network), train, settings, target,
                  TeacherOf(options, train, target, console));
  if (options.Has("resume")) trainer.RestoreCheckpoint(checkpoint);

  {
    const InterruptScope interrupts;
    TrainAll(&trainer, validation, target, checkpoint, console);
  }
  Graph trained = trainer.TrainedGraph();
  trained.metadata["fettle.recipe"] =
      Text("seed=", settings.seed, " epochs=", settings.epochs, " batch=", settings.batch,
           " rate=", settings.learning_rate, " decay=", settings.weight_decay,
           " precision=", NameOf(settings.dtype), " data=", data);
  ExportOnnx(trained, out, {.dynamic_batch = "N"});
  std::filesystem::remove(checkpoint);

  const Dataset test = LoadDataset(ParseDataSpec(data, DataSplit::kTest));
  const auto accuracy = [&](const Dataset& images) {
    return Accuracy(Logits(trained, images, DType::kF32, target), images.labels);
  };
  const double of_validation = accuracy(validation), of_test = accuracy(test);
  if (options.Has("json")) {
    console.out() << Json({{"schema", 1},
                           {"model", out},
                           {"parameters", trained.NumParameters()},
                           {"validation_accuracy", of_validation},
                           {"test_accuracy", of_test}})
                         .dump()
                  << '\n';
  } else {
    console.out() << out << ": " << CountText(trained.NumParameters()) << " parameters, validation "
                  << Percent(of_validation) << ", test " << Percent(of_test) << '\n';
  }
  return 0;
}

}  // namespace fettle
