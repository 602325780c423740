#pragma once

#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/cli/console.h"
#include "fettle/tuner/cost_store.h"
#include "fettle/tuner/tuning_space.h"

namespace fettle {

// Prints what a session would search, and how many layers of single changes it would measure.
void PrintDryRun(const TuningSpace& space, const CandidateCosts& costs, const CostStore& store,
                 bool as_json, Console& console);

}  // namespace fettle
