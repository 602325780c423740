#include "fettle/database/cost_queries.h"

#include <limits>
#include <string>

#include "fettle/core/error.h"
#include "fettle/database/filter_text.h"

namespace fettle {
namespace {

// Our own queries end by themselves.
constexpr QueryLimits kNoLimits = {std::numeric_limits<int64_t>::max(),
                                   std::numeric_limits<int64_t>::max()};

// What both sides of a comparison must have in common, and what they have in common only if they
// are asked to be the same.
struct Common {
  std::string layer;    // "layer" or "form"
  std::string columns;  // to group and join by: "layer, device"
  std::string shown;    // one for each of device, threads and mode, NULL where it may differ
};

Common CommonOf(const CostFilter& left, const CostFilter& right) {
  Common common;
  common.layer = left.dtype || right.dtype ? "form" : "layer";
  common.columns = common.layer;
  const auto add = [&](const char* column, bool may_differ) {
    if (may_differ) {
      common.shown +=
          Text(", CASE WHEN l.", column, " = r.", column, " THEN l.", column, " END AS ", column);
    } else {
      common.columns += Text(", ", column);
      common.shown += Text(", ", column);
    }
  };
  add("device", !left.device.empty() || !right.device.empty());
  add("threads", left.threads || right.threads);
  add("mode", left.mode || right.mode);
  return common;
}

// The fastest of each group, as a subquery.
std::string FastestText(const CostFilter& filter, const std::string& columns,
                        std::vector<Cell>* values) {
  return Text(
      "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY ", columns,
      " ORDER BY median_ms, id) AS rank FROM current_costs WHERE median_ms IS NOT NULL AND ",
      FilterText(filter, values), ") WHERE rank = 1");
}

}  // namespace

Table Layers(const CostDatabase& database, const CostFilter& filter) {
  std::vector<Cell> values;
  const std::string condition = FilterText(filter, &values);
  return database.Select(
      Text("SELECT layer, operator, dtype, count(*) AS records, "
           "count(DISTINCT implementation) AS implementations, count(DISTINCT device) AS devices "
           "FROM costs WHERE ",
           condition, " GROUP BY layer ORDER BY layer"),
      values, kNoLimits);
}

Table Best(const CostDatabase& database, const CostFilter& filter) {
  std::vector<Cell> values;
  const std::string condition = FilterText(filter, &values);
  return database.Select(
      Text("SELECT layer, device, threads, mode, implementation, version, input_layouts, "
           "output_layout, status, median_ms, low_ms, high_ms, waited_ms, measured, "
           "next_implementation, "
           "next_median_ms, high_ms < next_low_ms AS is_clear, contenders FROM ("
           "SELECT *, row_number() OVER ranking AS rank, "
           "lead(implementation) OVER ranking AS next_implementation, "
           "lead(median_ms) OVER ranking AS next_median_ms, "
           "lead(low_ms) OVER ranking AS next_low_ms, "
           "count(*) OVER (PARTITION BY layer, device, threads, mode) AS contenders "
           "FROM current_costs WHERE median_ms IS NOT NULL AND ",
           condition,
           " WINDOW ranking AS (PARTITION BY layer, device, threads, mode ORDER BY median_ms, id)) "
           "WHERE rank = 1 ORDER BY layer, device, threads, mode"),
      values, kNoLimits);
}

Table Compare(const CostDatabase& database, const CostFilter& left, const CostFilter& right) {
  const Common common = CommonOf(left, right);
  std::vector<Cell> values;
  const std::string left_side = FastestText(left, common.columns, &values);
  const std::string right_side = FastestText(right, common.columns, &values);
  std::string columns;
  for (const std::string side : {"left", "right"}) {
    for (const char* column : {"implementation", "median_ms", "low_ms", "high_ms"}) {
      columns += Text(", ", side[0], ".", column, " AS ", side, "_", column);
    }
  }
  return database.Select(
      Text("SELECT ", common.layer, " AS layer", common.shown, columns,
           ", l.median_ms / r.median_ms AS ratio, l.low_ms / r.high_ms AS ratio_low, "
           "l.high_ms / r.low_ms AS ratio_high FROM (",
           left_side, ") AS l JOIN (", right_side, ") AS r USING(", common.columns,
           ") ORDER BY layer, device, threads, mode"),
      values, kNoLimits);
}

Table Devices(const CostDatabase& database, const CostFilter& filter) {
  std::vector<Cell> values;
  const std::string condition = FilterText(filter, &values);
  return database.Select(
      Text("SELECT costs.device AS device, device.cpu_model, isa, cores, cache_bytes, "
           "count(*) AS records, count(DISTINCT layer) AS layers, min(measured) AS first, "
           "max(measured) AS last FROM (SELECT * FROM costs WHERE ",
           condition,
           ") AS costs JOIN device ON device.name = costs.device GROUP BY device.id "
           "ORDER BY costs.device"),
      values, kNoLimits);
}

std::vector<CostQuery> Missing(const CostDatabase& database, std::span<const CostQuery> queries) {
  std::vector<CostQuery> missing;
  for (const CostQuery& query : queries) {
    if (database.LookUp(query).quality != MatchQuality::kExact) missing.push_back(query);
  }
  return missing;
}

}  // namespace fettle
