#include "fettle/database/sqlite/record_store.h"

#include "fettle/database/sqlite/record_row.h"

namespace fettle {
namespace {

// The columns in RowOf's order. In the statements below ?1 is the first of them.
constexpr std::string_view kFingerprint =
    "device.name, cpu_model, isa, cores, cache_bytes, memory_bytes, system, governor, libraries";
constexpr std::string_view kMeasurement =
    "threads, mode, status, samples_ms, median_ms, low_ms, high_ms, cpu_ms, dropped_rounds, "
    "reference_drift, error, workspace_bytes, weight_bytes, detail, time, who";
constexpr std::string_view kMeasurementPlaces =
    "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25";
constexpr std::string_view kCost =
    "key, form, operator, dtype, implementation.name, version, input_layouts, output_layout, "
    "waited_ms, checksum";
constexpr std::string_view kNetwork =
    "plan, network.name, planned_bytes, peak_bytes, energy_mj, energy_low_mj, energy_high_mj, "
    "waited_ms, checksum";

constexpr std::string_view kInsertDevice =
    "INSERT INTO device(name, cpu_model, isa, cores, cache_bytes) VALUES(?1, ?2, ?3, ?4, ?5) "
    "ON CONFLICT DO NOTHING";
constexpr std::string_view kDeviceId =
    "(SELECT id FROM device WHERE name = ?1 AND cpu_model = ?2 AND isa = ?3 AND cores = ?4 AND "
    "cache_bytes = ?5)";
constexpr std::string_view kInsertLayer =
    "INSERT INTO layer(key, form, operator, dtype) VALUES(?26, ?27, ?28, ?29) "
    "ON CONFLICT DO NOTHING";
constexpr std::string_view kInsertImplementation =
    "INSERT INTO implementation(name, version, input_layouts, output_layout) "
    "VALUES(?30, ?31, ?32, ?33) ON CONFLICT DO NOTHING";
constexpr std::string_view kLayerId = "(SELECT id FROM layer WHERE key = ?26)";
constexpr std::string_view kImplementationId =
    "(SELECT id FROM implementation WHERE name = ?30 AND version = ?31 AND input_layouts = ?32 AND "
    "output_layout = ?33)";

std::string InsertConditions() {
  return Text("INSERT INTO conditions(device, memory_bytes, system, governor, libraries) VALUES(",
              kDeviceId, ", ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING");
}

std::string ConditionsId() {
  return Text("(SELECT id FROM conditions WHERE device = ", kDeviceId,
              " AND memory_bytes = ?6 AND system = ?7 AND governor = ?8 AND libraries = ?9)");
}

std::string InsertCost() {
  return Text("INSERT INTO cost(layer, implementation, conditions, ", kMeasurement,
              ", waited_ms, checksum) VALUES(", kLayerId, ", ", kImplementationId, ", ",
              ConditionsId(), ", ", kMeasurementPlaces, ", ?34, ?35)");
}

std::string InsertNetwork() {
  return Text("INSERT INTO network(conditions, ", kMeasurement,
              ", plan, name, planned_bytes, peak_bytes, energy_mj, energy_low_mj, energy_high_mj, "
              "waited_ms, checksum) VALUES(",
              ConditionsId(), ", ", kMeasurementPlaces,
              ", ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34)");
}

}  // namespace

std::string SelectCosts(std::string_view condition) {
  return Text("SELECT ", kFingerprint, ", ", kMeasurement, ", ", kCost,
              " FROM cost JOIN layer ON layer.id = cost.layer "
              "JOIN implementation ON implementation.id = cost.implementation "
              "JOIN conditions ON conditions.id = cost.conditions "
              "JOIN device ON device.id = conditions.device ",
              condition);
}

std::string SelectNetworks(std::string_view condition) {
  return Text("SELECT ", kFingerprint, ", ", kMeasurement, ", ", kNetwork,
              " FROM network JOIN conditions ON conditions.id = network.conditions "
              "JOIN device ON device.id = conditions.device ",
              condition);
}

RecordWriter::RecordWriter(const Connection& connection)
    : device_(connection.Prepare(kInsertDevice)),
      conditions_(connection.Prepare(InsertConditions())),
      layer_(connection.Prepare(kInsertLayer)),
      implementation_(connection.Prepare(kInsertImplementation)),
      cost_(connection.Prepare(InsertCost())),
      network_(connection.Prepare(InsertNetwork())) {}

void RecordWriter::Write(const CostRecord& record) {
  const std::vector<Cell> row = RowOf(record);
  for (Statement* statement : {&device_, &conditions_, &layer_, &implementation_, &cost_}) {
    statement->Run(row);
  }
}

void RecordWriter::Write(const NetworkRecord& record) {
  const std::vector<Cell> row = RowOf(record);
  for (Statement* statement : {&device_, &conditions_, &network_}) statement->Run(row);
}

}  // namespace fettle
