#pragma once

#include <string>
#include <vector>

#include "fettle/database/cost_filter.h"
#include "fettle/database/table.h"

namespace fettle {

// The filter as an SQL condition on the view `costs`, with a question mark for each of the values
// that it appends; "1" where the filter says nothing.
std::string FilterText(const CostFilter& filter, std::vector<Cell>* values);

}  // namespace fettle
