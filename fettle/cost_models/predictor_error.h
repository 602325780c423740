#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fettle/database/cost_record.h"

namespace fettle {

// How far the predictor is off for some of the records. Errors are |predicted / measured - 1|.
struct PredictorError {
  std::string primitive;  // "onednn.conv"; "all"
  std::string dtype;      // of the layer's output; "all"
  int64_t records = 0;
  double median = 0, percentile90 = 0;
  double within10 = 0, within25 = 0;  // shares of the records
};

// Each layer's records are predicted from those of all other layers, as for a layer that was never
// measured. The records are of one device and one number of threads; of one layer, implementation
// and layouts the last one counts, those without a latency do not. A row for each primitive and
// element type, by name, and one for all in front.
std::vector<PredictorError> LeaveOneLayerOut(std::span<const CostRecord> records);

// As a table in Markdown.
std::string MarkdownOf(std::span<const PredictorError> errors);

}  // namespace fettle
