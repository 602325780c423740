#include "fettle/device/salvage.h"

#include <cassert>
#include <numeric>
#include <utility>

namespace fettle {

Salvage::Salvage(size_t contenders) {
  Part all(contenders);
  std::iota(all.begin(), all.end(), size_t{0});
  if (!all.empty()) parts_.push_back(std::move(all));
}

Measurement Salvage::Blame::MeasurementIn(CacheMode mode) const {
  Measurement measurement;
  measurement.status = status;
  measurement.mode = mode;
  measurement.detail = detail;
  return measurement;
}

Salvage::Part Salvage::TakeAnswered() {
  assert(!parts_.empty());
  Part part = std::move(parts_.front());
  parts_.pop_front();
  return part;
}

Salvage::Blame Salvage::AddFailure(const Reply& reply, const std::optional<Place>& last) {
  const Part part = TakeAnswered();
  if (reply.status == ReplyStatus::kError) {
    return {part, MeasurementStatus::kFailed, reply.error.message};
  }
  const MeasurementStatus status = reply.status == ReplyStatus::kTimedOut
                                       ? MeasurementStatus::kTimedOut
                                       : MeasurementStatus::kCrashed;
  if (part.size() == 1) return {part, status, reply.detail};
  if (!last || last->one >= part.size()) {
    return {part, status, reply.detail + ", before it came to any of them"};
  }
  if (last->stage == BenchStage::kPreparing) {
    Part rest = part;
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(last->one));
    parts_.push_front(std::move(rest));
    return {{part[last->one]}, status, reply.detail + ", while preparing it"};
  }
  for (auto i = part.rbegin(); i != part.rend(); ++i) parts_.push_front({*i});
  return {};
}

}  // namespace fettle
