#include "fettle/training/evaluation/statistics_repair.h"

#include <algorithm>
#include <variant>

#include "fettle/core/error.h"
#include "fettle/training/evaluation/bias_correction.h"
#include "fettle/training/trainer/batch_norm_estimation.h"

namespace fettle {
namespace {

constexpr int64_t kBatches = 8, kImagesABatch = 128;

}  // namespace

RepairedNetwork RepairStatistics(const Graph& original, const Graph& changed,
                                 const Dataset& dataset, const PrimitiveList& primitives,
                                 const Target& target) {
  const bool has_batch_norm = std::ranges::any_of(
      changed.nodes(), [](const Node& node) { return std::holds_alternative<BatchNorm>(node.op); });
  if (has_batch_norm) {
    try {
      const Dataset sample = SpreadSubset(dataset, kBatches * kImagesABatch);
      return {EstimateBatchNorm(changed, sample, kBatches, kImagesABatch, target),
              StatisticsRepair::kBatchNorm};
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
    }
  }
  return {CorrectBiases(original, changed, dataset, primitives, target), StatisticsRepair::kBiases};
}

}  // namespace fettle
