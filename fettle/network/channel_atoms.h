#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "fettle/network/graph.h"

namespace fettle {

// One axis of one tensor of a graph.
struct TensorAxis {
  ValueId value = 0;
  int axis = 0;

  friend auto operator<=>(const TensorAxis&, const TensorAxis&) = default;
};

// Every index on every axis of every tensor of a graph, in classes: the indices of a class can only
// be removed together, and not at all where the class is frozen. A union-find structure (Tarjan
// 1975). An axis longer than kLongestAxis is one frozen atom, an axis of one index is frozen.
class ChannelAtoms {
 public:
  static constexpr int64_t kLongestAxis = int64_t{1} << 17;

  // Throws an Error where there are more than 2^31 atoms. With `keeps_ties`, what was tied is told.
  explicit ChannelAtoms(const Graph& graph, bool keeps_ties = false);

  int64_t Extent(TensorAxis axis) const;

  // The indices first_a, first_a + 1, ... of `a` and first_b, ... of `b`: `count` pairs.
  void Tie(TensorAxis a, int64_t first_a, TensorAxis b, int64_t first_b, int64_t count = 1);
  void TieAxes(TensorAxis a, TensorAxis b);  // of equal extents, index by index

  // As Tie was told.
  struct Ties {
    TensorAxis a;
    int64_t first_a = 0;
    TensorAxis b;
    int64_t first_b = 0;
    int64_t count = 0;
  };
  const std::vector<Ties>& ties() const { return ties_; }

  // A class frozen more than once keeps the first reason given.
  void Freeze(TensorAxis axis, const std::string& reason);

  // The class of an index: a number that is the same for all of its indices.
  int32_t ClassOf(TensorAxis axis, int64_t index) const;
  int32_t num_atoms() const { return static_cast<int32_t>(parents_.size()); }

  // Why the class cannot be removed; null where it can.
  const std::string* WhyFrozen(int32_t atom_class) const;
  bool IsFrozen(TensorAxis axis) const;  // every index of it

 private:
  struct Place {
    int32_t first = 0;
    int64_t extent = 0;
  };

  const Place& At(TensorAxis axis) const;
  int32_t Atom(const Place& place, int64_t index) const;
  int32_t Root(int32_t atom) const;
  void Join(int32_t a, int32_t b);
  int32_t Reason(const std::string& text);

  std::vector<std::vector<Place>> places_;  // [value][axis]
  mutable std::vector<int32_t> parents_;    // of a root: minus the size of its class
  std::vector<int32_t> frozen_by_;          // of a root: into reasons_, or kFree
  std::vector<std::string> reasons_;
  bool keeps_ties_;
  std::vector<Ties> ties_;
};

}  // namespace fettle
