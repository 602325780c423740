#include "fettle/tuner/cli/best_plan.h"

#include <vector>

#include "fettle/core/error.h"
#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/cli/database_argument.h"
#include "fettle/tuner/cli/interrupt.h"

namespace fettle {
namespace {

std::vector<DType> PrecisionsOf(const std::string& name) {
  if (name == "f32") return {DType::kF32};
  if (name == "bf16") return {DType::kBF16, DType::kF32};
  if (name == "auto") return {DType::kF32, DType::kBF16};
  throw Error(ErrorKind::kUsage,
              Text("--precision ", name, ": one of f32, bf16, auto is expected so far"));
}

}  // namespace

Plan BestPlan(const LayerGraph& graph, const std::string& precision, const Options& options,
              const PrimitiveList& primitives, const Target& target, WorkerClient* worker,
              const std::string& who, Console& console) {
  ImplementationCatalog catalog(primitives, target, options.Get("primitive"));
  CostDatabase database =
      CostDatabase::Open(DatabaseArgument(options), CostDatabase::Access::kReadWrite);
  CostStore store(&database, worker, &catalog, worker->Describe({target.threads}), who);
  const std::vector<DType> precisions = PrecisionsOf(precision);
  std::vector<LayerSpec> specs = LayersOf(graph, precisions);
  const std::vector<LayerSpec> reorder_specs = ReordersOf(graph, precisions);
  specs.insert(specs.end(), reorder_specs.begin(), reorder_specs.end());
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

}  // namespace fettle
