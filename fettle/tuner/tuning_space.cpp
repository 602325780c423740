#include "fettle/tuner/tuning_space.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/saliency.h"
#include "fettle/network/variants/prune.h"
#include "fettle/runtime/precision.h"

namespace fettle {
namespace {

// The whole group, then narrower ones spread evenly over those the device has steps at.
std::vector<int64_t> WidthsOf(const ChannelGroup& group, const TuningSpaceOptions& options) {
  std::vector<int64_t> counts = KeepCounts(group, options.channel_step);
  std::ranges::reverse(counts);
  std::vector<int64_t> widths = {group.num_units};
  const auto wanted = static_cast<size_t>(std::max<int64_t>(0, options.most_widths - 1));
  if (counts.size() <= wanted) {
    widths.insert(widths.end(), counts.begin(), counts.end());
    return widths;
  }
  for (size_t i = 1; i <= wanted; ++i) {
    widths.push_back(counts[i * counts.size() / wanted - 1]);
  }
  return widths;
}

const ChannelGroup& GroupNamed(const std::vector<ChannelGroup>& groups, const std::string& name,
                               size_t* index) {
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].name == name) {
      *index = i;
      return groups[i];
    }
  }
  throw Error(ErrorKind::kInternal, Text("channel group '", name, "' is gone"));
}

}  // namespace

TuningSpace::TuningSpace(Graph original, const TuningSpaceOptions& options)
    : original_(std::move(original)), groups_(FindChannelGroups(original_).groups) {
  std::vector<Decision> decisions;
  for (const ChannelGroup& group : groups_) {
    TuningDecision decision;
    decision.layer = group.name;
    decision.kept = WidthsOf(group, options);
    if (decision.kept.size() < 2) continue;
    decisions.push_back(
        {decisions.size(), "width of " + group.name, static_cast<int>(decision.kept.size()), true});
    decisions_.push_back(std::move(decision));
  }
  for (const Layer& layer : Lower(original_).layers) {
    if (MacsOf(layer.spec) == 0) continue;
    TuningDecision decision;
    decision.kind = TuningDecision::Kind::kPrecision;
    decision.layer = layer.name;
    for (const DType dtype : options.precisions) {
      if (CanHavePrecision(layer.spec, dtype)) decision.precisions.push_back(dtype);
    }
    if (decision.precisions.size() < 2) continue;
    decisions.push_back({decisions.size(), "precision of " + layer.name,
                         static_cast<int>(decision.precisions.size()), false});
    decisions_.push_back(std::move(decision));
  }
  space_ = std::make_unique<DesignSpace>(std::move(decisions));
}

Graph TuningSpace::Build(const Candidate& candidate, const Graph& start,
                         const Calibration* calibration) const {
  const std::vector<ChannelGroup> groups = FindChannelGroups(start).groups;
  std::vector<KeptUnits> kept;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const TuningDecision& decision = decisions_[i];
    if (decision.kind != TuningDecision::Kind::kWidth) continue;
    const int64_t count = decision.kept[static_cast<size_t>(candidate.options[i])];
    if (candidate.options[i] == 0) continue;
    size_t index = 0;
    const ChannelGroup& group = GroupNamed(groups, decision.layer, &index);
    assert(group.num_units >= count);
    if (group.num_units == count) continue;
    kept.push_back({index, MostSalient(MagnitudeSaliency(start, group), count)});
  }
  if (kept.empty()) return start;
  return PruneChannels(start, groups, kept, {.folds_constants = true, .calibration = calibration});
}

std::vector<std::pair<ChannelGroup, int64_t>> TuningSpace::Widths(
    const Candidate& candidate) const {
  std::vector<std::pair<ChannelGroup, int64_t>> widths;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    if (decisions_[i].kind != TuningDecision::Kind::kWidth) continue;
    size_t index = 0;
    widths.emplace_back(GroupNamed(groups_, decisions_[i].layer, &index),
                        decisions_[i].kept[static_cast<size_t>(candidate.options[i])]);
  }
  return widths;
}

std::map<std::string, DType> TuningSpace::Precisions(const Candidate& candidate) const {
  std::map<std::string, DType> precisions;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const TuningDecision& decision = decisions_[i];
    if (decision.kind != TuningDecision::Kind::kPrecision) continue;
    precisions[decision.layer] = decision.precisions[static_cast<size_t>(candidate.options[i])];
  }
  return precisions;
}

bool TuningSpace::IsWider(const Candidate& wide, const Candidate& narrow) const {
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const bool is_width = decisions_[i].kind == TuningDecision::Kind::kWidth;
    if (is_width && wide.options[i] > narrow.options[i]) return false;
  }
  return true;
}

bool TuningSpace::HasSameWidths(const Candidate& a, const Candidate& b) const {
  return IsWider(a, b) && IsWider(b, a);
}

bool TuningSpace::Meet(size_t a, size_t b) const {
  const auto constants = [&](size_t decision) {
    std::set<ValueId> ids;
    size_t index = 0;
    for (const ChannelSlice& slice :
         GroupNamed(groups_, decisions_[decision].layer, &index).slices) {
      if (original_.IsConstant(slice.place.value)) ids.insert(slice.place.value);
    }
    return ids;
  };
  const std::set<ValueId> of_a = constants(a), of_b = constants(b);
  return std::ranges::any_of(of_a, [&](ValueId id) { return of_b.contains(id); });
}

std::vector<TuningSpace::Change> TuningSpace::Changes(const Candidate& candidate) const {
  std::vector<Change> changes;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const auto option = static_cast<size_t>(candidate.options[i]);
    if (option == 0) continue;
    const TuningDecision& decision = decisions_[i];
    if (decision.kind == TuningDecision::Kind::kPrecision) {
      changes.push_back({decision.layer, "", std::string(NameOf(decision.precisions[option]))});
      continue;
    }
    size_t index = 0;
    const ChannelGroup& group = GroupNamed(groups_, decision.layer, &index);
    changes.push_back(
        {decision.layer, PruneVariant::Keeping(decision.kept[option], group).Text(), ""});
  }
  return changes;
}

}  // namespace fettle
