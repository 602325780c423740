#include <unistd.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/database_argument.h"
#include "fettle/tuner/cli/interrupt.h"
#include "fettle/tuner/cli/model_argument.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/interval_json.h"
#include "fettle/tuner/local_worker.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

// A folder that goes when this object goes.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::filesystem::temp_directory_path() / Text("fettle-bench-", getpid())) {
    std::filesystem::create_directories(path_ / "chosen");
    std::filesystem::create_directories(path_ / "default");
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct BenchTask {
  std::filesystem::path model;  // the ONNX file
  std::filesystem::path plan;   // the folder of the plan that is measured
  std::string precision;
  int threads = 1;
};

void Declare(Options* options) {
  options->AddArgument("MODEL", "An ONNX file, or a folder that 'fettle deploy' wrote.");
  options->AddValue("threads", "N", "Threads (default 1, or those of the deployed folder).");
  options->AddValue("batch", "N", "The batch of an ONNX model that leaves it open (default 1).");
  options->AddValue("precision", "f32|bf16|auto",
                    "Of an ONNX model; auto: whatever is fastest, layer by layer (default f32).");
  options->AddValue("primitive", "NAME",
                    "Only primitives whose name begins so, where they can compute a layer: "
                    "'openblas', 'onednn.conv:jit'.");
  options->AddValue("against", "onnxruntime", "Compare with ONNX Runtime in f32, in turns.");
  options->AddValue("original", "MODEL.onnx",
                    "What the peer runs (default: the same model), to compare a deployed folder "
                    "with the network it was made from.");
  options->AddValue("rounds", "N", "Turns against the peer (default 31).");
  options->AddValue("db", "FILE", kDatabaseHelp);
  options->AddFlag("layers", "The time of each layer, within the network.");
  options->AddFlag("json", "Prints JSON.");
}

std::vector<DType> PrecisionsOf(const std::string& name) {
  if (name == "f32") return {DType::kF32};
  if (name == "bf16") return {DType::kBF16, DType::kF32};
  if (name == "auto") return {DType::kF32, DType::kBF16};
  throw Error(ErrorKind::kUsage,
              Text("--precision ", name, ": one of f32, bf16, auto is expected so far"));
}

// Every implementation of every layer measured, unless the database knows them; the best plan.
Plan BestPlan(const LayerGraph& graph, const std::string& precision, const Options& options,
              const PrimitiveList& primitives, const Target& target, WorkerClient* worker,
              Console& console) {
  ImplementationCatalog catalog(primitives, target, options.Get("primitive"));
  CostDatabase database =
      CostDatabase::Open(DatabaseArgument(options), CostDatabase::Access::kReadWrite);
  CostStore store(&database, worker, &catalog, worker->Describe({target.threads}), "fettle bench");
  const std::vector<DType> precisions = PrecisionsOf(precision);
  const std::vector<LayerSpec> specs = LayersOf(graph, precisions);
  size_t done = 0;
  for (const LayerSpec& spec : specs) {
    if (WasInterrupted()) {
      throw Error(ErrorKind::kInterrupted, "interrupted; what was measured is in the database");
    }
    console.Status(Text("layer ", ++done, " of ", specs.size()));
    store.Require(spec);
  }
  const ReorderCosts reorders(&catalog, store.costs());
  const std::vector<DType> weighted = precision == "bf16" ? std::vector{DType::kBF16} : precisions;
  const Selection selection = SelectPrimitives(
      graph, AllowedPrecisions(graph, weighted, precisions), &catalog, store.costs(), reorders);
  console.ClearStatus();
  return BuildPlan(graph, selection.choices, reorders, target.threads);
}

void PrintText(const BenchTask& task, const PlansAnswer& answer,
               const std::optional<PeerComparison>& peer, bool with_layers, Console& console) {
  const auto latency = [](const PlanTiming& plan) {
    const Interval& interval = *plan.timing.measurement.latency_ms;
    return Text(FixedText(interval.value, 4), " ms [", FixedText(interval.low, 4), ", ",
                FixedText(interval.high, 4), "]");
  };
  console.out() << task.plan.string() << ", " << task.threads << " thread(s), " << task.precision
                << '\n'
                << "  chosen primitives   " << latency(answer.plans[0]) << '\n'
                << "  default primitives  " << latency(answer.plans[1]) << '\n';
  if (peer) {
    console.out() << "  ONNX Runtime " << peer->version << "  " << FixedText(peer->peer_ms.value, 4)
                  << " ms [" << FixedText(peer->peer_ms.low, 4) << ", "
                  << FixedText(peer->peer_ms.high, 4) << "], f32, the binding's "
                  << FixedText(1000 * peer->binding_ms, 1) << " us taken off\n"
                  << "  its time over ours  " << FixedText(peer->ratio.value, 2) << "x ["
                  << FixedText(peer->ratio.low, 2) << ", " << FixedText(peer->ratio.high, 2)
                  << "], " << peer->rounds << " turns\n";
  }
  if (!with_layers) return;
  std::vector<std::vector<std::string>> rows = {{"layer", "primitive", "us"}};
  for (const StepTiming& step : answer.plans[0].steps) {
    rows.push_back({step.layer, step.implementation, FixedText(1000 * step.ms, 1)});
  }
  console.out() << '\n' << TableText(rows);
}

void PrintJson(const BenchTask& task, const PlansAnswer& answer,
               const std::optional<PeerComparison>& peer, Console& console) {
  Json json = {{"schema", 1}, {"threads", task.threads}, {"precision", task.precision}};
  json["latency_ms"] = LatencyJson(*answer.plans[0].timing.measurement.latency_ms);
  json["default_latency_ms"] = LatencyJson(*answer.plans[1].timing.measurement.latency_ms);
  json["memory_bytes"] = answer.plans[0].arena_bytes + answer.plans[0].input_output_bytes +
                         answer.plans[0].weight_bytes;
  if (peer) {
    json["against"] = {{"onnxruntime",
                        {{"version", peer->version},
                         {"latency_ms", LatencyJson(peer->peer_ms)},
                         {"our_latency_ms", LatencyJson(peer->our_ms)},
                         {"binding_ms", peer->binding_ms},
                         {"ratio", LatencyJson(peer->ratio)}}}};
  }
  json["layers"] = Json::array();
  for (const StepTiming& step : answer.plans[0].steps) {
    json["layers"].push_back(
        {{"layer", step.layer}, {"primitive", step.implementation}, {"ms", step.ms}});
  }
  console.out() << json.dump(1) << '\n';
}

}  // namespace

int RunBench(std::span<const std::string> arguments, Console& console) {
  Options options("bench MODEL.onnx|DIR",
                  "Measures a network from end to end: an ONNX model with the primitives that are "
                  "best for it on this machine (its layers are measured first, unless the database "
                  "knows them), or a deployed folder as it is; beside it the same network with "
                  "default primitives in f32 and, if asked, ONNX Runtime.",
                  {"fettle bench models/resnet20.onnx --precision auto --layers",
                   "fettle bench deployed --against onnxruntime --original models/resnet20.onnx"});
  Declare(&options);
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  if (options.Has("against") && options.Get("against") != "onnxruntime") {
    throw Error(ErrorKind::kUsage, Text("--against ", options.Get("against"),
                                        ": onnxruntime is the only peer so far"));
  }
  const std::filesystem::path argument = options.Get("MODEL");
  const PrimitiveList primitives = PrimitiveList::All();
  const InterruptScope interrupts;
  const std::string program = OwnProgram();
  WorkerClient worker(LocalWorker(program));
  const TemporaryFolder folder;
  BenchTask task;
  int64_t batch = options.GetInteger("batch", 1, 1, 1 << 16);
  const bool is_deployed = IsDeployedFolder(argument);
  if (is_deployed) {
    const Plan plan = ReadPlan(argument);
    task = {argument / "model.onnx", argument, "as deployed", plan.threads};
    batch = plan.tensors.at(static_cast<size_t>(plan.inputs.at(0))).type.shape.at(0);
  } else {
    task = {argument, folder.path() / "chosen", options.Get("precision", "f32"), 1};
  }
  task.threads = static_cast<int>(options.GetInteger("threads", task.threads, 1, 1024));
  const Target target = HostTarget(task.threads);
  ImportOptions import;
  import.batch = batch;
  const LayerGraph graph = Lower(ImportOnnx(task.model, import));
  if (!is_deployed) {
    WritePlan(task.plan,
              BestPlan(graph, task.precision, options, primitives, target, &worker, console));
  }
  WritePlan(folder.path() / "default",
            BuildPlan(graph, DefaultChoices(graph, DType::kF32, primitives, target),
                      FirstReorder(primitives, target), task.threads));

  PlansRequest request;
  request.folders = {task.plan.string(), (folder.path() / "default").string()};
  request.threads = task.threads;
  request.options.contender_budget = std::chrono::seconds(3);
  request.options.max_rounds = 1000;
  request.wants_steps = options.Has("layers") || options.Has("json");
  console.Status("measuring from end to end");
  const PlansAnswer answer = MeasurePlans(&worker, request);
  for (const PlanTiming& plan : answer.plans) {
    if (!plan.timing.measurement.has_latency()) {
      throw Error(ErrorKind::kDevice,
                  Text("could not be measured: ", plan.timing.measurement.detail));
    }
  }
  std::optional<PeerComparison> peer;
  if (options.Has("against")) {
    console.Status("in turns with ONNX Runtime");
    peer = CompareWithOnnxRuntime(&worker, task.plan, options.Get("original", task.model.string()),
                                  task.threads, FindOnnxRuntimePeer(program),
                                  static_cast<int>(options.GetInteger("rounds", 31, 6, 10000)));
  }
  console.ClearStatus();
  if (options.Has("json")) {
    PrintJson(task, answer, peer, console);
  } else {
    PrintText(task, answer, peer, options.Has("layers"), console);
  }
  return 0;
}

}  // namespace fettle
