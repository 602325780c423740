#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fettle/training/data/data_spec.h"

namespace fettle {

// The image files of a folder, not yet opened.
struct ImageListing {
  struct Entry {
    std::filesystem::path file;
    int32_t label = -1;
    std::optional<DataSplit> split;  // where the folder says
  };
  std::vector<Entry> entries;        // in the order of the list, or of the paths
  std::vector<std::string> classes;  // by label; none where labels are numbers
  int64_t num_classes = 0;           // 0: unlabelled
};

// In this order, whatever there is first:
//   labels.csv                  lines path,label or path,label,split, quoted as RFC 4180 says; a
//                               first line beginning with "path", "file", "filename" or "image" is
//                               a header
//   train/, validation/ (val/), test/    folders of splits, each of what follows
//   a folder for each class     images below them at any depth
//   images                      without labels
// Classes are numbered as class_names.h says; a class folder without images has its number too.
// Files that end in .jpg, .jpeg or .png, in any case, are images; names that begin with a dot are
// passed over. Links are followed, but for those to folders below a class. Throws an Error that
// names the file and line.
ImageListing ListImages(const std::filesystem::path& folder);

}  // namespace fettle
