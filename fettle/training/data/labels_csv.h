#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/training/data/data_spec.h"

namespace fettle {

// A line of labels.csv.
struct LabelledFile {
  std::filesystem::path file;  // with the list's folder
  std::string label;
  std::optional<DataSplit> split;
};

// The lines of a list that stands at `path`; see image_listing.h. Files must be there, and within
// the list's folder. Throws an Error that names the line.
std::vector<LabelledFile> ParseLabelsCsv(std::string_view text, const std::filesystem::path& path);

}  // namespace fettle
