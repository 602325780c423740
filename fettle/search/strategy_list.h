// Every strategy there is. To add one: its own header and source, and a line in the source here.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "fettle/search/strategy.h"

namespace fettle {

// The stable names, the default first.
std::vector<std::string_view> StrategyNames();

// Null where there is no strategy of this name. `space` must outlive the strategy.
std::unique_ptr<Strategy> MakeStrategy(std::string_view name, const DesignSpace& space,
                                       const StrategySettings& settings);

}  // namespace fettle
