#include "fettle/cost_models/measured_costs.h"

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/core/statistics.h"
#include "fettle/cost_models/way_text.h"

namespace fettle {
namespace {

bool IsAccident(MeasurementStatus status) {
  return status == MeasurementStatus::kTimedOut || status == MeasurementStatus::kCrashed ||
         status == MeasurementStatus::kFailed;
}

// What it took. Too few samples for an interval (a busy machine) are bad news of the machine, not
// of the implementation: their median within their range.
std::optional<Interval> LatencyOf(const Measurement& measurement) {
  const std::vector<double>& samples = measurement.samples_ms;
  if (measurement.has_latency() || samples.empty()) return measurement.latency_ms;
  const auto [least, most] = std::ranges::minmax(samples);
  return Interval{Median(samples), least, most};
}

}  // namespace

bool MeasuredCosts::Add(const CostRecord& record, EstimateOrigin origin) {
  ++version_;
  const std::optional<LayerSpec> spec = ParseLayerSpec(record.task.key.text);
  if (!spec) return false;
  const Measurement& measurement = record.measurement;
  const std::optional<Interval> latency = LatencyOf(measurement);
  if (measurement.status == MeasurementStatus::kUnstable && !latency) return false;
  const auto [entry, is_new] =
      entries_.try_emplace(WayText(record.task.key.text, record.task.implementation,
                                   record.task.version, record.task.inputs, record.task.output));
  if (!is_new && IsAccident(measurement.status) && entry->second.estimate) return false;
  entry->second.origin = origin;
  entry->second.workspace_bytes = measurement.workspace_bytes;
  entry->second.estimate.reset();
  if (latency) {
    entry->second.estimate = Estimate{latency->value, latency->low, latency->high, origin};
    predictor_.Add(*spec,
                   {record.task.implementation, record.task.version, record.task.inputs,
                    record.task.output, std::nullopt},
                   latency->value);
  }
  return is_new;
}

const MeasuredCosts::Entry* MeasuredCosts::Find(const LayerSpec& spec,
                                                const Implementation& implementation) const {
  const auto found =
      entries_.find(WayText(KeyOf(spec).text, implementation.name, implementation.version,
                            implementation.inputs, implementation.output));
  return found == entries_.end() ? nullptr : &found->second;
}

bool MeasuredCosts::IsKnown(const LayerSpec& spec, const Implementation& implementation) const {
  const Entry* entry = Find(spec, implementation);
  return entry != nullptr && entry->origin == EstimateOrigin::kMeasured;
}

std::optional<int64_t> MeasuredCosts::WorkspaceBytes(const LayerSpec& spec,
                                                     const Implementation& implementation) const {
  const Entry* entry = Find(spec, implementation);
  if (entry == nullptr) return std::nullopt;
  return entry->workspace_bytes;
}

std::optional<Estimate> MeasuredCosts::Cost(const LayerSpec& spec,
                                            const Implementation& implementation) const {
  if (const Entry* entry = Find(spec, implementation)) return entry->estimate;
  return predictor_.Predict(spec, implementation);
}

}  // namespace fettle
