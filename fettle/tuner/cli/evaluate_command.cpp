#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/batch.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/evaluation/evaluation.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/interrupt.h"
#include "fettle/tuner/cli/model_argument.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/interval_json.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

std::string Percent(double share) { return FixedText(100 * share, 2); }

}  // namespace

int RunEvaluate(std::span<const std::string> arguments, Console& console) {
  Options options("evaluate DIR|MODEL.onnx --data DATA",
                  "Measures the accuracy and the loss of a classifier on labelled images, run by "
                  "Fettle's runtime: a deployed folder with its own primitives and precisions, an "
                  "ONNX model in f32. The test split, unless DATA says otherwise.",
                  {"fettle evaluate models/resnet20.onnx --data fashion-mnist",
                   "fettle evaluate deployed --data 'fashion-mnist?split=validation' --json"});
  options.AddArgument("MODEL", "An ONNX file, or a folder that 'fettle deploy' wrote.");
  options.AddValue("data", "DATA",
                   "The dataset: fashion-mnist[:DIR], mnist:DIR or cifar10:DIR, "
                   "with options such as ?split=validation.");
  options.AddValue("limit", "N", "Only so many images.");
  options.AddValue("batch", "N", "Images at once, for a model whose batch is open (default 100).");
  options.AddValue("threads", "N", "Threads (default 2, or those of the deployed folder).");
  options.AddFlag("json", "Prints JSON.");
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  if (!options.Has("data")) {
    throw Error(ErrorKind::kUsage, "--data is missing; see fettle evaluate --help");
  }
  DataSpec spec = ParseDataSpec(options.Get("data"), DataSplit::kTest);
  if (options.Has("limit")) spec.limit = options.GetInteger("limit", 1, 1, INT64_MAX);
  const Dataset dataset = LoadDataset(spec);
  const PrimitiveList primitives = PrimitiveList::All();
  const int threads = static_cast<int>(options.GetInteger("threads", 2, 1, 1024));
  Plan plan = LoadPlan(options.Get("MODEL"), options.GetInteger("batch", 100, 1, 1 << 16), threads,
                       primitives);
  if (options.Has("threads")) plan.threads = threads;
  const Target target = HostTarget(plan.threads);
  Executor executor(std::move(plan), primitives, target);
  const InterruptScope interrupts;
  const Evaluation result = Evaluate(&executor, dataset, [&](int64_t done) {
    console.Status(Text(done, " of ", dataset.size(), " images"));
    return !WasInterrupted();
  });
  console.ClearStatus();
  if (options.Has("json")) {
    console.out() << Json({{"schema", 1},
                           {"data", dataset.name},
                           {"split", NameOf(spec.split)},
                           {"samples", result.samples},
                           {"top1", ToJson(result.top1)},
                           {"top5", result.top5},
                           {"loss", result.loss}})
                         .dump()
                  << '\n';
  } else {
    console.out() << "top-1 " << Percent(result.top1.value) << " % (" << Percent(result.top1.low)
                  << " to " << Percent(result.top1.high) << "), top-5 " << Percent(result.top5)
                  << " %, loss " << FixedText(result.loss, 4) << ", on " << result.samples
                  << " images of " << dataset.name << " (" << NameOf(spec.split) << ")\n";
  }
  return 0;
}

}  // namespace fettle
