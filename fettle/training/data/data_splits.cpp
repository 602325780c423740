#include "fettle/training/data/data_splits.h"

#include <algorithm>

#include "fettle/core/random.h"

namespace fettle {
namespace {

constexpr uint64_t kSplitSeed = 20'240'229;  // part of what "validation" means: never change it
constexpr size_t kMostHeldOutOfAClass = 500;

std::vector<std::vector<int64_t>> ShuffledClasses(const std::vector<int32_t>& labels,
                                                  int64_t num_images, int64_t num_classes) {
  std::vector<std::vector<int64_t>> of_class(static_cast<size_t>(labels.empty() ? 1 : num_classes));
  for (int64_t i = 0; i < num_images; ++i) {
    const size_t label = labels.empty() ? 0 : static_cast<size_t>(labels[static_cast<size_t>(i)]);
    of_class[label].push_back(i);
  }
  for (size_t label = 0; label < of_class.size(); ++label) {
    Random(kSplitSeed).Fork(label).Shuffle(&of_class[label]);
  }
  return of_class;
}

}  // namespace

std::vector<bool> HeldOutForValidation(const std::vector<int32_t>& labels, int64_t num_images,
                                       int64_t num_classes) {
  std::vector<bool> held_out(static_cast<size_t>(num_images));
  for (const std::vector<int64_t>& indices : ShuffledClasses(labels, num_images, num_classes)) {
    const size_t count =
        labels.empty() ? indices.size() / 10 : std::min(indices.size() / 10, kMostHeldOutOfAClass);
    for (size_t i = 0; i < count; ++i) held_out[static_cast<size_t>(indices[i])] = true;
  }
  return held_out;
}

std::vector<DataSplit> SplitOfEach(const std::vector<int32_t>& labels, int64_t num_images,
                                   int64_t num_classes) {
  std::vector<DataSplit> splits(static_cast<size_t>(num_images), DataSplit::kTrain);
  for (const std::vector<int64_t>& indices : ShuffledClasses(labels, num_images, num_classes)) {
    const size_t test = indices.size() / 10;
    const size_t validation = labels.empty() ? test : std::min(test, kMostHeldOutOfAClass);
    for (size_t i = 0; i < test + validation; ++i) {
      splits[static_cast<size_t>(indices[i])] =
          i < test ? DataSplit::kTest : DataSplit::kValidation;
    }
  }
  return splits;
}

}  // namespace fettle
