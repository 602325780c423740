#include "fettle/tuner/cli/database_argument.h"

#include <cstdlib>

#include "fettle/core/error.h"

namespace fettle {

std::filesystem::path DatabaseArgument(const Options& options) {
  if (options.Has("db")) return options.Get("db");
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0') {
    return std::filesystem::path(data) / "fettle" / "costs.db";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return std::filesystem::path(home) / ".local" / "share" / "fettle" / "costs.db";
  }
  throw Error(ErrorKind::kUsage,
              "neither XDG_DATA_HOME nor HOME is set; name a database with --db");
}

CostDatabase OpenForMeasuring(const Options& options, Console& console) {
  CostDatabase database =
      CostDatabase::Open(DatabaseArgument(options), CostDatabase::Access::kReadWrite);
  if (const std::optional<Salvage>& salvage = database.salvage()) {
    console.Note(Text("note: the cost database was damaged (", salvage->reason, "); ",
                      salvage->costs_kept, " records could be read, at least ", salvage->costs_lost,
                      " are lost, the file is kept as ", salvage->damaged_file.string()));
  }
  return database;
}

}  // namespace fettle
