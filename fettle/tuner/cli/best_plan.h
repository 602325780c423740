#pragma once

#include <string>
#include <vector>

#include "fettle/device/worker_client.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/runtime/layer_graph.h"
#include "fettle/runtime/plan.h"
#include "fettle/tuner/cli/console.h"
#include "fettle/tuner/cli/options.h"

namespace fettle {

inline constexpr const char* kInterruptedText = "interrupted; what was measured is in the database";

// What a network's layers may be computed in at --precision f32, bf16 or auto, the default first.
// Throws Error (kUsage) for another.
std::vector<DType> PrecisionsOf(const std::string& name);

// The best plan for a network on this machine at a precision (f32, bf16 or auto), with whatever is
// fastest of target.threads threads, half as many, and so on down to one (Plan::threads): every
// implementation of every layer is measured, unless the database (option db) knows it; with option
// primitive, only those whose name begins so. `who` is kept as who measured. Throws Error: kUsage
// for another precision, kInterrupted.
Plan BestPlan(const LayerGraph& graph, const std::string& precision, const Options& options,
              const PrimitiveList& primitives, const Target& target, WorkerClient* worker,
              const std::string& who, Console& console);

}  // namespace fettle
