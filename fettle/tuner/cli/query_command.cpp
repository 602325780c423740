#include <array>
#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/cost_models/implementation_catalog.h"
#include "fettle/database/cost_queries.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/onnx/import.h"
#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/database_argument.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/local_worker.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

std::string CellText(const Cell& cell) {
  if (const auto* whole = std::get_if<int64_t>(&cell)) return Text(*whole);
  if (const auto* number = std::get_if<double>(&cell)) return FixedText(*number, 4);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "";
}

Json CellJson(const Cell& cell) {
  if (const auto* whole = std::get_if<int64_t>(&cell)) return *whole;
  if (const auto* number = std::get_if<double>(&cell)) return *number;
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return nullptr;
}

void Print(const std::string& name, const Table& table, bool as_json, Console& console) {
  if (as_json) {
    Json rows = Json::array();
    for (const auto& row : table.rows) {
      Json entry = Json::object();
      for (size_t i = 0; i < row.size(); ++i) entry[table.columns[i]] = CellJson(row[i]);
      rows.push_back(std::move(entry));
    }
    console.out() << Json({{"schema", 1}, {name, rows}}).dump(1) << '\n';
  } else {
    std::vector<std::vector<std::string>> rows = {table.columns};
    for (const auto& row : table.rows) {
      rows.emplace_back();
      for (const Cell& cell : row) rows.back().push_back(CellText(cell));
    }
    console.out() << TableText(rows);
  }
  if (table.is_truncated) console.Note("note: there are more rows; narrow the query");
}

CostFilter FilterOf(const Options& options, const std::string& prefix) {
  CostFilter filter;
  filter.device = options.Get("device");
  if (options.Has("threads")) {
    filter.threads = static_cast<int>(options.GetInteger("threads", 1, 1, 1024));
  }
  if (options.Has("mode")) {
    filter.mode = ParseCacheMode(options.Get("mode"));
    if (!filter.mode) {
      throw Error(ErrorKind::kUsage, Text("--mode ", options.Get("mode"),
                                          ": one of hot, cold, in_network is expected"));
    }
  }
  filter.op = options.Get("op");
  filter.layer = options.Get("layer");
  filter.primitive = options.Get(prefix + "primitive", options.Get("primitive"));
  const std::string dtype = options.Get(prefix + "dtype", options.Get("dtype"));
  if (!dtype.empty()) {
    filter.dtype = ParseDType(dtype);
    if (!filter.dtype) {
      throw Error(ErrorKind::kUsage, Text("--dtype ", dtype, ": f32 or bf16 is expected"));
    }
  }
  return filter;
}

// Implementations are told apart by how they do alone: in networks only a few have been seen.
CostFilter WithMode(CostFilter filter) {
  if (!filter.mode) filter.mode = CacheMode::kHot;
  return filter;
}

// What a model's layers would need and no record answers.
Table MissingOf(const CostDatabase& database, const Options& options) {
  if (!options.Has("model")) {
    throw Error(ErrorKind::kUsage, "missing: --model MODEL.onnx says whose layers are meant");
  }
  WorkerClient worker(LocalWorker(OwnProgram()));
  const int threads = static_cast<int>(options.GetInteger("threads", 1, 1, 1024));
  const Description device = worker.Describe({threads});
  const PrimitiveList primitives = PrimitiveList::All();
  ImplementationCatalog catalog(primitives, HostTarget(threads));
  const LayerGraph graph = Lower(ImportOnnx(options.Get("model")));
  std::vector<CostQuery> queries;
  for (const LayerSpec& spec : LayersOf(graph, {DType::kF32, DType::kBF16})) {
    for (const Implementation& one : catalog.Of(spec)) {
      LayerTask task{KeyOf(spec), one.name, one.version,    one.inputs,
                     one.output,  threads,  CacheMode::kHot};
      queries.push_back({std::move(task), device.fingerprint});
    }
  }
  Table table{{"layer", "implementation", "output_layout"}, {}, false};
  for (const CostQuery& query : Missing(database, queries)) {
    table.rows.push_back(
        {query.task.key.text, query.task.implementation, std::string(NameOf(query.task.output))});
  }
  return table;
}

}  // namespace

int RunQuery(std::span<const std::string> arguments, Console& console) {
  Options options("query WHAT",
                  "Asks the cost database: layers (what was measured), best (the fastest "
                  "implementation of each layer), compare (two sides, layer by layer: give "
                  "--left-primitive and --right-primitive, or --left-dtype and --right-dtype), "
                  "missing (what a model needs and nobody measured), devices; or sql, any SELECT "
                  "over the views that docs/database.md describes.",
                  {"fettle query best --op conv --dtype bf16",
                   "fettle query compare --left-primitive onednn --right-primitive openblas",
                   "fettle query sql --sql 'SELECT count(*) FROM costs'"});
  options.AddArgument("WHAT", "layers, best, compare, missing, devices or sql.");
  options.AddValue("db", "FILE", kDatabaseHelp);
  options.AddValue("sql", "SELECT", "The statement, for sql; it can only read.");
  options.AddValue("model", "MODEL.onnx", "For missing.");
  options.AddValue("device", "ID", "Only this device.");
  options.AddValue("threads", "N", "Only so many threads.");
  options.AddValue("mode", "hot|cold|in_network",
                   "Only measured so (default for best and compare: hot).");
  options.AddValue("op", "NAME", "Only layers of this operator: conv, pool, ...");
  options.AddValue("layer", "TEXT", "Only layers whose key contains this.");
  options.AddValue("dtype", "f32|bf16", "Only layers of this element type.");
  options.AddValue("primitive", "NAME", "Only implementations of this primitive.");
  for (const char* side : {"left", "right"}) {
    options.AddValue(Text(side, "-primitive"), "NAME", "Of this side of a comparison.");
    options.AddValue(Text(side, "-dtype"), "f32|bf16", "Of this side of a comparison.");
  }
  options.AddFlag("json", "Prints JSON.");
  // "fettle query --sql '...'" needs no WHAT.
  std::vector<std::string> given(arguments.begin(), arguments.end());
  if (!given.empty() && given[0].starts_with("--sql")) given.insert(given.begin(), "sql");
  if (!options.Parse(given)) {
    console.out() << options.Help();
    return 0;
  }
  const std::string what = options.Get("WHAT");
  const CostDatabase database =
      CostDatabase::Open(DatabaseArgument(options), CostDatabase::Access::kReadOnly);
  Table table;
  if (what == "layers") {
    table = Layers(database, FilterOf(options, ""));
  } else if (what == "best") {
    table = Best(database, WithMode(FilterOf(options, "")));
  } else if (what == "compare") {
    table = Compare(database, WithMode(FilterOf(options, "left-")),
                    WithMode(FilterOf(options, "right-")));
  } else if (what == "devices") {
    table = Devices(database, FilterOf(options, ""));
  } else if (what == "missing") {
    table = MissingOf(database, options);
  } else if (what == "sql") {
    if (!options.Has("sql")) throw Error(ErrorKind::kUsage, "--sql is missing");
    table = database.Select(options.Get("sql"));
  } else {
    throw Error(
        ErrorKind::kUsage,
        Text("query ", what, ": one of layers, best, compare, missing, devices, sql is expected"));
  }
  Print(what == "sql" ? "rows" : what, table, options.Has("json"), console);
  return 0;
}

}  // namespace fettle
