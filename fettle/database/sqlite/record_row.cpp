#include "fettle/database/sqlite/record_row.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "fettle/core/fnv1a.h"
#include "fettle/database/sqlite/json_columns.h"

namespace fettle {
namespace {

// The checksum finds what SQLite does not look for: a bit turned over in a number or a name. A
// column added to the format later must be left out of it where it holds its default: the row's
// last, waited_ms, is one.
int64_t Checksum(std::span<const Cell> row) {
  if (std::holds_alternative<std::monostate>(row.back())) row = row.first(row.size() - 1);
  Fnv1a hash;
  for (const Cell& value : row) {
    hash.Add(std::to_string(value.index()));
    if (const auto* integer = std::get_if<int64_t>(&value)) hash.Add(std::to_string(*integer));
    if (const auto* real = std::get_if<double>(&value)) {
      hash.Add(std::to_string(std::bit_cast<uint64_t>(*real)));
    }
    if (const auto* text = std::get_if<std::string>(&value)) hash.Add(*text);
  }
  return std::bit_cast<int64_t>(hash.value());
}

// SQLite keeps no negative zero, and of what is not a number only that it is nothing.
Cell Real(double number) { return std::isnan(number) ? Cell() : Cell(number + 0.0); }

// The key with "*" for every element type, by which layers of different precision are compared.
std::string FormOf(std::string_view key) {
  std::string form;
  for (const char c : key) {
    if (c == '[') {
      while (!form.empty() && form.back() != '=' && form.back() != ',') form.pop_back();
      form += '*';
    }
    form += c;
  }
  return form;
}

// The element type of the first tensor a key names: its first input or, without, its output.
std::string DTypeOf(std::string_view key) {
  for (const std::string_view name : {" in=", " out="}) {
    const size_t place = key.find(name);
    if (place == std::string_view::npos) continue;
    const std::string_view type = key.substr(place + name.size());
    return std::string(type.substr(0, type.find('[')));
  }
  return {};
}

void AddFingerprint(const Fingerprint& fingerprint, std::vector<Cell>* row) {
  row->insert(row->end(), {DeviceId(fingerprint), fingerprint.cpu_model, JsonText(fingerprint.isa),
                           int64_t{fingerprint.cores}, JsonText(fingerprint.cache_bytes),
                           fingerprint.memory_bytes, fingerprint.system, fingerprint.governor,
                           JsonText(fingerprint.libraries)});
}

void AddMeasurement(const Measurement& measurement, std::vector<Cell>* row) {
  const auto& latency = measurement.latency_ms;
  row->insert(row->end(),
              {std::string(NameOf(measurement.mode)), std::string(NameOf(measurement.status)),
               JsonText(measurement.samples_ms), latency ? Real(latency->value) : Cell(),
               latency ? Real(latency->low) : Cell(), latency ? Real(latency->high) : Cell(),
               Real(measurement.cpu_ms), int64_t{measurement.dropped_rounds},
               Real(measurement.reference_drift), Real(measurement.error),
               measurement.workspace_bytes, measurement.weight_bytes, measurement.detail});
}

// The columns that both tables have: fingerprint, threads, measurement, time and who.
std::vector<Cell> CommonRow(const Provenance& provenance, int threads,
                            const Measurement& measurement) {
  std::vector<Cell> row;
  AddFingerprint(provenance.fingerprint, &row);
  row.emplace_back(int64_t{threads});
  AddMeasurement(measurement, &row);
  row.insert(row.end(), {provenance.time, provenance.who});
  return row;
}

// Takes a row's fields one after another. A field of another kind than asked for, and words without
// a meaning, leave is_sound() false.
class RowReader {
 public:
  explicit RowReader(const std::vector<Cell>& row) : row_(row) {}

  bool is_sound() const { return is_sound_; }
  void Require(bool condition) { is_sound_ = is_sound_ && condition; }

  int64_t Integer() { return Take<int64_t>(); }
  double Number() { return Take<double>(); }
  std::string String() { return Take<std::string>(); }
  void Skip() { Next(); }

  int Int() {
    const int64_t value = Integer();
    Require(value >= 0 && value <= std::numeric_limits<int>::max());
    return static_cast<int>(value);
  }

  template <typename T>
  std::optional<T> Optional() {
    const Cell& value = Next();
    if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
    Require(std::holds_alternative<T>(value));
    return std::holds_alternative<T>(value) ? std::get<T>(value) : T();
  }

  template <typename T>
  T Json() {
    T value;
    Require(ParseJson(String(), &value));
    return value;
  }

  // A word that `parse` knows.
  template <typename T>
  T Word(std::optional<T> (*parse)(std::string_view)) {
    const std::optional<T> value = parse(String());
    Require(value.has_value());
    return value.value_or(T());
  }

  std::optional<fettle::Interval> Interval() {
    const auto value = Optional<double>();
    const auto low = Optional<double>();
    const auto high = Optional<double>();
    Require(value.has_value() == low.has_value() && low.has_value() == high.has_value());
    if (!value || !low || !high) return std::nullopt;
    return fettle::Interval{*value, *low, *high};
  }

 private:
  const Cell& Next() {
    Require(place_ < row_.size());
    return place_ < row_.size() ? row_[place_++] : nothing_;
  }

  template <typename T>
  T Take() {
    std::optional<T> value = Optional<T>();
    Require(value.has_value());
    return std::move(value).value_or(T());
  }

  const std::vector<Cell>& row_;
  const Cell nothing_;
  size_t place_ = 0;
  bool is_sound_ = true;
};

Fingerprint ReadFingerprint(RowReader* row) {
  Fingerprint fingerprint;
  row->Skip();  // the device's id follows from the rest
  fingerprint.cpu_model = row->String();
  fingerprint.isa = row->Json<std::vector<std::string>>();
  fingerprint.cores = row->Int();
  fingerprint.cache_bytes = row->Json<std::vector<int64_t>>();
  fingerprint.memory_bytes = row->Integer();
  fingerprint.system = row->String();
  fingerprint.governor = row->String();
  fingerprint.libraries = row->Json<std::map<std::string, std::string>>();
  return fingerprint;
}

Measurement ReadMeasurement(RowReader* row) {
  Measurement measurement;
  measurement.mode = row->Word(ParseCacheMode);
  measurement.status = row->Word(ParseMeasurementStatus);
  measurement.samples_ms = row->Json<std::vector<double>>();
  measurement.latency_ms = row->Interval();
  measurement.cpu_ms = row->Number();
  measurement.dropped_rounds = row->Int();
  measurement.reference_drift = row->Number();
  measurement.error = row->Optional<double>().value_or(std::nan(""));
  measurement.workspace_bytes = row->Integer();
  measurement.weight_bytes = row->Integer();
  measurement.detail = row->String();
  return measurement;
}

// The common columns; the threads are a field of their own in either record.
int ReadCommon(RowReader* row, Provenance* provenance, Measurement* measurement) {
  provenance->fingerprint = ReadFingerprint(row);
  const int threads = row->Int();
  *measurement = ReadMeasurement(row);
  provenance->time = row->Integer();
  provenance->who = row->String();
  return threads;
}

bool HasItsChecksum(const std::vector<Cell>& row) {
  return row.size() > 1 && row.back() == Cell(Checksum(std::span(row).first(row.size() - 1)));
}

[[maybe_unused]] bool IsFinite(const Measurement& measurement) {
  for (const double sample : measurement.samples_ms) {
    if (!std::isfinite(sample)) return false;
  }
  const Interval latency = measurement.latency_ms.value_or(Interval());
  return std::isfinite(latency.value) && std::isfinite(latency.low) &&
         std::isfinite(latency.high) && std::isfinite(measurement.cpu_ms) &&
         std::isfinite(measurement.reference_drift);
}

}  // namespace

std::string LayoutsText(const std::vector<Layout>& layouts) {
  std::vector<std::string> names;
  names.reserve(layouts.size());
  for (const Layout layout : layouts) names.emplace_back(NameOf(layout));
  return JsonText(names);
}

std::vector<Cell> RowOf(const CostRecord& record) {
  const LayerTask& task = record.task;
  const std::string& key = task.key.text;
  assert(task.mode == record.measurement.mode && IsFinite(record.measurement));
  assert(ParseLayerSpec(key) && ParseLayerSpec(key)->inputs.size() == task.inputs.size());
  std::vector<Cell> row = CommonRow(record.provenance, task.threads, record.measurement);
  row.insert(row.end(),
             {key, FormOf(key), key.substr(0, key.find('(')), DTypeOf(key), task.implementation,
              int64_t{task.version}, LayoutsText(task.inputs), std::string(NameOf(task.output)),
              record.waited_ms ? Real(*record.waited_ms) : Cell()});
  row.emplace_back(Checksum(row));
  return row;
}

std::vector<Cell> RowOf(const NetworkRecord& record) {
  assert(IsFinite(record.measurement));
  std::vector<Cell> row = CommonRow(record.provenance, record.threads, record.measurement);
  const auto& peak = record.peak_bytes;
  const auto& energy = record.energy_mj;
  row.insert(row.end(), {record.plan, record.network, record.planned_bytes,
                         peak ? Cell(*peak) : Cell(), energy ? Real(energy->value) : Cell(),
                         energy ? Real(energy->low) : Cell(), energy ? Real(energy->high) : Cell(),
                         record.waited_ms ? Real(*record.waited_ms) : Cell()});
  row.emplace_back(Checksum(row));
  return row;
}

std::optional<CostRecord> CostRecordOf(const std::vector<Cell>& row) {
  if (!HasItsChecksum(row)) return std::nullopt;
  CostRecord record;
  LayerTask& task = record.task;
  RowReader reader(row);
  task.threads = ReadCommon(&reader, &record.provenance, &record.measurement);
  task.mode = record.measurement.mode;
  task.key.text = reader.String();
  for (int derived = 0; derived < 3; ++derived) reader.Skip();
  task.implementation = reader.String();
  task.version = reader.Int();
  for (const std::string& name : reader.Json<std::vector<std::string>>()) {
    const std::optional<Layout> layout = ParseLayout(name);
    reader.Require(layout.has_value());
    task.inputs.push_back(layout.value_or(Layout::kPlain));
  }
  task.output = reader.Word(ParseLayout);
  record.waited_ms = reader.Optional<double>();
  if (!reader.is_sound()) return std::nullopt;
  return record;
}

std::optional<NetworkRecord> NetworkRecordOf(const std::vector<Cell>& row) {
  if (!HasItsChecksum(row)) return std::nullopt;
  NetworkRecord record;
  RowReader reader(row);
  record.threads = ReadCommon(&reader, &record.provenance, &record.measurement);
  record.plan = reader.String();
  record.network = reader.String();
  record.planned_bytes = reader.Integer();
  record.peak_bytes = reader.Optional<int64_t>();
  record.energy_mj = reader.Interval();
  record.waited_ms = reader.Optional<double>();
  if (!reader.is_sound()) return std::nullopt;
  return record;
}

}  // namespace fettle
