#pragma once

#include <filesystem>

#include "fettle/database/cost_database.h"
#include "fettle/tuner/cli/console.h"
#include "fettle/tuner/cli/options.h"

namespace fettle {

// --db, or $XDG_DATA_HOME/fettle/costs.db, or ~/.local/share/fettle/costs.db.
std::filesystem::path DatabaseArgument(const Options& options);

// That one, for measuring: notes what became of a damaged one.
CostDatabase OpenForMeasuring(const Options& options, Console& console);

inline constexpr const char* kDatabaseHelp =
    "The cost database (default: $XDG_DATA_HOME/fettle/costs.db).";

}  // namespace fettle
