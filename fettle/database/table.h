#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace fettle {

// One field of a table: nothing (SQL's NULL), a number or text.
using Cell = std::variant<std::monostate, int64_t, double, std::string>;

// A query's result.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as columns
  bool is_truncated = false;            // there were more rows than the limit
};

}  // namespace fettle
