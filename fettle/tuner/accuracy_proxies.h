#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/primitives/primitive_list.h"
#include "fettle/training/data/dataset.h"
#include "fettle/tuner/recovery.h"
#include "fettle/tuner/tuning_space.h"

namespace fettle {

// What proxies look at. All outlive the call.
struct ProxyContext {
  const TuningSpace& space;
  const Dataset& calibration;
  const Calibration& statistics;  // of the original's activations
  Recovery* recovery;
  int64_t glimpse_steps = 12;
  uint64_t seed = 1;  // of the order of the images of a glimpse
  const PrimitiveList& primitives;
  Target target;
};

// A cheap guess of how much a candidate loses, before it is recovered: the greater the worse. Only
// its order is to be believed. Precisions are not looked at.
struct AccuracyProxy {
  std::string_view name;
  std::string_view meaning;  // a line
  // The score of a candidate is the sum over its changes, each alone. Such a proxy can guide a
  // search of many thousand candidates, the others only order a few.
  bool is_additive = false;
  double (*score)(const ProxyContext& context, const Candidate& candidate);
};

// All there are; the last ones are baselines that any other has to beat: the multiplications and
// the parameters that were removed.
std::span<const AccuracyProxy> AccuracyProxies();

// The changes of a candidate, each alone.
std::vector<Candidate> SingleChangesOf(const DesignSpace& space, const Candidate& candidate);

}  // namespace fettle
