#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "fettle/core/measurement.h"
#include "fettle/device/layer_bench.h"
#include "fettle/device/reply.h"

namespace fettle {

// What is still to be asked of a worker that contenders may take down with them, and who is to
// blame when one does. LayerSalvage and PlanSalvage hold requests and answers beside it.
//
// A contender that the worker was preparing when it died is to blame, and the others are asked for
// again. One that died while measuring may have been brought down by any of those in the race: then
// each is asked for alone. Where it died before it came to the first, all are to blame.
class Salvage {
 public:
  using Part = std::vector<size_t>;  // contenders, by their number

  // What the worker was at when it was last heard of: which of the part that it was asked for.
  struct Place {
    BenchStage stage = BenchStage::kPreparing;
    size_t one = 0;
  };

  // The measurement of those that have none.
  struct Blame {
    Part whom;
    MeasurementStatus status = MeasurementStatus::kFailed;
    std::string detail;

    Measurement MeasurementIn(CacheMode mode) const;
  };

  explicit Salvage(size_t contenders);

  // The part to ask for next, or null when there is an answer or a blame for each.
  const Part* Next() const { return parts_.empty() ? nullptr : &parts_.front(); }

  // It was answered.
  Part TakeAnswered();

  // It was not; nobody may be to blame for now.
  Blame AddFailure(const Reply& reply, const std::optional<Place>& last);

 private:
  std::deque<Part> parts_;
};

}  // namespace fettle
