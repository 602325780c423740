#pragma once

#include <string>

#include "fettle/core/statistics.h"

namespace fettle {

// A number with so many digits behind the point: "0.250".
std::string FixedText(double value, int digits);

// "1.25 [1.20, 1.31]", all three times `scale`.
std::string IntervalText(const Interval& interval, double scale, int digits);

}  // namespace fettle
