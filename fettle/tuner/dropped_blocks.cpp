#include "fettle/tuner/dropped_blocks.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "fettle/network/variants/drop.h"

namespace fettle {
namespace {

std::set<std::string> NodeNames(const Graph& graph) {
  std::set<std::string> names;
  for (const Node& node : graph.nodes()) names.insert(node.name);
  return names;
}

// Of the decision's layer, or those that compute the group's channels or hand them on.
std::vector<size_t> NodesOf(const TuningDecision& decision, const Graph& graph,
                            const std::vector<ChannelGroup>& groups) {
  std::vector<size_t> nodes;
  if (decision.kind != TuningDecision::Kind::kWidth) {
    for (size_t n = 0; n < graph.nodes().size(); ++n) {
      if (graph.nodes()[n].name == decision.layer) nodes.push_back(n);
    }
    return nodes;
  }
  const std::vector<int> producers = graph.Producers();
  const auto group = std::ranges::find(groups, decision.layer, &ChannelGroup::name);
  if (group == groups.end()) return nodes;
  for (const ChannelSlice& slice : group->slices) {
    const int producer = producers[static_cast<size_t>(slice.place.value)];
    if (producer >= 0) nodes.push_back(static_cast<size_t>(producer));
  }
  return nodes;
}

std::vector<int64_t> Ascending(std::vector<int64_t> indices) {
  std::ranges::sort(indices);
  return indices;
}

}  // namespace

DroppedBlocks::DroppedBlocks(const Graph& original, const std::vector<ChannelGroup>& groups,
                             const std::vector<TuningDecision>& decisions)
    : num_nodes_(original.nodes().size()) {
  for (size_t i = 0; i < decisions.size(); ++i) {
    nodes_.push_back(NodesOf(decisions[i], original, groups));
    const std::vector<std::string>& variants = decisions[i].variants;
    const auto option = std::ranges::find(variants, DropVariant().Text());
    if (option == variants.end()) continue;
    Drop drop{decisions[i].layer, static_cast<int>(option - variants.begin()), {}};
    const std::set<std::string> left = NodeNames(DropVariant().Rewrite(original, drop.addition));
    for (size_t n = 0; n < num_nodes_; ++n) {
      const std::string& name = original.nodes()[n].name;
      if (name != drop.addition && !left.contains(name)) drop.gone.push_back(n);
    }
    drops_.emplace(i, std::move(drop));
  }
}

bool DroppedBlocks::HasAny(const Candidate& candidate) const {
  return std::ranges::any_of(drops_, [&](const auto& drop) {
    return candidate.options[drop.first] == drop.second.option;
  });
}

std::vector<bool> DroppedBlocks::Idle(const Candidate& candidate) const {
  std::vector<bool> is_gone(num_nodes_), is_idle(nodes_.size());
  for (const auto& [decision, drop] : drops_) {
    if (candidate.options[decision] != drop.option) continue;
    for (const size_t node : drop.gone) is_gone[node] = true;
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    is_idle[i] = !nodes_[i].empty() &&
                 std::ranges::all_of(nodes_[i], [&](size_t node) { return is_gone[node]; });
  }
  return is_idle;
}

Graph DroppedBlocks::Without(const Graph& original, const Candidate& candidate) const {
  Graph rest = original;
  for (const auto& [decision, drop] : drops_) {
    const bool is_dropped = candidate.options[decision] == drop.option;
    if (is_dropped && NodeNames(rest).contains(drop.addition)) {
      rest = DropVariant().Rewrite(rest, drop.addition);
    }
  }
  return rest;
}

const ChannelGroup* FindSurvivor(const ChannelGroup& group, const Graph& graph, const Graph& rest,
                                 const std::vector<ChannelGroup>& groups_of_rest) {
  using Place = std::tuple<std::string, int, std::vector<int64_t>>;
  std::set<Place> places;
  for (const ChannelSlice& slice : group.slices) {
    places.emplace(graph.value(slice.place.value).name, slice.place.axis, Ascending(slice.indices));
  }
  for (const ChannelGroup& other : groups_of_rest) {
    if (other.num_units != group.num_units) continue;
    for (const ChannelSlice& slice : other.slices) {
      if (places.contains(
              {rest.value(slice.place.value).name, slice.place.axis, Ascending(slice.indices)})) {
        return &other;
      }
    }
  }
  return nullptr;
}

}  // namespace fettle
