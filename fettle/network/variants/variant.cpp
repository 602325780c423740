#include "fettle/network/variants/variant.h"

namespace fettle {

std::optional<double> Variant::WeightError(const Graph& /*graph*/,
                                           std::string_view /*layer*/) const {
  return std::nullopt;
}

}  // namespace fettle
