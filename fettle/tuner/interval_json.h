#pragma once

#include <nlohmann/json_fwd.hpp>

#include "fettle/core/statistics.h"

namespace fettle {

// How intervals stand in everything that Fettle prints and keeps: names that others rely on.
nlohmann::ordered_json ToJson(const Interval& interval);       // {"value","low","high"}
nlohmann::ordered_json LatencyJson(const Interval& interval);  // {"median","low","high"}

// Either form. Throws nlohmann::json::exception where it is neither.
Interval IntervalFromJson(const nlohmann::ordered_json& json);

}  // namespace fettle
