#include "fettle/tuner/fixed_text.h"

#include <iomanip>
#include <sstream>

namespace fettle {

std::string FixedText(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

}  // namespace fettle
