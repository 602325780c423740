#pragma once

#include <span>
#include <vector>

#include "fettle/database/cost_database.h"

// What people ask of the database, as tables: times in milliseconds, latencies as a median with the
// interval that covers it. Of an implementation measured more than once the record counts that a
// look-up would prefer (the view current_costs of docs/database.md).

namespace fettle {

// layer, operator, dtype, records, implementations, devices; a row for each layer measured.
Table Layers(const CostDatabase& database, const CostFilter& filter);

// The fastest way to do each layer, for each device, thread count and cache mode: layer, device,
// threads, mode, implementation, version, input_layouts, output_layout, status, median_ms, low_ms,
// high_ms, next_implementation, next_median_ms (the second best), is_clear (1 where the two
// intervals do not overlap; NULL without a second), contenders.
Table Best(const CostDatabase& database, const CostFilter& filter);

// The best of either side, layer by layer: layer, device, threads, mode, then implementation,
// median_ms, low_ms, high_ms of `left` and of `right` (with these prefixes), ratio (left over
// right: below 1 the left is faster), ratio_low and ratio_high (from the intervals' ends). Device,
// threads and mode must agree unless a filter names one, which then is NULL where the sides differ;
// so must the layer, but for its element types where a filter names a dtype (then `layer` has "*"
// in their place).
Table Compare(const CostDatabase& database, const CostFilter& left, const CostFilter& right);

// device, cpu_model, isa, cores, cache_bytes, records, layers, first, last (UTC).
Table Devices(const CostDatabase& database, const CostFilter& filter);

// Those of the queries that no record answers exactly, in their order.
std::vector<CostQuery> Missing(const CostDatabase& database, std::span<const CostQuery> queries);

}  // namespace fettle
