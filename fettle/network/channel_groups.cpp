#include "fettle/network/channel_groups.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "fettle/core/error.h"
#include "fettle/network/channel_coupling.h"

namespace fettle {
namespace {

// The axes of computed tensors in the order of computation, then those of constants.
std::vector<TensorAxis> AxesInOrder(const Graph& graph) {
  std::vector<TensorAxis> axes;
  const auto add = [&](ValueId id) {
    const int rank = static_cast<int>(graph.value(id).type.shape.size());
    for (int axis = 0; axis < rank; ++axis) axes.push_back({id, axis});
  };
  for (const Node& node : graph.nodes()) {
    for (ValueId id : node.outputs) add(id);
  }
  for (size_t id = 0; id < graph.num_values(); ++id) {
    if (graph.IsConstant(static_cast<ValueId>(id))) add(static_cast<ValueId>(id));
  }
  return axes;
}

// A class of atoms that may be removed: its indices on each axis it touches.
struct Unit {
  std::vector<std::pair<int, int64_t>> indices;  // (into AxesInOrder, index), ascending
};

// Units in the order of their first index. Those that only weights know (the inner axis of a
// product of two constants) make no channel.
std::vector<Unit> FindUnits(const Graph& graph, const ChannelAtoms& atoms,
                            const std::vector<TensorAxis>& axes) {
  std::vector<int32_t> unit_of(static_cast<size_t>(atoms.num_atoms()), -1);
  std::vector<Unit> units;
  for (size_t a = 0; a < axes.size(); ++a) {
    if (atoms.IsFrozen(axes[a])) continue;
    const bool is_weight = graph.IsConstant(axes[a].value);
    for (int64_t i = 0; i < atoms.Extent(axes[a]); ++i) {
      const int32_t atom_class = atoms.ClassOf(axes[a], i);
      if (atoms.WhyFrozen(atom_class) != nullptr) continue;
      int32_t& unit = unit_of[atom_class];
      if (unit < 0) {
        if (is_weight) continue;
        unit = static_cast<int32_t>(units.size());
        units.emplace_back();
      }
      units[unit].indices.emplace_back(static_cast<int>(a), i);
    }
  }
  return units;
}

// How many indices a unit has on each axis: units of one group are alike in this.
std::vector<std::pair<int, int64_t>> SignatureOf(const Unit& unit) {
  std::vector<std::pair<int, int64_t>> signature;
  for (const auto& [axis, index] : unit.indices) {
    if (signature.empty() || signature.back().first != axis) signature.emplace_back(axis, 0);
    ++signature.back().second;
  }
  return signature;
}

void AddUnit(const Unit& unit, ChannelGroup* group) {
  auto next = unit.indices.begin();
  for (ChannelSlice& slice : group->slices) {
    for (int64_t i = 0; i < slice.per_unit; ++i) slice.indices.push_back((next++)->second);
  }
  ++group->num_units;
}

std::vector<ChannelGroup> GroupUnits(const std::vector<Unit>& units,
                                     const std::vector<TensorAxis>& axes) {
  std::vector<ChannelGroup> groups;
  std::map<std::vector<std::pair<int, int64_t>>, size_t> known;
  for (const Unit& unit : units) {
    const auto [place, is_new] = known.emplace(SignatureOf(unit), groups.size());
    if (is_new) {
      groups.emplace_back();
      for (const auto& [axis, count] : place->first) {
        groups.back().slices.push_back({axes[axis], count, {}});
      }
    }
    AddUnit(unit, &groups[place->second]);
  }
  return groups;
}

void NameGroups(const Graph& graph, std::vector<ChannelGroup>* groups) {
  const std::vector<int> producers = graph.Producers();
  std::map<std::string, int> uses;
  std::set<std::string> taken;
  for (const Node& node : graph.nodes()) taken.insert(node.name);
  for (ChannelGroup& group : *groups) {
    const std::string& node = graph.nodes()[producers[group.slices[0].place.value]].name;
    int& use = uses[node];
    do {
      group.name = ++use == 1 ? node : Text(node, "#", use);
    } while (use > 1 && !taken.insert(group.name).second);
  }
}

void FindProducers(const std::vector<ChannelProducer>& producers,
                   std::vector<ChannelGroup>* groups) {
  for (ChannelGroup& group : *groups) {
    std::set<TensorAxis> touched;
    for (const ChannelSlice& slice : group.slices) touched.insert(slice.place);
    for (const ChannelProducer& producer : producers) {
      if (touched.count(producer.weights) > 0) group.producers.push_back(producer.node);
    }
  }
}

// Counts the frozen channels of each producer by reason, in the order met.
std::vector<FrozenChannels> FindFrozen(const Graph& graph, const ChannelAtoms& atoms,
                                       const std::vector<ChannelProducer>& producers) {
  std::vector<FrozenChannels> frozen;
  for (const ChannelProducer& producer : producers) {
    const size_t first = frozen.size();
    for (int64_t i = 0; i < atoms.Extent(producer.weights); ++i) {
      const std::string* reason = atoms.WhyFrozen(atoms.ClassOf(producer.weights, i));
      if (reason == nullptr) continue;
      const auto known = std::find_if(frozen.begin() + static_cast<int64_t>(first), frozen.end(),
                                      [&](const auto& entry) { return entry.reason == *reason; });
      if (known != frozen.end()) {
        ++known->num_channels;
      } else {
        frozen.push_back({graph.nodes()[producer.node].name, 1, *reason});
      }
    }
  }
  return frozen;
}

// A group of one unit cannot lose it.
void FreezeLoneUnits(ChannelGroups* found) {
  for (const ChannelGroup& group : found->groups) {
    if (group.num_units > 1) continue;
    found->frozen.push_back({group.name, group.width(), "they can only be removed all together"});
  }
  std::erase_if(found->groups, [](const ChannelGroup& group) { return group.num_units == 1; });
}

// The operand of a node that may be its weights, and the axis of it that makes channels.
std::vector<std::pair<size_t, int>> ProducingAxes(const Graph& graph, const Node& node) {
  if (std::holds_alternative<Conv>(node.op)) return {{1, 0}};
  if (std::holds_alternative<InnerProduct>(node.op)) return {{1, 0}};
  if (const auto* gemm = std::get_if<Gemm>(&node.op)) {
    return {{1, gemm->transpose_b ? 0 : 1}, {0, gemm->transpose_a ? 1 : 0}};
  }
  if (std::holds_alternative<MatMul>(node.op)) {
    const auto rank = [&](size_t i) {
      return static_cast<int>(graph.value(node.inputs[i]).type.shape.size());
    };
    std::vector<std::pair<size_t, int>> axes;
    if (rank(1) > 1) axes.emplace_back(1, rank(1) - 1);
    if (rank(0) > 1) axes.emplace_back(0, rank(0) - 2);
    return axes;
  }
  return {};
}

}  // namespace

std::vector<ChannelProducer> FindChannelProducers(const Graph& graph) {
  std::vector<ChannelProducer> producers;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    for (const auto& [input, axis] : ProducingAxes(graph, node)) {
      if (!graph.IsConstant(node.inputs[input])) continue;
      producers.push_back({static_cast<int>(n), {node.inputs[input], axis}});
      break;
    }
  }
  return producers;
}

ChannelGroups FindChannelGroups(const Graph& graph) {
  ChannelAtoms atoms(graph);
  CoupleChannels(graph, &atoms);
  const std::vector<TensorAxis> axes = AxesInOrder(graph);
  const std::vector<ChannelProducer> producers = FindChannelProducers(graph);
  ChannelGroups found;
  found.groups = GroupUnits(FindUnits(graph, atoms, axes), axes);
  NameGroups(graph, &found.groups);
  FindProducers(producers, &found.groups);
  found.frozen = FindFrozen(graph, atoms, producers);
  FreezeLoneUnits(&found);
  return found;
}

}  // namespace fettle
