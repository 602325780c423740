#pragma once

#include <filesystem>
#include <string>

#include "fettle/database/cost_database.h"

namespace fettle {

// Whether a file that SQLite cannot read was a cost database, as far as its first bytes tell.
bool WasCostDatabase(const std::filesystem::path& path);

// Puts a new database with every record that can be read in the place of a damaged one, which stays
// beside it as "<name>.damaged-1" (-2, ...) with its write-ahead log. The caller holds the folder's
// lock. A kill at any moment leaves the damaged file or the new one in the place.
Salvage SalvageDatabase(const std::filesystem::path& path, const std::string& reason);

}  // namespace fettle
