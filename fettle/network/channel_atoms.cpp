#include "fettle/network/channel_atoms.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr int32_t kFree = std::numeric_limits<int32_t>::max();  // later than every reason

}  // namespace

ChannelAtoms::ChannelAtoms(const Graph& graph, bool keeps_ties) : keeps_ties_(keeps_ties) {
  int64_t atoms = 0;
  places_.resize(graph.num_values());
  for (size_t id = 0; id < places_.size(); ++id) {
    for (int64_t extent : graph.value(static_cast<ValueId>(id)).type.shape) {
      places_[id].push_back({static_cast<int32_t>(atoms), extent});
      atoms += extent > kLongestAxis ? 1 : extent;
      if (atoms > std::numeric_limits<int32_t>::max()) {
        throw BadInput("the network's tensors have more than 2^31 indices on their axes");
      }
    }
  }
  parents_.assign(static_cast<size_t>(atoms), -1);
  frozen_by_.assign(static_cast<size_t>(atoms), kFree);

  const int32_t alone = Reason("the axis has a single index");
  const int32_t too_long = Reason(Text("the axis is longer than ", kLongestAxis));
  for (const std::vector<Place>& axes : places_) {
    for (const Place& place : axes) {
      if (place.extent == 1) frozen_by_[place.first] = alone;
      if (place.extent > kLongestAxis) frozen_by_[place.first] = too_long;
    }
  }
}

const ChannelAtoms::Place& ChannelAtoms::At(TensorAxis axis) const {
  return places_.at(static_cast<size_t>(axis.value)).at(static_cast<size_t>(axis.axis));
}

int64_t ChannelAtoms::Extent(TensorAxis axis) const { return At(axis).extent; }

int32_t ChannelAtoms::Atom(const Place& place, int64_t index) const {
  assert(index >= 0 && index < place.extent);
  return place.extent > kLongestAxis ? place.first : place.first + static_cast<int32_t>(index);
}

int32_t ChannelAtoms::Root(int32_t atom) const {
  while (parents_[atom] >= 0) {
    const int32_t parent = parents_[atom];
    if (parents_[parent] >= 0) parents_[atom] = parents_[parent];  // path halving
    atom = parent;
  }
  return atom;
}

void ChannelAtoms::Join(int32_t a, int32_t b) {
  a = Root(a);
  b = Root(b);
  if (a == b) return;
  if (parents_[a] > parents_[b]) std::swap(a, b);  // a is the larger
  parents_[a] += parents_[b];
  parents_[b] = a;
  frozen_by_[a] = std::min(frozen_by_[a], frozen_by_[b]);
}

void ChannelAtoms::Tie(TensorAxis a, int64_t first_a, TensorAxis b, int64_t first_b,
                       int64_t count) {
  const Place& p = At(a);
  const Place& q = At(b);
  assert(first_a >= 0 && first_a + count <= p.extent);
  assert(first_b >= 0 && first_b + count <= q.extent);
  if (keeps_ties_) ties_.push_back({a, first_a, b, first_b, count});
  // An axis too long to follow is one atom: a tie to it says no more than one tie each.
  if (p.extent > kLongestAxis && q.extent > kLongestAxis) count = std::min<int64_t>(count, 1);
  for (int64_t i = 0; i < count; ++i) Join(Atom(p, first_a + i), Atom(q, first_b + i));
}

void ChannelAtoms::TieAxes(TensorAxis a, TensorAxis b) {
  assert(Extent(a) == Extent(b));
  Tie(a, 0, b, 0, Extent(a));
}

int32_t ChannelAtoms::Reason(const std::string& text) {
  if (reasons_.empty() || reasons_.back() != text) reasons_.push_back(text);
  return static_cast<int32_t>(reasons_.size() - 1);
}

void ChannelAtoms::Freeze(TensorAxis axis, const std::string& reason) {
  const Place& place = At(axis);
  const int32_t number = Reason(reason);
  const int64_t atoms = place.extent > kLongestAxis ? 1 : place.extent;
  for (int64_t i = 0; i < atoms; ++i) {
    int32_t& frozen_by = frozen_by_[Root(Atom(place, i))];
    frozen_by = std::min(frozen_by, number);
  }
}

int32_t ChannelAtoms::ClassOf(TensorAxis axis, int64_t index) const {
  return Root(Atom(At(axis), index));
}

const std::string* ChannelAtoms::WhyFrozen(int32_t atom_class) const {
  const int32_t reason = frozen_by_[Root(atom_class)];
  return reason == kFree ? nullptr : &reasons_[static_cast<size_t>(reason)];
}

bool ChannelAtoms::IsFrozen(TensorAxis axis) const {
  const Place& place = At(axis);
  const int64_t atoms = place.extent > kLongestAxis ? 1 : place.extent;
  for (int64_t i = 0; i < atoms; ++i) {
    if (WhyFrozen(Atom(place, i)) == nullptr) return false;
  }
  return true;
}

}  // namespace fettle
