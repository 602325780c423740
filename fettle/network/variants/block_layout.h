#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "fettle/network/linalg/matrix.h"

namespace fettle {

// Places that can be filled by one another's units, and what stands at each before anything moves:
// its inputs and its outputs of the layer, ascending; of each kind as many at every place.
struct MovableUnits {
  std::vector<std::vector<int64_t>> inputs, outputs;  // [place]

  size_t size() const { return inputs.size(); }
  bool moves_inputs() const { return !inputs.front().empty(); }
  bool moves_outputs() const { return !outputs.front().empty(); }
};

// A layer whose inputs and outputs are parted into as many equal blocks, side by side.
struct BlockProblem {
  Matrix energy;  // T x S: what an output loses without an input
  int64_t blocks = 1;
  std::vector<MovableUnits> movable;  // channels in none of them stay where they are
};

// Which unit stands at which place, and what energy the channels share with the blocks as they lie.
class BlockLayout {
 public:
  // As it is. The problem must outlive this.
  explicit BlockLayout(const BlockProblem& problem);

  // Of each movable set: place p has unit orders[p].
  const std::vector<std::vector<int64_t>>& orders() const { return orders_; }
  void SetOrders(std::vector<std::vector<int64_t>> orders);
  void SetOrder(size_t set, std::vector<int64_t> order);

  double kept() const { return kept_; }  // energy of inputs and outputs in the same block

  // [S, blocks]: of an input with the outputs that lie in a block; [T, blocks] the other way.
  const Matrix& of_inputs() const { return of_inputs_; }
  const Matrix& of_outputs() const { return of_outputs_; }

  // The places of a set whose channels lie in the same blocks.
  struct PlaceClass {
    std::vector<int64_t> inputs, outputs;  // blocks
    std::vector<size_t> places;
  };
  const std::vector<PlaceClass>& classes(size_t set) const { return classes_[set]; }
  bool AreAlike(size_t set, size_t p, size_t q) const {
    return class_of_[set][p] == class_of_[set][q];
  }

  // What a unit is worth in a class, by tables of its inputs and outputs with each block; null
  // counts nothing.
  double Worth(size_t set, int64_t unit, size_t place_class, const Matrix* of_inputs,
               const Matrix* of_outputs) const;

  // What is gained when the units at two places change them.
  double Gain(size_t set, size_t p, size_t q) const;
  // Brings of_inputs and of_outputs up to date, but not kept.
  void Swap(size_t set, size_t p, size_t q);

 private:
  size_t InputBlock(int64_t place) const;
  size_t OutputBlock(int64_t place) const;
  std::vector<PlaceClass> ClassesOf(const MovableUnits& set) const;
  void Recompute();
  void Lie(size_t set, int64_t unit, size_t place);
  void Move(size_t set, int64_t unit, size_t place);

  const BlockProblem& problem_;
  const Matrix& energy_;
  Matrix transposed_;  // S x T
  size_t blocks_;

  std::vector<std::vector<int64_t>> orders_;          // [set][place]: the unit there
  std::vector<std::vector<PlaceClass>> classes_;      // [set]
  std::vector<std::vector<size_t>> class_of_;         // [set][place]
  std::vector<size_t> input_blocks_, output_blocks_;  // of each channel, where it lies now
  Matrix of_inputs_, of_outputs_;
  double kept_ = 0;
};

}  // namespace fettle
