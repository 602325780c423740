#include "fettle/database/sqlite/schema.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace fettle {
namespace {

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE device(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  cpu_model TEXT NOT NULL,
  isa TEXT NOT NULL,
  cores INTEGER NOT NULL,
  cache_bytes TEXT NOT NULL,
  UNIQUE(name, cpu_model, isa, cores, cache_bytes)
) STRICT;
CREATE TABLE conditions(
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL REFERENCES device,
  memory_bytes INTEGER NOT NULL,
  system TEXT NOT NULL,
  governor TEXT NOT NULL,
  libraries TEXT NOT NULL,
  UNIQUE(device, memory_bytes, system, governor, libraries)
) STRICT;
CREATE TABLE layer(
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  form TEXT NOT NULL,
  operator TEXT NOT NULL,
  dtype TEXT NOT NULL,
  UNIQUE(key, form, operator, dtype)
) STRICT;
CREATE TABLE implementation(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  input_layouts TEXT NOT NULL,
  output_layout TEXT NOT NULL,
  UNIQUE(name, version, input_layouts, output_layout)
) STRICT;
CREATE TABLE cost(
  id INTEGER PRIMARY KEY,
  layer INTEGER NOT NULL REFERENCES layer,
  implementation INTEGER NOT NULL REFERENCES implementation,
  conditions INTEGER NOT NULL REFERENCES conditions,
  threads INTEGER NOT NULL,
  mode TEXT NOT NULL,
  status TEXT NOT NULL,
  samples_ms TEXT NOT NULL,
  median_ms REAL,
  low_ms REAL,
  high_ms REAL,
  cpu_ms REAL NOT NULL,
  dropped_rounds INTEGER NOT NULL,
  reference_drift REAL NOT NULL,
  error REAL,
  workspace_bytes INTEGER NOT NULL,
  weight_bytes INTEGER NOT NULL,
  detail TEXT NOT NULL,
  time INTEGER NOT NULL,
  who TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX cost_of_layer ON cost(layer, implementation, threads, mode);
CREATE TABLE network(
  id INTEGER PRIMARY KEY,
  plan TEXT NOT NULL,
  name TEXT NOT NULL,
  conditions INTEGER NOT NULL REFERENCES conditions,
  threads INTEGER NOT NULL,
  mode TEXT NOT NULL,
  status TEXT NOT NULL,
  samples_ms TEXT NOT NULL,
  median_ms REAL,
  low_ms REAL,
  high_ms REAL,
  cpu_ms REAL NOT NULL,
  dropped_rounds INTEGER NOT NULL,
  reference_drift REAL NOT NULL,
  error REAL,
  workspace_bytes INTEGER NOT NULL,
  weight_bytes INTEGER NOT NULL,
  detail TEXT NOT NULL,
  planned_bytes INTEGER NOT NULL,
  peak_bytes INTEGER,
  energy_mj REAL,
  energy_low_mj REAL,
  energy_high_mj REAL,
  time INTEGER NOT NULL,
  who TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX network_of_plan ON network(plan);
CREATE VIEW costs AS
SELECT cost.id, layer.key AS layer, form, operator, dtype, implementation.name AS implementation,
  version, input_layouts, output_layout, threads, mode, status, median_ms, low_ms, high_ms, cpu_ms,
  samples_ms, dropped_rounds, reference_drift, error,
  workspace_bytes, weight_bytes, detail, device.name AS device, cpu_model, libraries, system,
  governor, datetime(time, 'unixepoch') AS measured, time, who
FROM cost JOIN layer ON layer.id = cost.layer
  JOIN implementation ON implementation.id = cost.implementation
  JOIN conditions ON conditions.id = cost.conditions
  JOIN device ON device.id = conditions.device;
CREATE VIEW current_costs AS
SELECT * FROM (
  SELECT *, row_number() OVER (
    PARTITION BY layer, implementation, input_layouts, output_layout, threads, mode, device
    ORDER BY version DESC, CASE status WHEN 'ok' THEN 0 WHEN 'wrong_result' THEN 0
      WHEN 'not_applicable' THEN 0 WHEN 'unstable' THEN 1 ELSE 2 END, time DESC, id DESC) AS place
  FROM costs)
WHERE place = 1;
CREATE VIEW networks AS
SELECT network.id, plan, network.name AS network, threads, mode, status, median_ms, low_ms, high_ms,
  samples_ms, planned_bytes, peak_bytes, energy_mj,
  energy_low_mj, energy_high_mj, detail, device.name AS device, cpu_model, libraries, system,
  governor, datetime(time, 'unixepoch') AS measured, time, who
FROM network JOIN conditions ON conditions.id = network.conditions
  JOIN device ON device.id = conditions.device;
)sql";

// Run queues, and an index that holds all by which the newest of a layer's records are found.
constexpr std::string_view kVersion2 = R"sql(
ALTER TABLE cost ADD COLUMN waited_ms REAL;
ALTER TABLE network ADD COLUMN waited_ms REAL;
DROP INDEX cost_of_layer;
CREATE INDEX cost_of_layer ON cost(layer, implementation, threads, mode, conditions, status, time,
  median_ms);
DROP VIEW current_costs;
DROP VIEW costs;
DROP VIEW networks;
CREATE VIEW costs AS
SELECT cost.id, layer.key AS layer, form, operator, dtype, implementation.name AS implementation,
  version, input_layouts, output_layout, threads, mode, status, median_ms, low_ms, high_ms, cpu_ms,
  waited_ms, samples_ms, dropped_rounds, reference_drift, error,
  workspace_bytes, weight_bytes, detail, device.name AS device, cpu_model, libraries, system,
  governor, datetime(time, 'unixepoch') AS measured, time, who
FROM cost JOIN layer ON layer.id = cost.layer
  JOIN implementation ON implementation.id = cost.implementation
  JOIN conditions ON conditions.id = cost.conditions
  JOIN device ON device.id = conditions.device;
CREATE VIEW current_costs AS
SELECT * FROM (
  SELECT *, row_number() OVER (
    PARTITION BY layer, implementation, input_layouts, output_layout, threads, mode, device
    ORDER BY version DESC, CASE status WHEN 'ok' THEN 0 WHEN 'wrong_result' THEN 0
      WHEN 'not_applicable' THEN 0 WHEN 'unstable' THEN 1 ELSE 2 END, time DESC, id DESC) AS place
  FROM costs)
WHERE place = 1;
CREATE VIEW networks AS
SELECT network.id, plan, network.name AS network, threads, mode, status, median_ms, low_ms, high_ms,
  waited_ms, samples_ms, planned_bytes, peak_bytes, energy_mj,
  energy_low_mj, energy_high_mj, detail, device.name AS device, cpu_model, libraries, system,
  governor, datetime(time, 'unixepoch') AS measured, time, who
FROM network JOIN conditions ON conditions.id = network.conditions
  JOIN device ON device.id = conditions.device;
)sql";

constexpr std::array kSteps = {kVersion1, kVersion2};

// The tables, indices and views of a file, with the text that made them.
std::set<std::string> Schema(const Connection& connection) {
  std::set<std::string> schema;
  Statement statement = connection.Prepare(
      "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || ifnull(sql, '') FROM sqlite_schema");
  while (statement.Step()) {
    const Cell text = statement.Column(0);
    if (const auto* words = std::get_if<std::string>(&text)) schema.insert(*words);
  }
  return schema;
}

int64_t VersionOf(const Connection& connection) {
  const int64_t version = connection.Integer("PRAGMA user_version");
  if (version >= 0) return version;
  throw DamagedDatabase(ErrorKind::kBadInput,
                        Text(connection.path().string(), ": damaged (format ", version, ")"));
}

// Whether anything has been made in the file at all.
bool IsEmpty(const Connection& connection) {
  return connection.Integer("SELECT count(*) FROM sqlite_schema") == 0;
}

void RequireOurs(const Connection& connection) {
  if (connection.Integer("PRAGMA application_id") == kApplicationId) return;
  const std::string file = connection.path().string();
  if (connection.Integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('cost', 'conditions', "
                         "'implementation')") == 3) {
    throw DamagedDatabase(ErrorKind::kBadInput, file + ": damaged (its application id is lost)");
  }
  throw BadInput(file, ": an SQLite file but no cost database: name another file");
}

void RefuseNewer(const Connection& connection, int64_t known) {
  const int64_t version = VersionOf(connection);
  if (version <= known) return;
  throw BadInput(connection.path().string(), ": written by a newer Fettle (format ", version,
                 ", this one knows up to ", known, "): update Fettle or name another file");
}

}  // namespace

std::span<const std::string_view> SchemaSteps() { return kSteps; }

void Migrate(Connection* connection, std::span<const std::string_view> steps) {
  const auto newest = static_cast<int64_t>(steps.size());
  if (!IsEmpty(*connection)) {
    RequireOurs(*connection);
    RefuseNewer(*connection, newest);
    if (VersionOf(*connection) == newest) return;
  }
  // What the file's first page says beside the schema; without effect once there is one.
  connection->Execute(
      Text("PRAGMA page_size=", kPageBytes, "; PRAGMA auto_vacuum=NONE; PRAGMA encoding='UTF-8'"));
  Transaction transaction(connection);
  // Another process may have been quicker; what it left is looked at once more, in the transaction.
  RefuseNewer(*connection, newest);
  const int64_t version = IsEmpty(*connection) ? 0 : VersionOf(*connection);
  for (int64_t i = version; i < newest; ++i) {
    connection->Execute(std::string(steps[static_cast<size_t>(i)]));
  }
  connection->Execute(Text("PRAGMA application_id=", kApplicationId));
  connection->Execute(Text("PRAGMA user_version=", newest));
  transaction.Commit();
}

void RequireVersion(const Connection& connection, int64_t version) {
  if (IsEmpty(connection)) {
    throw BadInput(connection.path().string(), ": an empty file: name a cost database");
  }
  RequireOurs(connection);
  RefuseNewer(connection, version);
  if (VersionOf(connection) == version) return;
  throw BadInput(connection.path().string(), ": of an older format (", VersionOf(connection),
                 ", this is ", version, "): opening it for writing once brings it up to date");
}

void RequireSchema(const Connection& connection, std::span<const std::string_view> steps) {
  Connection made("", ConnectionMode::kMemory);
  Migrate(&made, steps);
  const std::set<std::string> expected = Schema(made), found = Schema(connection);
  if (std::includes(found.begin(), found.end(), expected.begin(), expected.end())) return;
  throw DamagedDatabase(ErrorKind::kBadInput,
                        Text(connection.path().string(),
                             ": damaged (its tables are not as they were made): opening it for "
                             "writing saves what can be read"));
}

}  // namespace fettle
