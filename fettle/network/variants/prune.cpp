#include "fettle/network/variants/prune.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/network/macs.h"
#include "fettle/network/saliency.h"
#include "fettle/network/variants/consumer_reconstruction.h"
#include "fettle/network/variants/removed_constants.h"
#include "fettle/network/variants/restricted_calibration.h"

namespace fettle {
namespace {

const ChannelGroup* FindGroup(const ChannelGroups& found, std::string_view name) {
  const auto group = std::find_if(found.groups.begin(), found.groups.end(),
                                  [&](const ChannelGroup& entry) { return entry.name == name; });
  return group == found.groups.end() ? nullptr : &*group;
}

Error NoSuchGroup(const Graph& graph, const ChannelGroups& found, std::string_view name) {
  for (const ChannelGroup& group : found.groups) {
    for (int n : group.producers) {
      if (graph.nodes()[n].name != name) continue;
      return BadInput("'", name, "' is pruned with '", group.name, "': name that");
    }
  }
  for (const FrozenChannels& frozen : found.frozen) {
    if (frozen.name != name) continue;
    return BadInput("'", name, "' cannot be pruned: its channels are frozen: ", frozen.reason);
  }
  return BadInput("there is no channel group '", name,
                  "': a group has the name of the first layer that computes its channels, as "
                  "inspect lists them");
}

// Counts parameters and multiplications after the removal of units, without doing it.
class SizeAfterPruning {
 public:
  explicit SizeAfterPruning(const Graph& graph)
      : graph_(graph), readers_(graph.Readers()), producers_(graph.Producers()) {
    parameters_ = graph.NumParameters();
    for (const Node& node : graph.nodes()) node_macs_.push_back(MacsOf(graph, node));
    macs_ = std::accumulate(node_macs_.begin(), node_macs_.end(), int64_t{0});
  }

  NetworkOption With(const ChannelGroup& group, int64_t units) const {
    std::map<ValueId, TensorType> types;  // of the tensors that change
    for (const ChannelSlice& slice : group.slices) {
      const TensorType& old = graph_.value(slice.place.value).type;
      TensorType& type = types.try_emplace(slice.place.value, old).first->second;
      type.shape[slice.place.axis] -= (group.num_units - units) * slice.per_unit;
    }
    const auto type_of = [&](ValueId id) {
      const auto changed = types.find(id);
      return changed == types.end() ? graph_.value(id).type : changed->second;
    };
    NetworkOption size{PruneVariant::Keeping(units, group).Text(), parameters_, macs_};
    std::vector<int> nodes;  // that compute or read them
    for (const auto& [id, type] : types) {
      if (graph_.IsConstant(id)) {
        size.parameters += ElementCount(type) - ElementCount(graph_.value(id).type);
      }
      nodes.insert(nodes.end(), readers_[id].begin(), readers_[id].end());
      if (producers_[id] >= 0) nodes.push_back(producers_[id]);
    }
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    for (int n : nodes) {
      const Node& node = graph_.nodes()[n];
      std::vector<TensorType> inputs;
      inputs.reserve(node.inputs.size());
      for (ValueId id : node.inputs) inputs.push_back(type_of(id));
      size.macs += MacsOf(node.op, std::move(inputs), type_of(node.outputs[0])) - node_macs_[n];
    }
    return size;
  }

 private:
  const Graph& graph_;
  std::vector<std::vector<int>> readers_;
  std::vector<int> producers_;
  std::vector<int64_t> node_macs_;
  int64_t parameters_ = 0, macs_ = 0;
};

// At most so many of the values, evenly spread, the last one always.
std::vector<int64_t> Thinned(const std::vector<int64_t>& values, int64_t most) {
  const auto count = static_cast<int64_t>(values.size());
  if (count <= most) return values;
  std::vector<int64_t> thinned;
  for (int64_t i = 1; i <= most; ++i) thinned.push_back(values[i * count / most - 1]);
  return thinned;
}

}  // namespace

Graph PruneChannels(const Graph& graph, std::span<const ChannelGroup> groups,
                    std::span<const KeptUnits> kept, const PruneOptions& options) {
  const KeptIndices indices(graph, groups, kept);
  BiasCorrections corrections;
  if (options.folds_constants) corrections = RemovedConstants(graph, indices, options.shapes_only);
  std::optional<Graph> reconstructed;
  if (options.calibration != nullptr) {
    reconstructed = graph;
    const auto [weights, biases] = ReconstructConsumers(graph, indices, *options.calibration);
    for (const auto& [id, tensor] : weights) reconstructed->SetConstant(id, tensor);
    for (const auto& [node, bias] : biases) corrections[node] = bias;
  }
  if (options.carried != nullptr) *options.carried = Restricted(*options.carried, graph, indices);
  return RemoveIndices(reconstructed ? *reconstructed : graph, indices, corrections,
                       options.shapes_only);
}

std::vector<int64_t> KeepCounts(const ChannelGroup& group, int64_t step) {
  assert(step > 0);
  const int64_t stride = step / std::gcd(step, group.channels_per_unit());  // in units
  std::vector<int64_t> counts;
  for (int64_t units = stride; units < group.num_units; units += stride) counts.push_back(units);
  return counts;
}

PruneVariant::PruneVariant(double keep) : keep_(keep) { assert(keep > 0 && keep <= 1); }

PruneVariant PruneVariant::Keeping(int64_t count, const ChannelGroup& group) {
  assert(count >= 1 && count <= group.num_units);
  return PruneVariant(static_cast<double>(count) / static_cast<double>(group.num_units));
}

int64_t PruneVariant::KeptOf(int64_t num_units) const {
  return std::max<int64_t>(1, std::llround(keep_ * static_cast<double>(num_units)));
}

std::string PruneVariant::Text() const {
  return std::string("prune(keep=").append(FractionText(keep_)).append(")");
}

Graph PruneVariant::Rewrite(const Graph& graph, std::string_view group,
                            const RewriteOptions& options) const {
  const ChannelGroups found = FindChannelGroups(graph);
  const ChannelGroup* target = FindGroup(found, group);
  if (target == nullptr) throw NoSuchGroup(graph, found, group);
  const std::vector<double> saliency =
      options.saliency ? options.saliency(graph, *target) : MagnitudeSaliency(graph, *target);
  if (static_cast<int64_t>(saliency.size()) != target->num_units) {
    throw BadInput("channel group '", group, "' has ", target->num_units, " units, got ",
                   saliency.size(), " saliencies");
  }
  const KeptUnits kept = {static_cast<size_t>(target - found.groups.data()),
                          MostSalient(saliency, KeptOf(target->num_units))};
  return PruneChannels(graph, found.groups, {&kept, 1},
                       {options.folds_constants, options.calibration, options.carried});
}

std::optional<double> PruneVariant::WeightError(const Graph& graph, std::string_view group) const {
  const ChannelGroups found = FindChannelGroups(graph);
  const ChannelGroup* target = FindGroup(found, group);
  if (target == nullptr) throw NoSuchGroup(graph, found, group);
  const std::vector<double> saliency = MagnitudeSaliency(graph, *target);
  double all = 0, kept = 0;
  for (const double norm : saliency) all += norm * norm;
  for (const int64_t unit : MostSalient(saliency, KeptOf(target->num_units))) {
    kept += saliency[static_cast<size_t>(unit)] * saliency[static_cast<size_t>(unit)];
  }
  return all > 0 ? std::max(0.0, 1 - kept / all) : 0;
}

std::unique_ptr<Variant> ParsePrune(VariantText text) {
  const double keep = text.TakeFraction("keep");
  text.Finish();
  return std::make_unique<PruneVariant>(keep);
}

std::vector<NetworkDecision> FindPruneDecisions(const Graph& graph,
                                                const DecisionOptions& options) {
  const ChannelGroups found = FindChannelGroups(graph);
  const SizeAfterPruning size(graph);
  std::vector<NetworkDecision> decisions;
  for (const ChannelGroup& group : found.groups) {
    NetworkDecision& decision = decisions.emplace_back();
    decision.layer = group.name;
    for (int n : group.producers) decision.layers.push_back(graph.nodes()[n].name);
    const std::vector<int64_t> counts = KeepCounts(group, options.channel_step);
    for (int64_t units : Thinned(counts, options.most_options)) {
      decision.options.push_back(size.With(group, units));
    }
    if (decision.options.empty()) {
      decision.reason = Text("fewer than its ", group.width(), " channels are no multiple of ",
                             options.channel_step);
    }
  }
  for (const FrozenChannels& frozen : found.frozen) {
    decisions.push_back({"",
                         frozen.name,
                         {frozen.name},
                         {},
                         Text(frozen.num_channels, " channels are frozen: ", frozen.reason)});
  }
  return decisions;
}

}  // namespace fettle
