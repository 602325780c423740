#include "fettle/tuner/cli/best_plan.h"

#include <utility>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/cli/database_argument.h"
#include "fettle/tuner/cli/interrupt.h"
#include "fettle/tuner/cli/temporary_folder.h"
#include "fettle/tuner/fastest_plan.h"
#include "fettle/tuner/fusion_choice.h"
#include "fettle/tuner/network_verdict.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {
namespace {

// What was learned in networks of layers that this one has.
void LearnWhatIsKept(const CostStore& store, NetworkCosts* costs) {
  for (const CostRecord& record : store.FindInNetwork()) {
    const std::optional<LayerSpec> spec = ParseLayerSpec(record.task.key.text);
    if (!spec || !store.IsRequired(*spec)) continue;
    costs->Learn(*spec,
                 {record.task.implementation, record.task.version, record.task.inputs,
                  record.task.output, std::nullopt},
                 record.measurement.latency_ms->value);
  }
}

// The network layer by layer and, where some blocks of it pay as composites, with these.
std::vector<Plan> VerdictsOf(const LayerGraph& graph,
                             const std::vector<std::vector<DType>>& precisions,
                             const std::vector<std::vector<LayerChoice>>& also, bool may_fuse,
                             ImplementationCatalog* catalog, CostStore* store, WorkerClient* worker,
                             Console& console) {
  NetworkCosts costs(store->costs());
  LearnWhatIsKept(*store, &costs);
  const TemporaryFolder folder("verdict");
  NetworkVerdict verdict(catalog, &costs, TimerOf(worker), folder.path(), {});
  verdict.set_keep([&](const Plan& plan, const std::vector<StepTiming>& steps) {
    store->KeepInNetwork(plan, steps);
  });
  verdict.set_starting([&](int plans) {
    StopIfInterrupted(kInterruptedText);
    console.Status(Text("within the network: ", plans, " choices of primitives, in turns"));
  });
  std::vector<Plan> plans = {verdict.Best(graph, precisions, also).plan};
  if (!may_fuse) return plans;
  const FusedNetwork fused = FuseWhereItPays(graph, precisions, catalog, costs);
  if (fused.blocks > 0) plans.push_back(verdict.Best(fused.graph, fused.precisions).plan);
  return plans;
}

// With target.threads threads and no fewer.
std::vector<Plan> BestPlansOfThreads(const LayerGraph& graph, const std::string& precision,
                                     const Options& options, const PrimitiveList& primitives,
                                     const Target& target, CostDatabase* database,
                                     WorkerClient* worker, const std::string& who,
                                     Console& console) {
  ImplementationCatalog catalog(primitives, target, options.Get("primitive"));
  CostStore store(database, worker, &catalog, worker->Describe({target.threads}), who);
  const std::vector<DType> precisions = PrecisionsOf(precision);
  std::vector<LayerSpec> specs = LayersOf(graph, precisions);
  const bool may_fuse = !options.Has("no-fusion");
  for (const std::vector<LayerSpec>& more :
       {may_fuse ? CompositesOf(graph, precisions, &catalog) : std::vector<LayerSpec>(),
        ReordersOf(graph, precisions)}) {
    specs.insert(specs.end(), more.begin(), more.end());
  }
  size_t done = 0;
  for (const LayerSpec& spec : specs) {
    StopIfInterrupted(kInterruptedText);
    console.Status(Text("layer ", ++done, " of ", specs.size(), ", ", target.threads,
                        target.threads == 1 ? " thread" : " threads"));
    store.Require(spec);
  }
  const std::vector<DType> weighted = precision == "bf16" ? std::vector{DType::kBF16} : precisions;
  std::vector<std::vector<LayerChoice>> also;
  if (options.Get("primitive").empty()) {  // else the default ones are no answer
    also.push_back(DefaultChoices(graph, weighted.front(), primitives, target));
  }
  return VerdictsOf(graph, AllowedPrecisions(graph, weighted, precisions), also, may_fuse, &catalog,
                    &store, worker, console);
}

}  // namespace

std::vector<DType> PrecisionsOf(const std::string& name) {
  if (name == "f32") return {DType::kF32};
  if (name == "bf16") return {DType::kBF16, DType::kF32};
  if (name == "auto") return {DType::kF32, DType::kBF16};
  throw Error(ErrorKind::kUsage,
              Text("--precision ", name, ": one of f32, bf16, auto is expected so far"));
}

Plan BestPlan(const LayerGraph& graph, const std::string& precision, const Options& options,
              const PrimitiveList& primitives, const Target& target, WorkerClient* worker,
              const std::string& who, Console& console) {
  CostDatabase database = OpenForMeasuring(options, console);
  std::vector<Plan> plans;
  for (int threads = target.threads; threads >= 1; threads /= 2) {
    Target fewer = target;
    fewer.threads = threads;
    for (Plan& plan : BestPlansOfThreads(graph, precision, options, primitives, fewer, &database,
                                         worker, who, console)) {
      plans.push_back(std::move(plan));
    }
  }
  StopIfInterrupted(kInterruptedText);
  if (plans.size() > 1) console.Status("the best of each kind, in turns");
  const TemporaryFolder temporary("kinds");
  FastestPlan best = FastestOf(std::move(plans), TimerOf(worker), temporary.path());
  console.ClearStatus();
  return std::move(best.plan);
}

}  // namespace fettle
