#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fettle {

// The classes of a folder of images: what a label's name means to a model.
struct ClassNames {
  std::vector<std::string> names;  // by label; none where the labels were numbers
  int64_t count = 0;
  std::vector<int32_t> labels;  // of the images

  // `of_images`: the name of each image's class. `known`: all names, also of classes without
  // images.
  //
  //   classes.txt in the folder   a name a line: its number from 0 is its label
  //   whole numbers               are the labels
  //   other names                 are sorted; their ranks are the labels
  //
  // Throws an Error where classes.txt lacks a name or has one twice.
  static ClassNames Of(const std::filesystem::path& folder,
                       const std::vector<std::string>& of_images,
                       const std::vector<std::string>& known);
};

}  // namespace fettle
