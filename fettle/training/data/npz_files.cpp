// npz:FILE, NumPy's archives of arrays.
#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/core/npy.h"
#include "fettle/training/data/data_splits.h"
#include "fettle/training/data/dataset_format.h"
#include "fettle/training/data/libzip_archive.h"

namespace fettle {
namespace {

constexpr size_t kLongestHeader = 1 << 16;  // NumPy's are of a hundred bytes

std::optional<Tensor> ArrayOf(const ZipArchive& archive, const DataSpec& spec,
                              const std::string& name) {
  const std::string member = name + ".npy", what = Text(spec.place, ": array '", name, "'");
  if (!archive.Has(member)) return std::nullopt;
  // What its header says it is long is all that may be inflated.
  const NpyHeader header = ParseNpyHeader(archive.Begin(member, kLongestHeader), what);
  return ParseNpy(archive.Read(member, header.length), what);
}

// Bytes stay bytes; doubles become floats.
Tensor AsPixels(Tensor images, const DataSpec& spec) {
  if (images.dtype() == DType::kU8 || images.dtype() == DType::kF32) return images;
  if (images.dtype() != DType::kF64) {
    throw BadInput(spec.place, ": images of ", NameOf(images.dtype()),
                   " are not understood; u1, f4 and f8 are");
  }
  Tensor floats(TensorType{DType::kF32, images.shape()});
  std::ranges::copy(images.values<double>(), floats.values<float>().begin());
  return floats;
}

DataLayout LayoutOf(const Shape& shape, const DataSpec& spec) {
  if (spec.layout) return *spec.layout;
  const auto is_channels = [](int64_t extent) { return extent == 1 || extent == 3; };
  if (is_channels(shape[1]) != is_channels(shape[3])) {
    return is_channels(shape[1]) ? DataLayout::kNchw : DataLayout::kNhwc;
  }
  throw BadInput(spec.text, ": its images are ", ShapeText(shape),
                 ", which axis are the channels? Add option layout=nchw or layout=nhwc");
}

template <typename Pixel>
void MoveChannels(const Tensor& from, Tensor* to) {
  const Shape& shape = from.shape();  // N,H,W,C
  const int64_t plane = shape[1] * shape[2], channels = shape[3];
  const Pixel* pixel = from.values<Pixel>().data();
  Pixel* image = to->values<Pixel>().data();
  for (int64_t n = 0; n < shape[0]; ++n, image += plane * channels) {
    for (int64_t p = 0; p < plane; ++p) {
      for (int64_t c = 0; c < channels; ++c) image[c * plane + p] = *pixel++;
    }
  }
}

// As [N,C,H,W].
Tensor ChannelsFirst(Tensor images, const DataSpec& spec) {
  const Shape shape = images.shape();
  if ((shape.size() != 3 && shape.size() != 4) || images.num_elements() == 0) {
    throw BadInput(spec.place, ": its images are ", ShapeText(shape),
                   "; three or four axes, none of them empty, are expected, the images along the "
                   "first");
  }
  if (shape.size() == 3) return std::move(images).Reshaped({shape[0], 1, shape[1], shape[2]});
  if (LayoutOf(shape, spec) == DataLayout::kNchw) return images;
  Tensor result(TensorType{images.dtype(), {shape[0], shape[3], shape[1], shape[2]}});
  if (images.dtype() == DType::kU8) {
    MoveChannels<uint8_t>(images, &result);
  } else {
    MoveChannels<float>(images, &result);
  }
  return result;
}

template <typename Number>
void Append(const Tensor& tensor, const std::string& path, std::vector<int32_t>* labels) {
  for (const Number number : tensor.values<Number>()) {
    if (static_cast<int64_t>(number) < 0 || static_cast<int64_t>(number) >= kGreatestLabel + 1) {
      throw BadInput(path, ": label ", static_cast<int64_t>(number), " of image ", labels->size(),
                     "; labels are 0 to ", kGreatestLabel);
    }
    labels->push_back(static_cast<int32_t>(number));
  }
}

std::vector<int32_t> LabelsOf(const Tensor& tensor, const std::string& path) {
  std::vector<int32_t> labels;
  if (tensor.dtype() == DType::kU8) {
    Append<uint8_t>(tensor, path, &labels);
  } else if (tensor.dtype() == DType::kI8) {
    Append<int8_t>(tensor, path, &labels);
  } else if (tensor.dtype() == DType::kI16) {
    Append<int16_t>(tensor, path, &labels);
  } else if (tensor.dtype() == DType::kI32) {
    Append<int32_t>(tensor, path, &labels);
  } else if (tensor.dtype() == DType::kI64) {
    Append<int64_t>(tensor, path, &labels);
  } else {
    throw BadInput(path, ": labels of ", NameOf(tensor.dtype()),
                   " are not understood; whole numbers are");
  }
  return labels;
}

struct Arrays {
  Tensor images;
  std::vector<int32_t> labels;
};

// Arrays of these names, or nothing without the first.
std::optional<Arrays> ReadArrays(const ZipArchive& archive, const DataSpec& spec,
                                 const std::string& images, const std::string& labels) {
  auto pixels = ArrayOf(archive, spec, images);
  if (!pixels) return std::nullopt;
  Arrays arrays{ChannelsFirst(AsPixels(std::move(*pixels), spec), spec), {}};
  if (const auto numbers = ArrayOf(archive, spec, labels)) {
    arrays.labels = LabelsOf(*numbers, spec.place);
    if (static_cast<int64_t>(arrays.labels.size()) != arrays.images.shape()[0]) {
      throw BadInput(spec.place, ": ", arrays.labels.size(), " labels ('", labels, "') for ",
                     arrays.images.shape()[0], " images ('", images, "')");
    }
  }
  return arrays;
}

DatasetFiles FilesOf(Arrays arrays, bool is_split) {
  DatasetFiles files;
  files.num_images = arrays.images.shape()[0];
  for (const int32_t label : arrays.labels) {
    files.num_classes = std::max<int64_t>(files.num_classes, label + 1);
  }
  files.is_split = is_split;
  files.labels = std::move(arrays.labels);
  // Floats are taken as they are.
  files.preprocessing = {{0.0f}, {1.0f}};
  if (arrays.images.dtype() == DType::kF32) files.preprocessing.scale = 1;
  files.read = FromMemory(std::move(arrays.images));
  return files;
}

// One piece for all splits.
DatasetFiles SplitUp(Arrays arrays, DataSplit wanted) {
  DatasetFiles all = FilesOf(std::move(arrays), true);
  const std::vector<DataSplit> splits = SplitOfEach(all.labels, all.num_images, all.num_classes);
  std::vector<int64_t> indices;
  std::vector<int32_t> labels;
  for (size_t i = 0; i < splits.size(); ++i) {
    if (splits[i] != wanted) continue;
    indices.push_back(static_cast<int64_t>(i));
    if (!all.labels.empty()) labels.push_back(all.labels[i]);
  }
  all.num_images = static_cast<int64_t>(indices.size());
  all.labels = std::move(labels);
  all.read = [read = all.read, indices](const std::vector<int64_t>& wanted_ones) {
    std::vector<int64_t> of_all;
    for (const int64_t index : wanted_ones) of_all.push_back(indices[static_cast<size_t>(index)]);
    return read(of_all);
  };
  return all;
}

// Of all splits: one that lacks the last classes has as many as the others.
int64_t ClassesOfAllSplits(const ZipArchive& archive, const DataSpec& spec) {
  int64_t classes = 0;
  for (const char* name : {"y_train", "y_val", "y_test"}) {
    const auto numbers = ArrayOf(archive, spec, name);
    if (!numbers) continue;
    for (const int32_t label : LabelsOf(*numbers, spec.place)) {
      classes = std::max<int64_t>(classes, label + 1);
    }
  }
  return classes;
}

DatasetFiles FilesOfSplit(Arrays arrays, bool is_split, const ZipArchive& archive,
                          const DataSpec& spec) {
  DatasetFiles files = FilesOf(std::move(arrays), is_split);
  if (!files.labels.empty()) files.num_classes = ClassesOfAllSplits(archive, spec);
  return files;
}

}  // namespace

DatasetFiles OpenNpz(const DataSpec& spec) {
  const ZipArchive archive(spec.place);
  if (spec.split == DataSplit::kTest) {
    if (auto test = ReadArrays(archive, spec, "x_test", "y_test")) {
      return FilesOfSplit(std::move(*test), true, archive, spec);
    }
  }
  if (spec.split == DataSplit::kValidation) {
    if (auto validation = ReadArrays(archive, spec, "x_val", "y_val")) {
      return FilesOfSplit(std::move(*validation), true, archive, spec);
    }
  }
  if (auto train = ReadArrays(archive, spec, "x_train", "y_train")) {
    if (spec.split == DataSplit::kTest) {
      throw BadInput(spec.place, ": has no array x_test; name split=validation or add it");
    }
    const bool has_validation = archive.Has("x_val.npy");
    return FilesOfSplit(std::move(*train), has_validation, archive, spec);
  }
  if (auto all = ReadArrays(archive, spec, "images", "labels")) {
    return SplitUp(std::move(*all), spec.split);
  }
  throw BadInput(spec.place,
                 ": has neither an array 'images' (with 'labels') nor 'x_train' (with 'y_train'), "
                 "'x_val' and 'x_test'");
}

}  // namespace fettle
