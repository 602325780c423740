#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/onnx/import.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/evaluation/evaluation.h"
#include "fettle/tuner/cli/best_plan.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/data_help.h"
#include "fettle/tuner/cli/database_argument.h"
#include "fettle/tuner/cli/interrupt.h"
#include "fettle/tuner/cli/model_argument.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/cli/threads_argument.h"
#include "fettle/tuner/evaluation_bench.h"
#include "fettle/tuner/interval_json.h"
#include "fettle/tuner/local_worker.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

std::string Percent(double share) { return FixedText(100 * share, 2); }

std::string PercentText(const Interval& share) {
  return Text(Percent(share.value), " % (", Percent(share.low), " to ", Percent(share.high), ")");
}

// What an evaluation is held against.
struct Against {
  std::string name;
  std::optional<Evaluation> model;           // another model's, of the same images
  std::optional<EvaluationComparison> peer;  // ONNX Runtime's, of the same model
};

Json JsonOf(const Evaluation& result, const Dataset& dataset, DataSplit split,
            const Against& against) {
  Json json = {
      {"schema", 1}, {"data", dataset.name}, {"split", NameOf(split)}, {"samples", result.samples}};
  if (result.is_labelled) {
    json["top1"] = ToJson(result.top1);
    json["top5"] = result.top5;
    json["loss"] = result.loss;
  }
  if (against.model) {
    const Comparison comparison = Compare(*against.model, result);
    json["against"] = {{"model", against.name},
                       {"agreement", ToJson(comparison.agreement)},
                       {"kl", comparison.kl}};
    if (comparison.drop_points) {
      json["against"]["drop_points"] = ToJson(*comparison.drop_points);
    }
  }
  if (against.peer) {
    json["against"] = {{"onnxruntime", against.peer->version},
                       {"differing", against.peer->differing},
                       {"seconds", LatencyJson(against.peer->peer_seconds)},
                       {"our_seconds", LatencyJson(against.peer->our_seconds)},
                       {"ratio", LatencyJson(against.peer->ratio)}};
  }
  return json;
}

std::string TextOf(const Evaluation& result, const Dataset& dataset, DataSplit split,
                   const Against& against) {
  const std::string on =
      Text("on ", result.samples, " images of ", dataset.name, " (", NameOf(split), ")\n");
  std::string text;
  if (result.is_labelled) {
    text = Text("top-1 ", PercentText(result.top1), ", top-5 ", Percent(result.top5), " %, loss ",
                FixedText(result.loss, 4), ", ", on);
  }
  if (against.model) {
    const Comparison comparison = Compare(*against.model, result);
    text += Text("agreement with ", against.name, " ", PercentText(comparison.agreement),
                 ", KL divergence ", FixedText(comparison.kl, 5), " nats");
    if (comparison.drop_points) {
      text += Text(", drop ", IntervalText(*comparison.drop_points, 1, 2), " points");
    }
    text += result.is_labelled ? "\n" : ", " + on;
  }
  if (against.peer) {
    text += Text(
        "ONNX Runtime ", against.peer->version, " says otherwise of ", against.peer->differing,
        " images; it takes ", IntervalText(against.peer->peer_seconds, 1, 3),
        " s for its inferences, our evaluation ", IntervalText(against.peer->our_seconds, 1, 3),
        " s: ", IntervalText(against.peer->ratio, 1, 2), "x\n");
  }
  return text;
}

void Declare(Options* options) {
  options->AddArgument("MODEL", "An ONNX file, or a folder that 'fettle deploy' wrote.");
  options->AddValue("data", "DATA", kDataHelp);
  options->AddValue("limit", "N", "Only so many images.");
  options->AddValue("batch", "N", "Images at once, for a model whose batch is open (default 100).");
  options->AddValue("threads", "N", "Threads (default 2, or those of the deployed folder).");
  options->AddFlag("best",
                   "Of an ONNX model: with the primitives that are best for it on this machine "
                   "(measured first, unless the database knows them), not the default ones.");
  options->AddValue("against", "MODEL|onnxruntime",
                    "Another model or deployed folder: agreement, KL divergence from its "
                    "probabilities, and the drop of accuracy; needed where the data has no labels. "
                    "onnxruntime: the same model run by it, image for image, and in turns for its "
                    "speed.");
  options->AddValue("rounds", "N", "Turns against ONNX Runtime (default 11).");
  options->AddValue("db", "FILE", kDatabaseHelp);
  options->AddFlag("json", "Prints JSON.");
}

Plan PlanToEvaluate(const Options& options, const PrimitiveList& primitives, int threads,
                    Console& console) {
  const std::filesystem::path model = options.Get("MODEL");
  const int64_t batch = options.GetInteger("batch", 100, 1, 1 << 16);
  if (!options.Has("best") || IsDeployedFolder(model)) {
    return LoadPlan(model, batch, threads, primitives);
  }
  ImportOptions import;
  import.batch = batch;
  WorkerClient worker(LocalWorker(OwnProgram()));
  return BestPlan(Lower(ImportOnnx(model, import)), "f32", options, primitives, HostTarget(threads),
                  &worker, "fettle evaluate", console);
}

}  // namespace

int RunEvaluate(std::span<const std::string> arguments, Console& console) {
  Options options(
      "evaluate DIR|MODEL.onnx --data DATA",
      "Measures the accuracy and the loss of a classifier on labelled images, run by "
      "Fettle's runtime: a deployed folder with its own primitives and precisions, an "
      "ONNX model in f32. The test split, unless DATA says otherwise.",
      {"fettle evaluate models/resnet20.onnx --data fashion-mnist",
       "fettle evaluate deployed --data fashion-mnist --against models/resnet20.onnx --json"});
  Declare(&options);
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
  const std::string against_name = options.Get("against");
  if (!dataset.is_labelled() && (against_name.empty() || against_name == "onnxruntime")) {
    throw Error(ErrorKind::kUsage, Text("--data ", dataset.name,
                                        ": has no labels; name the model to agree with by "
                                        "--against MODEL"));
  }
  const InterruptScope interrupts;
  const PrimitiveList primitives = PrimitiveList::All();
  const int threads = ThreadsFrom(options, 2);
  Plan plan = PlanToEvaluate(options, primitives, threads, console);
  const bool is_chosen = options.Has("best") && !IsDeployedFolder(options.Get("MODEL"));
  if (options.Has("threads") && !is_chosen) plan.threads = threads;
  const int peer_threads = is_chosen ? threads : plan.threads;
  const Target target = HostTarget(plan.threads);
  const auto evaluate = [&](Executor* executor) {
    EvaluationOptions evaluation;
    evaluation.progress = [&](int64_t done) {
      console.Status(Text(done, " of ", dataset.size(), " images"));
      return !WasInterrupted();
    };
    return Evaluate(executor, dataset, evaluation);
  };
  Executor executor(std::move(plan), primitives, target);
  const Evaluation result = evaluate(&executor);
  Against against{against_name, {}, {}};
  if (against_name == "onnxruntime") {
    console.Status("in turns with ONNX Runtime");
    const std::filesystem::path model = options.Get("MODEL");
    EvaluationRace race{IsDeployedFolder(model) ? model / "model.onnx" : model,
                        FindOnnxRuntimePeer(OwnProgram()), peer_threads};
    race.rounds = static_cast<int>(options.GetInteger("rounds", 11, 6, 10000));
    race.before_round = [] { StopIfInterrupted("interrupted between two turns"); };
    against.peer = CompareEvaluation(&executor, result, dataset, race);
  } else if (!against_name.empty()) {
    Executor other(LoadPlan(against_name, options.GetInteger("batch", 100, 1, 1 << 16),
                            target.threads, primitives),
                   primitives, target);
    against.model = evaluate(&other);
    if (against.model->classes != result.classes) {
      throw BadInput(against_name, ": has ", against.model->classes, " outputs, ",
                     options.Get("MODEL"), " ", result.classes, "; they cannot be compared");
    }
  }
  console.ClearStatus();
  console.out() << (options.Has("json") ? JsonOf(result, dataset, spec.split, against).dump() + "\n"
                                        : TextOf(result, dataset, spec.split, against));
  return 0;
}

}  // namespace fettle
