#include "fettle/training/data/data_sample.h"

#include <algorithm>
#include <numeric>

#include "fettle/core/random.h"

namespace fettle {

std::vector<int64_t> DrawnIndices(int64_t count, const DataSample& sample) {
  if (count <= sample.most) {
    std::vector<int64_t> all(static_cast<size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  const std::vector<size_t> order = Random(sample.seed).Permutation(static_cast<size_t>(count));
  std::vector<int64_t> drawn(order.begin(), order.begin() + sample.most);
  std::ranges::sort(drawn);
  return drawn;
}

Dataset Sampled(const Dataset& dataset, const DataSample& sample) {
  return Subset(dataset, DrawnIndices(dataset.size(), sample));
}

}  // namespace fettle
