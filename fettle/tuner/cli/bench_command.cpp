#include <array>
#include <filesystem>
#include <optional>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/evaluation/evaluation.h"
#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/cli/bench_result.h"
#include "fettle/tuner/cli/best_plan.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/database_argument.h"
#include "fettle/tuner/cli/interrupt.h"
#include "fettle/tuner/cli/model_argument.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/cli/temporary_folder.h"
#include "fettle/tuner/cli/threads_argument.h"
#include "fettle/tuner/local_worker.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {
namespace {

void Declare(Options* options) {
  options->AddArgument("MODEL", "An ONNX file, or a folder that 'fettle deploy' wrote.");
  options->AddValue(
      "threads", "N",
      "Threads, at most as many as there are processors (default 1). An ONNX model runs with "
      "half as many, and so on down to one, where that is faster; a deployed folder with its own, "
      "and these are the default primitives' and the peer's (default: the folder's).");
  options->AddValue("batch", "N", "The batch of an ONNX model that leaves it open (default 1).");
  options->AddValue("precision", "f32|bf16|auto",
                    "Of an ONNX model; auto: whatever is fastest, layer by layer (default f32).");
  options->AddValue("primitive", "NAME",
                    "Only primitives whose name begins so, where they can compute a layer: "
                    "'openblas', 'onednn.conv:jit'.");
  options->AddValue("against", "onnxruntime", "Compare with ONNX Runtime in f32, in turns.");
  options->AddValue("original", "MODEL.onnx",
                    "What the peer runs (default: the same model) and what the accuracy is "
                    "compared with, to hold a deployed folder against the network it was made "
                    "from.");
  options->AddValue("data", "DATA",
                    "Reports the accuracy of what is timed on these images (the test split, unless "
                    "DATA says otherwise) and, with --original, how much it drops.");
  options->AddValue("rounds", "N", "Turns against the peer (default 31).");
  options->AddValue("db", "FILE", kDatabaseHelp);
  options->AddFlag("no-fusion",
                   "Of an ONNX model: no composite layers (an inverted residual as one kernel).");
  options->AddFlag("layers", "The time of each layer, within the network.");
  options->AddFlag("json", "Prints JSON.");
}

constexpr const char* kEndToEndText =
    "interrupted while measuring from end to end; layers that were measured are in the database";

int64_t BatchOf(const Plan& plan) {
  if (plan.inputs.empty()) return 1;
  const Shape& shape = plan.tensors[static_cast<size_t>(plan.inputs[0])].type.shape;
  return shape.empty() ? 1 : shape[0];
}

// Throws where no layer that computes can be computed, in a precision that is allowed, by a
// primitive whose name begins so.
void RequirePrimitive(const LayerGraph& graph, const std::string& name,
                      const std::string& precision, const PrimitiveList& primitives,
                      const Target& target) {
  if (name.empty()) return;
  for (const LayerSpec& spec : LayersOf(graph, PrecisionsOf(precision))) {
    if (MacsOf(spec) > 0 && !ImplementationsOf(spec, primitives, target, name).empty()) return;
  }
  throw Error(ErrorKind::kUsage,
              Text("--primitive ", name,
                   ": no primitive whose name begins so can compute a layer "
                   "of this model; see docs/primitives.md, or 'fettle query best'"));
}

std::optional<Dataset> LoadImages(const Options& options) {
  if (!options.Has("data")) return std::nullopt;
  return LoadDataset(ParseDataSpec(options.Get("data"), DataSplit::kTest));
}

// Throws where the network is no classifier of these images, before anything is measured.
void RequireFits(const Dataset& images, const LayerGraph& graph) {
  const auto shape = [&](TensorId id) { return graph.tensors[static_cast<size_t>(id)].type.shape; };
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1 || shape(graph.outputs[0]).empty()) {
    throw BadInput("--data: the model has ", graph.inputs.size(), " inputs and ",
                   graph.outputs.size(), " outputs; a classifier of images has one of each");
  }
  RequireFits(images, shape(graph.inputs[0]), shape(graph.outputs[0]).back());
}

Evaluation EvaluatePlan(Plan plan, int threads, const Dataset& dataset,
                        const PrimitiveList& primitives, Console& console) {
  plan.threads = threads;
  Executor executor(std::move(plan), primitives, HostTarget(threads));
  EvaluationOptions options;
  options.progress = [&](int64_t done) {
    console.Status(Text("accuracy: ", done, " of ", dataset.size(), " images"));
    return !WasInterrupted();
  };
  return Evaluate(&executor, dataset, options);
}

// Of the plan as it will be timed, and of the original in f32.
BenchAccuracy MeasureAccuracy(const BenchTask& task, const Dataset& dataset, const Options& options,
                              const PrimitiveList& primitives, Console& console) {
  BenchAccuracy accuracy;
  accuracy.data = dataset.name;
  accuracy.split = NameOf(ParseDataSpec(dataset.name, DataSplit::kTest).split);
  if (!dataset.is_labelled() && !options.Has("original")) {
    throw Error(ErrorKind::kUsage,
                Text("--data ", dataset.name,
                     ": has no labels; name the model to agree with by --original"));
  }
  accuracy.ours = EvaluatePlan(ReadPlan(task.plan), task.our_threads, dataset, primitives, console);
  if (options.Has("original")) {
    accuracy.original =
        EvaluatePlan(LoadPlan(options.Get("original"), task.batch, task.threads, primitives),
                     task.threads, dataset, primitives, console);
  }
  return accuracy;
}

// What is to be measured: `folder` takes the plan of an ONNX model.
BenchTask TaskOf(const Options& options, const std::filesystem::path& folder) {
  BenchTask task;
  task.name = options.Get("MODEL");
  const std::filesystem::path argument = task.name;
  if (IsDeployedFolder(argument)) {
    for (const char* choice : {"primitive", "precision", "batch", "no-fusion"}) {
      if (!options.Has(choice)) continue;
      throw Error(ErrorKind::kUsage, Text("--", choice,
                                          ": a deployed folder is measured as it is; "
                                          "leave it out, or give the ONNX model"));
    }
    const Plan plan = ReadPlan(argument);
    task.model = argument / "model.onnx";
    task.plan = argument;
    task.precision = "as deployed";
    task.threads = ThreadsFrom(options, plan.threads);
    task.our_threads = plan.threads;
    task.batch = BatchOf(plan);
  } else {
    task.model = argument;
    task.plan = folder;
    task.precision = options.Get("precision", "f32");
    task.threads = task.our_threads = ThreadsFrom(options, 1);
    task.batch = options.GetInteger("batch", 1, 1, 1 << 16);
  }
  return task;
}

PlansAnswer MeasureLatency(const BenchTask& task, const std::filesystem::path& default_plan,
                           bool wants_steps, WorkerClient* worker) {
  PlansRequest request;
  request.folders = {task.plan.string(), default_plan.string()};
  // Elsewhere each plan's own, what a deployed one was made for unless another number is asked for.
  if (task.our_threads == task.threads) request.threads = task.threads;
  request.options.contender_budget = std::chrono::seconds(3);
  request.options.max_rounds = 1000;
  request.wants_steps = wants_steps;
  PlansAnswer answer = MeasurePlans(worker, request);
  for (const PlanTiming& plan : answer.plans) {
    if (!plan.timing.measurement.has_latency()) {
      throw Error(ErrorKind::kDevice,
                  Text("could not be measured: ", plan.timing.measurement.detail));
    }
  }
  return answer;
}

}  // namespace

int RunBench(std::span<const std::string> arguments, Console& console) {
  Options options("bench MODEL.onnx|DIR",
                  "Measures a network from end to end: an ONNX model with the primitives that are "
                  "best for it on this machine (its layers are measured first, unless the database "
                  "knows them), or a deployed folder as it is; beside it the same network with "
                  "default primitives in f32 and, if asked, ONNX Runtime.",
                  {"fettle bench models/resnet20.onnx --precision auto --layers",
                   "fettle bench deployed --against onnxruntime --original models/resnet20.onnx "
                   "--data 'fashion-mnist?split=test'"});
  Declare(&options);
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  if (options.Has("against") && options.Get("against") != "onnxruntime") {
    throw Error(ErrorKind::kUsage, Text("--against ", options.Get("against"),
                                        ": onnxruntime is the only peer so far"));
  }
  const auto rounds = static_cast<int>(options.GetInteger("rounds", 31, 6, 10000));
  const std::optional<Dataset> images = LoadImages(options);
  const PrimitiveList primitives = PrimitiveList::All();
  const InterruptScope interrupts;
  const std::string program = OwnProgram();
  const std::filesystem::path peer =
      options.Has("against") ? FindOnnxRuntimePeer(program) : std::filesystem::path();
  WorkerClient worker(LocalWorker(program));
  const TemporaryFolder folder("bench");
  std::filesystem::create_directory(folder.path() / "chosen");
  std::filesystem::create_directory(folder.path() / "default");
  BenchTask task = TaskOf(options, folder.path() / "chosen");
  const Target target = HostTarget(task.threads);
  ImportOptions import;
  import.batch = task.batch;
  const LayerGraph graph = Lower(ImportOnnx(task.model, import));
  if (images) RequireFits(*images, graph);
  if (options.Has("original")) ImportOnnx(options.Get("original"), import);
  if (!IsDeployedFolder(options.Get("MODEL"))) {
    RequirePrimitive(graph, options.Get("primitive"), task.precision, primitives, target);
    const Plan best = BestPlan(graph, task.precision, options, primitives, target, &worker,
                               "fettle bench", console);
    task.our_threads = best.threads;
    WritePlan(task.plan, best, FileLife::kTemporary);
  }
  const std::filesystem::path default_plan = folder.path() / "default";
  WritePlan(default_plan, DefaultPlan(graph, DType::kF32, primitives, target),
            FileLife::kTemporary);

  BenchResult result;
  if (images) result.accuracy = MeasureAccuracy(task, *images, options, primitives, console);
  StopIfInterrupted(kEndToEndText);
  console.Status("measuring from end to end");
  result.plans =
      MeasureLatency(task, default_plan, options.Has("layers") || options.Has("json"), &worker);
  if (options.Has("against")) {
    console.Status("in turns with ONNX Runtime");
    PeerRace race{task.plan, options.Get("original", task.model.string()), peer};
    race.our_threads = task.our_threads;
    race.peer_threads = task.threads;
    race.rounds = rounds;
    race.before_round = [] { StopIfInterrupted(kEndToEndText); };
    result.peer = CompareWithOnnxRuntime(&worker, race);
  }
  StopIfInterrupted(kEndToEndText);
  console.ClearStatus();
  console.out() << (options.Has("json") ? BenchJson(task, result)
                                        : BenchText(task, result, options.Has("layers")));
  return 0;
}

}  // namespace fettle
