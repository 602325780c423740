#pragma once

#include <cstdint>
#include <optional>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// Where an estimate comes from, best first.
enum class EstimateOrigin : uint8_t {
  kMeasured,           // on this device, with these versions and threads
  kMeasuredElsewhere,  // by another version, or on another device
  kPredicted,
};

// What a layer's run is believed to cost, in milliseconds; 95 % of the truth lies within the
// bounds.
struct Estimate {
  double ms = 0;
  double low = 0, high = 0;
  EstimateOrigin origin = EstimateOrigin::kPredicted;
};

// The cost of computing a layer by an implementation.
class LayerCosts {
 public:
  virtual ~LayerCosts() = default;

  // Nothing where it is known not to work (wrong, crashed, declined): it must not be chosen.
  virtual std::optional<Estimate> Cost(const LayerSpec& spec,
                                       const Implementation& implementation) const = 0;

  // Scratch memory, where it is known.
  virtual std::optional<int64_t> WorkspaceBytes(const LayerSpec&, const Implementation&) const {
    return std::nullopt;
  }
};

}  // namespace fettle
