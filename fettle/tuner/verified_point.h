#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fettle/core/statistics.h"

namespace fettle {

// What was changed in a layer ("prune(keep=0.5) svd(rank=8)"), and what computes it. A block that
// was dropped is the addition that ended it, with "drop()" and without a precision or a primitive.
struct LayerChange {
  std::string layer, variant, precision, primitive;

  friend bool operator==(const LayerChange&, const LayerChange&) = default;
};

// A candidate that was built, run on the device from end to end, and evaluated on the data. Shares
// are of 1, drops of accuracy in points (positive where it is worse).
struct VerifiedPoint {
  std::string id;         // "c7"; the original's is "original"
  std::string candidate;  // CandidateText; empty for the original
  std::string parent;     // whose trained weights it started from
  int64_t trained_steps = 0;
  // How often its weights were replaced by further trained ones; each have a folder of their own,
  // so that the log, in which a point is replaced at once, never speaks of others.
  int64_t revision = 0;
  Interval latency_ms;
  double predicted_ms = 0;    // by the additive model, before correction
  double predicted_loss = 0;  // sum of sensitivities
  // In points, by the accuracy model of the points verified before it; of the first ones nothing.
  std::optional<double> predicted_drop;
  Interval accuracy;                                 // on the validation split: Session's metric
  Interval drop;                                     // paired with the original, likewise
  double agreement = 1;                              // with the original's answers
  double kl = 0;                                     // from its probabilities to these, in nats
  std::optional<Interval> test_accuracy, test_drop;  // reported, never chosen by
  int64_t memory_bytes = 0;                          // planned
  std::optional<int64_t> measured_memory_bytes;
  int threads = 1;                    // that its plan runs with
  std::optional<Interval> energy_mj;  // of one inference, all that the meter counts
  int64_t size_bytes = 0;             // weights as stored
  int64_t macs = 0;
  int64_t parameters = 0;
  std::vector<LayerChange> changes;

  friend bool operator==(const VerifiedPoint&, const VerifiedPoint&) = default;
};

nlohmann::ordered_json ToJson(const VerifiedPoint& point);
// Throws nlohmann::json::exception where a field is missing or of another type.
VerifiedPoint PointFromJson(const nlohmann::ordered_json& json);

}  // namespace fettle
