#include "fettle/tuner/tuning_space.h"

#include <algorithm>
#include <cassert>
#include <sstream>

#include "fettle/core/error.h"
#include "fettle/core/fnv1a.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/macs.h"
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

const ChannelGroup* FindGroup(const std::vector<ChannelGroup>& groups, const std::string& name) {
  const auto found = std::ranges::find(groups, name, &ChannelGroup::name);
  return found == groups.end() ? nullptr : &*found;
}

const ChannelGroup& GroupNamed(const std::vector<ChannelGroup>& groups, const std::string& name) {
  const ChannelGroup* const group = FindGroup(groups, name);
  if (group == nullptr) {
    throw Error(ErrorKind::kInternal, Text("channel group '", name, "' is gone"));
  }
  return *group;
}

}  // namespace

TuningSpace::TuningSpace(Graph original, const TuningSpaceOptions& options)
    : original_(std::move(original)), groups_(FindChannelGroups(original_).groups) {
  std::vector<Decision> decisions;
  AddWidths(options, &decisions);
  AddVariants(options, &decisions);
  AddPrecisions(options, &decisions);
  dropped_ = std::make_unique<DroppedBlocks>(original_, groups_, decisions_);
  for (const Node& node : original_.nodes()) layers_.insert(node.name);
  DesignRules rules;
  rules.is_feasible = [this](const Candidate& candidate) { return AtFault(candidate).empty(); };
  rules.repair = [this](Candidate* candidate) {
    for (const size_t decision : AtFault(*candidate)) candidate->options[decision] = 0;
  };
  space_ = std::make_unique<DesignSpace>(std::move(decisions), std::move(rules));
}

void TuningSpace::AddWidths(const TuningSpaceOptions& options, std::vector<Decision>* decisions) {
  for (const ChannelGroup& group : groups_) {
    TuningDecision decision;
    decision.layer = group.name;
    decision.kept = WidthsOf(group, options);
    if (decision.kept.size() < 2) continue;
    saliency_[group.name] = MagnitudeSaliency(original_, group);
    decisions->push_back({decisions->size(), "width of " + group.name,
                          static_cast<int>(decision.kept.size()), true});
    decisions_.push_back(std::move(decision));
  }
}

void TuningSpace::AddVariants(const TuningSpaceOptions& options, std::vector<Decision>* decisions) {
  for (const VariantOffer& offer : options.variants) {
    if (offer.variants.empty()) continue;
    TuningDecision decision;
    decision.kind = TuningDecision::Kind::kVariant;
    decision.layer = offer.layer;
    decision.variants = {""};
    decision.variants.insert(decision.variants.end(), offer.variants.begin(), offer.variants.end());
    VariantPlace place(original_, decision);
    for (size_t w = 0; w < decisions_.size(); ++w) {
      if (decisions_[w].kind != TuningDecision::Kind::kWidth) continue;
      place.TieTo(GroupNamed(groups_, decisions_[w].layer), w);
    }
    places_.emplace(decisions->size(), std::move(place));
    decisions->push_back({decisions->size(), "structure of " + offer.layer,
                          static_cast<int>(decision.variants.size()), false});
    decisions_.push_back(std::move(decision));
  }
}

void TuningSpace::AddPrecisions(const TuningSpaceOptions& options,
                                std::vector<Decision>* decisions) {
  for (const Layer& layer : Lower(original_).layers) {
    if (MacsOf(layer.spec) == 0) continue;
    TuningDecision decision;
    decision.kind = TuningDecision::Kind::kPrecision;
    decision.layer = layer.name;
    for (const DType dtype : options.precisions) {
      if (CanHavePrecision(layer.spec, dtype)) decision.precisions.push_back(dtype);
    }
    if (decision.precisions.size() < 2) continue;
    decisions->push_back({decisions->size(), "precision of " + layer.name,
                          static_cast<int>(decision.precisions.size()), false});
    decisions_.push_back(std::move(decision));
  }
}

std::vector<size_t> TuningSpace::AtFault(const Candidate& candidate) const {
  const std::vector<bool> is_idle = dropped_->Idle(candidate);
  std::vector<size_t> at_fault;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const int option = candidate.options[i];
    if (option == 0) continue;
    const auto place = places_.find(i);
    const bool applies =
        place == places_.end() || place->second.Applies(option, candidate, decisions_);
    if (is_idle[i] || !applies) at_fault.push_back(i);
  }
  return at_fault;
}

std::string TuningSpace::Fingerprint() const {
  Fnv1a hash;
  for (const TuningDecision& decision : decisions_) {
    hash.AddBytes(decision.layer);
    for (const int64_t kept : decision.kept) hash.AddBytes(Text(" ", kept));
    for (const std::string& variant : decision.variants) hash.AddBytes(" " + variant);
    for (const DType dtype : decision.precisions) hash.AddBytes(Text(" ", NameOf(dtype)));
    hash.AddBytes("\n");
  }
  std::ostringstream out;
  out << std::hex << hash.value();
  return out.str();
}

Graph TuningSpace::Build(const Candidate& candidate, const Graph& start,
                         const Calibration* calibration, const Candidate* of_start) const {
  RewriteOptions options;
  options.calibration = calibration;
  return Build(candidate, start, options, of_start);
}

Graph TuningSpace::Shapes(const Candidate& candidate) const {
  RewriteOptions options;
  options.shapes_only = true;
  return Build(candidate, original_, options, nullptr);
}

std::map<size_t, std::string> TuningSpace::GroupNames(const Candidate& candidate) const {
  const bool drops = dropped_->HasAny(candidate);
  const Graph rest = drops ? dropped_->Without(original_, candidate) : original_;
  const std::vector<ChannelGroup> groups = drops ? FindChannelGroups(rest).groups : groups_;
  std::map<size_t, std::string> names;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const TuningDecision& decision = decisions_[i];
    if (decision.kind != TuningDecision::Kind::kWidth) continue;
    const ChannelGroup* const group =
        FindSurvivor(GroupNamed(groups_, decision.layer), original_, rest, groups);
    if (group != nullptr) names[i] = group->name;
  }
  return names;
}

std::vector<KeptUnits> TuningSpace::KeptFrom(const Candidate& candidate, const Graph& start,
                                             const std::vector<ChannelGroup>& groups,
                                             const Candidate* of_start) const {
  const std::vector<bool> is_idle = dropped_->Idle(candidate);
  std::map<size_t, std::string> names;
  if (of_start != nullptr && dropped_->HasAny(*of_start)) names = GroupNames(*of_start);
  std::vector<KeptUnits> kept;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const TuningDecision& decision = decisions_[i];
    if (decision.kind != TuningDecision::Kind::kWidth || is_idle[i]) continue;
    const int before = of_start == nullptr ? 0 : of_start->options[i];
    if (candidate.options[i] == before) continue;
    const auto name = names.find(i);
    const ChannelGroup& group =
        GroupNamed(groups, name == names.end() ? decision.layer : name->second);
    if (group.num_units != decision.kept[static_cast<size_t>(before)]) {
      throw Error(ErrorKind::kInternal,
                  Text("channel group '", group.name, "' has ", group.num_units, " units, not ",
                       decision.kept[static_cast<size_t>(before)]));
    }
    const int64_t count = decision.kept[static_cast<size_t>(candidate.options[i])];
    const std::vector<double> saliency =
        of_start == nullptr ? saliency_.at(decision.layer) : MagnitudeSaliency(start, group);
    kept.push_back({static_cast<size_t>(&group - groups.data()), MostSalient(saliency, count)});
  }
  return kept;
}

Graph TuningSpace::Build(const Candidate& candidate, const Graph& start,
                         const RewriteOptions& options, const Candidate* of_start) const {
  assert(of_start == nullptr || CanStartFrom(*of_start, candidate));
  const bool is_start =
      HasSameStructure(of_start == nullptr ? space_->Original() : *of_start, candidate);
  if (is_start) return start;
  const std::vector<ChannelGroup> groups =
      of_start == nullptr ? groups_ : FindChannelGroups(start).groups;
  const std::vector<KeptUnits> kept = KeptFrom(candidate, start, groups, of_start);
  RewriteOptions of_layers = options;
  Calibration carried;  // of the graph as it is by then
  if (options.calibration != nullptr) {
    carried = *options.calibration;
    of_layers.calibration = of_layers.carried = &carried;
  }
  Graph graph = kept.empty() ? start
                             : PruneChannels(start, groups, kept,
                                             {.folds_constants = true,
                                              .calibration = of_layers.calibration,
                                              .carried = of_layers.carried,
                                              .shapes_only = options.shapes_only});
  for (const auto& [decision, place] : places_) {
    const int option = candidate.options[decision];
    if (option == 0 || (of_start != nullptr && of_start->options[decision] == option)) continue;
    const std::string& layer = decisions_[decision].layer;
    const auto& nodes = graph.nodes();
    if (std::ranges::find(nodes, layer, &Node::name) == nodes.end()) continue;  // dropped
    graph = place.Of(option).Rewrite(graph, layer, of_layers);
  }
  return graph;
}

std::vector<std::pair<ChannelGroup, int64_t>> TuningSpace::Widths(
    const Candidate& candidate) const {
  std::vector<std::pair<ChannelGroup, int64_t>> widths;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    if (decisions_[i].kind != TuningDecision::Kind::kWidth) continue;
    widths.emplace_back(GroupNamed(groups_, decisions_[i].layer),
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

bool TuningSpace::CanStartFrom(const Candidate& start, const Candidate& candidate) const {
  const std::vector<bool> is_idle = dropped_->Idle(candidate);
  const auto differs = [&](size_t i) {
    return !is_idle[i] && start.options[i] != candidate.options[i];
  };
  std::vector<size_t> narrowed;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    if (is_idle[i]) continue;
    const bool is_variant = decisions_[i].kind == TuningDecision::Kind::kVariant;
    if (is_variant && start.options[i] != 0) {
      if (differs(i) || std::ranges::any_of(places_.at(i).Widths(), differs)) return false;
    }
    if (decisions_[i].kind == TuningDecision::Kind::kWidth && differs(i)) {
      if (start.options[i] > candidate.options[i]) return false;
      narrowed.push_back(i);
    }
  }
  if (narrowed.empty() || !dropped_->HasAny(start)) return true;
  const std::map<size_t, std::string> names = GroupNames(start);
  return std::ranges::all_of(narrowed, [&](size_t i) { return names.contains(i); });
}

bool TuningSpace::HasSameStructure(const Candidate& a, const Candidate& b) const {
  return CanStartFrom(a, b) && CanStartFrom(b, a);
}

std::vector<TuningSpace::Change> TuningSpace::Changes(const Candidate& candidate) const {
  std::vector<Change> changes;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const auto option = static_cast<size_t>(candidate.options[i]);
    if (option == 0) continue;
    const TuningDecision& decision = decisions_[i];
    switch (decision.kind) {
      case TuningDecision::Kind::kPrecision:
        changes.push_back({decision.layer, "", std::string(NameOf(decision.precisions[option]))});
        break;
      case TuningDecision::Kind::kVariant:
        changes.push_back({decision.layer, decision.variants[option], ""});
        break;
      case TuningDecision::Kind::kWidth: {
        const ChannelGroup& group = GroupNamed(groups_, decision.layer);
        changes.push_back(
            {decision.layer, PruneVariant::Keeping(decision.kept[option], group).Text(), ""});
      }
    }
  }
  return changes;
}

}  // namespace fettle
