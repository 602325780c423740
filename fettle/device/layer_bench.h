#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/core/target.h"
#include "fettle/device/measurer.h"
#include "fettle/device/timing.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// A way to compute a layer, with the primitive that offers it (null: none of that name here).
struct Offer {
  const Primitive* primitive = nullptr;
  Implementation implementation;
};

// Where the measuring of a layer is, so that a crash can be laid at the right door.
enum class BenchStage : uint8_t { kPreparing, kMeasuring };
using BenchObserver = std::function<void(BenchStage stage, size_t offer)>;

// Measures ways to compute a layer against one another, each of them only after its output agreed
// with the reference's.
class LayerBench {
 public:
  // Both outlive it.
  LayerBench(Measurer& measurer, const Primitive& reference)
      : measurer_(measurer), reference_(reference) {}

  // One timing for each offer, in order, on data made from the seed and with target.threads
  // threads. Beside the Measurer's statuses: kNotApplicable (the primitive refuses the layer, does
  // not offer this implementation of it, or the reference cannot tell right from wrong), kFailed
  // (it could not be prepared) and kWrongResult; the detail says why. The observer (may be empty)
  // hears of each offer before it is prepared and before it first runs to be measured. The spec
  // must be sound (core/layer_check.h).
  std::vector<Timing> Measure(const LayerSpec& spec, const Target& target,
                              std::span<const Offer> offers, const TimingOptions& options,
                              uint64_t data_seed, const BenchObserver& observer = {});

 private:
  Measurer& measurer_;
  const Primitive& reference_;
};

}  // namespace fettle
