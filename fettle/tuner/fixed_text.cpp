#include "fettle/tuner/fixed_text.h"

#include <iomanip>
#include <sstream>

#include "fettle/core/error.h"

namespace fettle {

std::string FixedText(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string IntervalText(const Interval& interval, double scale, int digits) {
  return Text(FixedText(scale * interval.value, digits), " [",
              FixedText(scale * interval.low, digits), ", ",
              FixedText(scale * interval.high, digits), "]");
}

}  // namespace fettle
