#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/database/cost_record.h"
#include "fettle/database/sqlite/connection.h"

namespace fettle {

// SELECTs of all columns of a record, in RowOf's order; a condition on `cost` or `network` (and the
// tables joined: layer, implementation, conditions, device) may follow.
std::string SelectCosts(std::string_view condition);
std::string SelectNetworks(std::string_view condition);

// The rows of records: written whole, with the devices, layers and implementations they name. The
// caller holds the transaction.
class RecordWriter {
 public:
  explicit RecordWriter(const Connection& connection);

  void Write(const CostRecord& record);
  void Write(const NetworkRecord& record);

 private:
  Statement device_, conditions_, layer_, implementation_, cost_, network_;
};

// Bind, then call in a loop: the records that are what was written, and a count of the others.
template <typename Record>
std::vector<Record> ReadAll(Statement* statement,
                            std::optional<Record> (*record_of)(const std::vector<Cell>&),
                            int64_t* num_unreadable) {
  std::vector<Record> records;
  while (statement->Step()) {
    if (std::optional<Record> record = record_of(statement->Row())) {
      records.push_back(*std::move(record));
    } else {
      ++*num_unreadable;
    }
  }
  statement->Reset();
  return records;
}

}  // namespace fettle
