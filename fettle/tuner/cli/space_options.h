#pragma once

#include <string>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/network/graph.h"
#include "fettle/tuner/cli/console.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/tuning_space.h"

namespace fettle {

// The names of all kinds of variants.
std::vector<std::string> VariantNames();

// Those that --variants names: all without it, none for "none". Throws Error (kUsage).
std::vector<std::string> VariantsOf(const Options& options);

// Widths of all groups if they may be pruned, and the rewritings that may be worth their measuring:
// as many as a session of that budget can look at. Takes seconds to minutes; throws Error
// (kInterrupted) where the user wants to stop.
TuningSpaceOptions SpaceOptions(const Graph& model, const std::vector<std::string>& kinds,
                                double budget_seconds, const Target& target, Console& console);

}  // namespace fettle
