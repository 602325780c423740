#pragma once

#include <filesystem>

#include "fettle/tuner/cli/options.h"

namespace fettle {

// --db, or $XDG_DATA_HOME/fettle/costs.db, or ~/.local/share/fettle/costs.db.
std::filesystem::path DatabaseArgument(const Options& options);

inline constexpr const char* kDatabaseHelp =
    "The cost database (default: $XDG_DATA_HOME/fettle/costs.db).";

}  // namespace fettle
