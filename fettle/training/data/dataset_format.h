#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/training/data/data_spec.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// What a format finds in its files for the split that is asked for, before images are read.
struct DatasetFiles {
  std::vector<int32_t> labels;  // empty if unlabelled
  int64_t num_images = 0;
  int64_t num_classes = 0;
  std::vector<std::string> classes;  // their names, where the files tell
  // Whether these are the images of the split; else they are all training images, of which the
  // validation split is held out.
  bool is_split = false;
  Preprocessing preprocessing;  // what fits the format, before the spec's options
  Augmentation augmentation;
  // The images with these indices, ascending, [n,C,H,W], resized and cropped, u8 or f32.
  std::function<Tensor(const std::vector<int64_t>& indices)> read;
};

inline constexpr int32_t kGreatestLabel = (1 << 20) - 1;  // greater ones are no labels

// Adding a format: a source file with such a function, and a line in dataset_formats.cpp.
struct DatasetFormat {
  std::string_view name;
  std::string_view usage;        // "cifar10:FOLDER"
  std::string_view usual_place;  // empty: one must be named
  std::string_view options;      // those that not every format has, ", " before each
  DatasetFiles (*open)(const DataSpec& spec);
};

std::span<const DatasetFormat> DatasetFormats();

DatasetFiles OpenMnist(const DataSpec& spec);
DatasetFiles OpenFashionMnist(const DataSpec& spec);
DatasetFiles OpenCifar10(const DataSpec& spec);
DatasetFiles OpenCifar100(const DataSpec& spec);
DatasetFiles OpenImageFiles(const DataSpec& spec);
DatasetFiles OpenNpz(const DataSpec& spec);

// The file, or the same with .gz. Throws an Error that says what to do where neither is there.
std::string PlainOrGzip(const std::string& folder, const std::string& name);

// Throws an Error that names the file and the first label that is none of the classes.
void CheckLabels(const std::string& path, const std::vector<int32_t>& labels, int64_t classes);

// A reader of images that are in memory already.
std::function<Tensor(const std::vector<int64_t>&)> FromMemory(Tensor images);

}  // namespace fettle
