#include "fettle/database/filter_text.h"

#include <initializer_list>
#include <string_view>

namespace fettle {

std::string FilterText(const CostFilter& filter, std::vector<Cell>* values) {
  std::string text = "1";
  const auto add = [&](std::string_view condition, std::initializer_list<Cell> with) {
    text.append(" AND ").append(condition);
    values->insert(values->end(), with);
  };
  if (!filter.device.empty()) add("device = ?", {filter.device});
  if (filter.threads) add("threads = ?", {int64_t{*filter.threads}});
  if (filter.mode) add("mode = ?", {std::string(NameOf(*filter.mode))});
  if (!filter.op.empty()) add("operator = ?", {filter.op});
  if (!filter.layer.empty()) add("instr(layer, ?) > 0", {filter.layer});
  if (filter.dtype) add("dtype = ?", {std::string(NameOf(*filter.dtype))});
  if (!filter.primitive.empty()) {
    // The whole name, or the part of it before a stop or a colon.
    const std::string& name = filter.primitive;
    add("(implementation = ? OR substr(implementation, 1, length(?) + 1) IN (?, ?))",
        {name, name, name + ".", name + ":"});
  }
  return text;
}

}  // namespace fettle
