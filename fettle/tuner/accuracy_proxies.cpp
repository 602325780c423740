#include "fettle/tuner/accuracy_proxies.h"

#include <algorithm>
#include <iterator>

#include "fettle/core/error.h"
#include "fettle/deploy/default_plan.h"
#include "fettle/network/macs.h"
#include "fettle/network/saliency.h"
#include "fettle/training/evaluation/evaluation.h"
#include "fettle/training/evaluation/fisher.h"
#include "fettle/training/evaluation/reconstruction.h"
#include "fettle/tuner/candidate_search.h"

namespace fettle {
namespace {

constexpr int64_t kImagesAtOnce = 100;
constexpr int64_t kReconstructionImages = 200;

double LossOf(const ProxyContext& context, const Graph& network) {
  Executor executor(
      DefaultPlan(network, kImagesAtOnce, DType::kF32, context.primitives, context.target),
      context.primitives, context.target);
  return Evaluate(&executor, context.calibration).loss;
}

Graph Built(const ProxyContext& context, const Candidate& candidate) {
  return context.space.Build(candidate, context.space.original(), &context.statistics);
}

double UntrainedLoss(const ProxyContext& context, const Candidate& candidate) {
  return LossOf(context, Built(context, candidate)) - LossOf(context, context.space.original());
}

double GlimpsedLoss(const ProxyContext& context, const Candidate& candidate) {
  const Graph network = context.recovery->Run(
      Built(context, candidate), static_cast<double>(context.glimpse_steps), context.seed);
  return LossOf(context, network) - LossOf(context, context.space.original());
}

// Of the units that Build removes.
double RemovedFisherInformation(const ProxyContext& context, const Candidate& candidate) {
  const Graph& original = context.space.original();
  std::vector<ChannelGroup> groups;
  std::vector<int64_t> kept;
  for (const auto& [group, count] : context.space.Widths(candidate)) {
    if (count == group.num_units) continue;
    groups.push_back(group);
    kept.push_back(count);
  }
  const auto information = FisherInformation(original, groups, context.calibration, context.target);
  double removed = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const double unit : information[g]) removed += unit;
    for (const int64_t unit : MostSalient(MagnitudeSaliency(original, groups[g]), kept[g])) {
      removed -= information[g][static_cast<size_t>(unit)];
    }
  }
  return removed;
}

double LostFisherPotential(const ProxyContext& context, const Candidate& candidate) {
  const auto potential = [&](const Graph& network) {
    return FisherPotential(network, context.calibration, context.target);
  };
  return potential(context.space.original()) - potential(Built(context, candidate));
}

Dataset FirstOf(const Dataset& dataset, int64_t most) {
  std::vector<int64_t> indices(static_cast<size_t>(std::min(most, dataset.size())));
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<int64_t>(i);
  return Subset(dataset, indices);
}

double ReconstructionError(const ProxyContext& context, const Candidate& candidate) {
  const Dataset images = FirstOf(context.calibration, kReconstructionImages);
  double sum = 0;
  for (const auto& [layer, error] :
       ReconstructionErrors(context.space.original(), Built(context, candidate), images,
                            context.primitives, context.target)) {
    sum += error;
  }
  return sum;
}

double RemovedMacs(const ProxyContext& context, const Candidate& candidate) {
  return 1 - static_cast<double>(MacsOf(context.space.Build(candidate))) /
                 static_cast<double>(MacsOf(context.space.original()));
}

double RemovedParameters(const ProxyContext& context, const Candidate& candidate) {
  return 1 - static_cast<double>(context.space.Build(candidate).NumParameters()) /
                 static_cast<double>(context.space.original().NumParameters());
}

constexpr AccuracyProxy kProxies[] = {
    {"sensitivity", "loss that each change alone adds, untrained", true, UntrainedLoss},
    {"sensitivity_glimpse", "the same after a glimpse of a recovery of each change", true,
     GlimpsedLoss},
    {"fisher_information", "Fisher information of the gates of the removed channels", true,
     RemovedFisherInformation},
    {"reconstruction", "relative error of the consumers' outputs, each change alone", true,
     ReconstructionError},
    {"fisher_potential", "Fisher potential that the candidate has less than the original", false,
     LostFisherPotential},
    {"loss", "loss that the whole candidate adds, untrained", false, UntrainedLoss},
    {"loss_glimpse", "the same after a glimpse of a recovery of the candidate", false,
     GlimpsedLoss},
    {"removed_macs", "baseline: share of the multiplications removed", false, RemovedMacs},
    {"removed_parameters", "baseline: share of the parameters removed", false, RemovedParameters},
};

}  // namespace

std::span<const AccuracyProxy> AccuracyProxies() { return kProxies; }

std::vector<Candidate> SingleChangesOf(const DesignSpace& space, const Candidate& candidate) {
  std::vector<Candidate> singles;
  for (size_t i = 0; i < candidate.options.size(); ++i) {
    if (candidate.options[i] == 0) continue;
    singles.push_back(SingleChange(space, i, candidate.options[i]));
  }
  return singles;
}

}  // namespace fettle
