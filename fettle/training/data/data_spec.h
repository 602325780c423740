#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fettle {

// The parts of a dataset. Training and validation are disjoint; test is never trained on or chosen
// by. See dataset_files.h.
enum class DataSplit : uint8_t { kTrain, kValidation, kTest };
std::string_view NameOf(DataSplit split);

enum class DataLayout : uint8_t { kNchw, kNhwc };

// A dataset as a user names it: FORMAT[:PLACE][?OPTION=VALUE&...], docs/data.md.
struct DataSpec {
  std::string text;    // as written
  std::string format;  // one of dataset_format.h's
  std::string place;   // a folder or a file
  DataSplit split = DataSplit::kTrain;
  std::optional<std::vector<float>> mean, deviation;  // options mean and std; one a channel, or one
  std::optional<float> scale;                         // what a pixel is divided by
  std::optional<int64_t> limit;                       // only so many images, from the split's start
  std::optional<int64_t> resize, crop, channels;      // of image files; size is resize
  std::optional<DataLayout> layout;                   // of arrays
  std::optional<int64_t> classes;                     // more than are seen, of arrays and images
  int64_t pad = 0;                                    // rows and columns of zeros at each edge
  bool has_labels = true;                             // labels=none: they are not looked at
  bool has_coarse_labels = false;                     // labels=coarse, of CIFAR-100
};

// `split` is taken where the text names none. Throws an Error that names what it does not know and
// what it knows; an option that the format has no use for is not known.
DataSpec ParseDataSpec(std::string_view text, DataSplit split);

}  // namespace fettle
