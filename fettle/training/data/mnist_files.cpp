#include "fettle/core/error.h"
#include "fettle/training/data/dataset_format.h"
#include "fettle/training/data/idx_file.h"

namespace fettle {
namespace {

DatasetFiles Open(const DataSpec& spec) {
  const std::string prefix = spec.split == DataSplit::kTest ? "t10k" : "train";
  const std::string images_path = PlainOrGzip(spec.place, prefix + "-images-idx3-ubyte");
  const std::string labels_path = PlainOrGzip(spec.place, prefix + "-labels-idx1-ubyte");
  Tensor images = ReadIdxFile(images_path, 3);
  const Shape shape = images.shape();
  const Tensor labels = ReadIdxFile(labels_path, 1);
  if (labels.num_elements() != shape[0]) {
    throw BadInput(labels_path, ": ", labels.num_elements(), " labels for the ", shape[0],
                   " images of ", images_path);
  }
  DatasetFiles files;
  files.num_images = shape[0];
  files.num_classes = 10;
  files.is_split = spec.split == DataSplit::kTest;
  files.labels.assign(labels.values<uint8_t>().begin(), labels.values<uint8_t>().end());
  CheckLabels(labels_path, files.labels, files.num_classes);
  files.read = FromMemory(std::move(images).Reshaped({shape[0], 1, shape[1], shape[2]}));
  return files;
}

}  // namespace

DatasetFiles OpenMnist(const DataSpec& spec) {
  DatasetFiles files = Open(spec);
  files.preprocessing = {{0.1307f}, {0.3081f}};
  files.augmentation = {.flip = false, .shift = 2};  // a mirrored digit is another one or none
  return files;
}

// It has MNIST's format.
DatasetFiles OpenFashionMnist(const DataSpec& spec) {
  DatasetFiles files = Open(spec);
  files.preprocessing = {{0.2860f}, {0.3530f}};
  files.augmentation = {.flip = true, .shift = 2};
  return files;
}

}  // namespace fettle
