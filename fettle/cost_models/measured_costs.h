#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "fettle/cost_models/layer_costs.h"
#include "fettle/cost_models/layer_predictor.h"
#include "fettle/database/cost_record.h"

namespace fettle {

// What the measurements in hand say, and the predictor for everything else. Holds one device and
// one number of threads: the caller adds the records that are about them.
class MeasuredCosts : public LayerCosts {
 public:
  // A later record replaces an earlier one of the same layer and implementation, unless it is an
  // accident (timed out, crashed, failed) and there is a latency already. Returns whether the key
  // was new. Records whose key is no LayerSpec are ignored, and noise without a single sample.
  bool Add(const CostRecord& record, EstimateOrigin origin = EstimateOrigin::kMeasured);

  std::optional<Estimate> Cost(const LayerSpec& spec,
                               const Implementation& implementation) const override;

  // Whether it has been tried on this device, with whatever result.
  bool IsKnown(const LayerSpec& spec, const Implementation& implementation) const;

  // Where it was measured.
  std::optional<int64_t> WorkspaceBytes(const LayerSpec& spec,
                                        const Implementation& implementation) const override;

  size_t size() const { return entries_.size(); }
  // Grows with every record: what was asked before may be answered differently since.
  int64_t version() const { return version_; }
  const LayerPredictor& predictor() const { return predictor_; }

 private:
  struct Entry {
    std::optional<Estimate> estimate;  // nothing: it does not work
    int64_t workspace_bytes = 0;
    EstimateOrigin origin = EstimateOrigin::kMeasured;
  };
  const Entry* Find(const LayerSpec& spec, const Implementation& implementation) const;

  std::map<std::string, Entry> entries_;
  LayerPredictor predictor_;
  int64_t version_ = 0;
};

}  // namespace fettle
