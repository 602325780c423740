#pragma once

#include <string>

#include "fettle/device/worker_client.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/runtime/layer_graph.h"
#include "fettle/runtime/plan.h"
#include "fettle/tuner/cli/console.h"
#include "fettle/tuner/cli/options.h"

namespace fettle {

// The best plan for a network on this machine at a precision (f32, bf16 or auto), with whatever is
// fastest of target.threads threads, half as many, and so on down to one (Plan::threads): every
// implementation of every layer is measured, unless the database (option db) knows it; with option
// primitive, only those whose name begins so. `who` is kept as who measured. Throws Error: kUsage
// for another precision, kInterrupted.
Plan BestPlan(const LayerGraph& graph, const std::string& precision, const Options& options,
              const PrimitiveList& primitives, const Target& target, WorkerClient* worker,
              const std::string& who, Console& console);

}  // namespace fettle
