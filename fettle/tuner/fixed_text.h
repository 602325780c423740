#pragma once

#include <string>

namespace fettle {

// A number with so many digits behind the point: "0.250".
std::string FixedText(double value, int digits);

}  // namespace fettle
