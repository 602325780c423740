#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "fettle/database/cost_database.h"
#include "fettle/database/sqlite/connection.h"

namespace fettle {

// How to open a file that is only read: immutable where its folder cannot be written, since SQLite
// would want to make files for its locks there.
ConnectionMode ReadingMode(const std::filesystem::path& path);

// CostDatabase::Select on a connection of its own.
Table RunReadOnly(const std::filesystem::path& path, std::string_view sql,
                  std::span<const Cell> parameters, const QueryLimits& limits);

}  // namespace fettle
