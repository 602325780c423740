#include "fettle/network/variants/channel_permutation.h"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <set>
#include <utility>
#include <variant>

#include "fettle/core/error.h"
#include "fettle/network/channel_coupling.h"
#include "fettle/network/variants/tensor_part.h"

namespace fettle {
namespace {

// Where an index of an axis stands in its group: the rank-th index of a unit in a slice.
struct Role {
  int group = -1;  // none
  int64_t unit = 0;
  int64_t slice = 0, rank = 0;
};

std::map<TensorAxis, std::vector<Role>> RolesOf(const Graph& graph,
                                                std::span<const ChannelGroup> groups) {
  std::map<TensorAxis, std::vector<Role>> roles;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (size_t s = 0; s < groups[g].slices.size(); ++s) {
      const ChannelSlice& slice = groups[g].slices[s];
      std::vector<Role>& axis = roles[slice.place];
      axis.resize(static_cast<size_t>(graph.value(slice.place.value).type.shape[slice.place.axis]));
      for (int64_t unit = 0; unit < groups[g].num_units; ++unit) {
        const auto indices = slice.Of(unit);
        for (size_t rank = 0; rank < indices.size(); ++rank) {
          axis[static_cast<size_t>(indices[rank])] = {
              static_cast<int>(g), unit, static_cast<int64_t>(s), static_cast<int64_t>(rank)};
        }
      }
    }
  }
  return roles;
}

bool IsPermutation(std::vector<int64_t> order, int64_t units) {
  std::ranges::sort(order);
  std::vector<int64_t> all(static_cast<size_t>(units));
  std::iota(all.begin(), all.end(), 0);
  return order == all;
}

}  // namespace

std::vector<bool> FindPermutableGroups(const Graph& graph, std::span<const ChannelGroup> groups) {
  ChannelAtoms atoms(graph, true);
  CoupleChannels(graph, &atoms);
  const std::map<TensorAxis, std::vector<Role>> roles = RolesOf(graph, groups);
  // [group][unit]: what is tied to what within it.
  std::vector<std::vector<std::vector<std::array<int64_t, 4>>>> ties(groups.size());
  for (size_t g = 0; g < groups.size(); ++g) ties[g].resize(groups[g].num_units);
  for (const ChannelAtoms::Ties& tie : atoms.ties()) {
    const auto a = roles.find(tie.a), b = roles.find(tie.b);
    if (a == roles.end() || b == roles.end()) continue;
    for (int64_t i = 0; i < tie.count; ++i) {
      const Role& one = a->second[static_cast<size_t>(tie.first_a + i)];
      const Role& other = b->second[static_cast<size_t>(tie.first_b + i)];
      if (one.group < 0) continue;
      ties[one.group][one.unit].push_back({one.slice, one.rank, other.slice, other.rank});
    }
  }
  std::vector<bool> permutable;
  for (auto& units : ties) {
    for (auto& unit : units) std::ranges::sort(unit);
    permutable.push_back(
        std::ranges::all_of(units, [&](const auto& unit) { return unit == units.front(); }));
  }
  return permutable;
}

ChannelPermutation::ChannelPermutation(const Graph& graph, std::span<const ChannelGroup> groups,
                                       std::span<const UnitOrder> orders) {
  const std::vector<bool> permutable = FindPermutableGroups(graph, groups);
  std::set<size_t> named;
  for (const UnitOrder& choice : orders) {
    if (choice.group >= groups.size()) {
      throw BadInput("there is no channel group ", choice.group, ", only ", groups.size());
    }
    const ChannelGroup& group = groups[choice.group];
    if (!named.insert(choice.group).second) {
      throw BadInput("channel group '", group.name, "' is permuted twice");
    }
    if (!permutable[choice.group]) {
      throw BadInput("the units of channel group '", group.name,
                     "' are not tied alike: they may not change places");
    }
    if (!IsPermutation(choice.order, group.num_units)) {
      throw BadInput("channel group '", group.name, "': the order is no permutation of its ",
                     group.num_units, " units");
    }
    for (const ChannelSlice& slice : group.slices) {
      const auto [place, is_new] = sources_.try_emplace(slice.place);
      std::vector<int64_t>& sources = place->second;
      if (is_new) {
        sources.resize(
            static_cast<size_t>(graph.value(slice.place.value).type.shape[slice.place.axis]));
        std::iota(sources.begin(), sources.end(), 0);
      }
      for (int64_t unit = 0; unit < group.num_units; ++unit) {
        const auto to = slice.Of(unit), from = slice.Of(choice.order[unit]);
        for (size_t i = 0; i < to.size(); ++i) sources[static_cast<size_t>(to[i])] = from[i];
      }
    }
  }
}

const std::vector<int64_t>* ChannelPermutation::Of(TensorAxis place) const {
  const auto found = sources_.find(place);
  return found == sources_.end() ? nullptr : &found->second;
}

Graph PermuteChannels(const Graph& graph, const ChannelPermutation& permutation) {
  Graph result = graph;
  for (size_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (!graph.IsConstant(id)) continue;
    const auto rank = static_cast<int>(graph.value(id).type.shape.size());
    for (int axis = 0; axis < rank; ++axis) {
      const std::vector<int64_t>* sources = permutation.Of({id, axis});
      if (sources == nullptr) continue;
      result.SetConstant(id, std::make_shared<const Tensor>(
                                 TakeIndices(*result.value(id).constant, axis, *sources)));
    }
  }
  return result;
}

void PermuteCalibration(const Graph& graph, const ChannelPermutation& permutation,
                        Calibration* calibration) {
  for (size_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const std::vector<int64_t>* sources = permutation.Of({id, 1});
    const auto known = calibration->values.find(graph.value(id).name);
    if (sources == nullptr || known == calibration->values.end() || graph.IsConstant(id)) continue;
    Moments& moments = known->second;
    if (moments.size() == sources->size()) moments = OfChannels(moments, *sources, 1);
  }
  for (const Node& node : graph.nodes()) {
    const auto known = calibration->patches.find(node.name);
    if (known == calibration->patches.end() || !std::holds_alternative<Conv>(node.op)) continue;
    const std::vector<int64_t>* sources = permutation.Of({node.inputs[0], 1});
    const Window& window = std::get<Conv>(node.op).window;
    const auto taps = static_cast<size_t>(ElementCount(window.kernel));
    if (sources == nullptr || known->second.size() != sources->size() * taps) {
      continue;
    }
    known->second = OfChannels(known->second, *sources, taps);
  }
}

}  // namespace fettle
