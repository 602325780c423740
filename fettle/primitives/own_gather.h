#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fettle/core/target.h"

namespace fettle {

// One axis of the output of a Gather: for each of its elements the index of the source along an
// axis of the input, or -1 where a constant stands; and that axis's stride, in elements.
struct GatherAxis {
  std::vector<int64_t> sources;
  int64_t stride = 0;
};

// A copy that finds the source of an element axis by axis: slices, pads, transposes, nearest
// neighbours. Elements of any size.
class Gather {
 public:
  // The output's axes as they lie in memory, outermost first.
  Gather(std::vector<GatherAxis> axes, size_t element_bytes);

  // `fill`, one element, is what -1 stands for.
  void Run(const Target& target, const std::byte* input, const std::byte* fill,
           std::byte* output) const;

 private:
  // Neighbours in a row whose sources are evenly spaced, or that are all constant.
  struct Stretch {
    int64_t count;
    int64_t source;  // in bytes, or -1
    int64_t step;    // in bytes
  };

  void AppendToRow(int64_t source);
  void RunRow(int64_t row, const std::byte* input, const std::byte* fill, std::byte* output) const;
  void Copy(const Stretch& stretch, const std::byte* input, std::byte* output) const;

  size_t element_bytes_;  // of the tensor
  size_t unit_bytes_;     // of what a row is made of: an element, or inner axes copied whole
  std::vector<std::vector<int64_t>> outer_;  // sources in bytes, or -1
  std::vector<Stretch> row_;
  int64_t rows_ = 1;
  size_t row_bytes_ = 0;
};

// 0, 1, ..., extent - 1: an axis that stays as it is.
std::vector<int64_t> WholeAxis(int64_t extent);

}  // namespace fettle
