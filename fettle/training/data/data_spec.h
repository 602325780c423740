#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fettle {

// The parts of a dataset. Training and validation are disjoint parts of the training files (see
// LoadDataset); test is the test files.
enum class DataSplit : uint8_t { kTrain, kValidation, kTest };
std::string_view NameOf(DataSplit split);

enum class DataFormat : uint8_t { kFashionMnist, kMnist, kCifar10 };

// A dataset as a user names it: FORMAT[:FOLDER][?OPTION=VALUE&...].
struct DataSpec {
  std::string text;  // as written
  DataFormat format = DataFormat::kFashionMnist;
  std::string folder;
  DataSplit split = DataSplit::kTrain;
  std::optional<std::vector<float>> mean, deviation;  // options mean and std; one a channel, or one
  std::optional<int64_t> limit;                       // only so many images, from the split's start
  int64_t pad = 0;                                    // rows and columns of zeros at each edge
  bool has_labels = true;                             // labels=none: they are not looked at
};

// `split` is taken where the text names none. Throws an Error that names what it does not know and
// what it knows.
DataSpec ParseDataSpec(std::string_view text, DataSplit split);

}  // namespace fettle
