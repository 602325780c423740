#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fettle/database/cost_record.h"
#include "fettle/database/table.h"

namespace fettle {

// A record as the fields of its columns, in the order in which record_store.cpp reads and writes
// them, and back. The last field is the checksum over those before it; nothing comes back from
// fields whose checksum is another, or that are no record.
std::vector<Cell> RowOf(const CostRecord& record);
std::vector<Cell> RowOf(const NetworkRecord& record);
std::optional<CostRecord> CostRecordOf(const std::vector<Cell>& row);
std::optional<NetworkRecord> NetworkRecordOf(const std::vector<Cell>& row);

// The column input_layouts.
std::string LayoutsText(const std::vector<Layout>& layouts);

}  // namespace fettle
