#include "fettle/training/data/dataset_files.h"

#include <algorithm>
#include <cassert>
#include <filesystem>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/training/data/gzip_file.h"
#include "fettle/training/data/idx_file.h"

namespace fettle {
namespace {

constexpr uint64_t kSplitSeed = 20'240'229;  // part of what "validation" means: never change it
constexpr size_t kMostHeldOutOfAClass = 500;

std::string PlainOrGzip(const std::string& folder, const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(folder) / name;
  for (const char* suffix : {"", ".gz"}) {
    std::filesystem::path candidate = path;
    candidate += suffix;
    std::error_code fault;
    if (std::filesystem::exists(candidate, fault)) return candidate.string();
  }
  throw BadInput(path.string(), ": no such file, nor with .gz; name the dataset's folder after a ",
                 "colon, or install the dataset");
}

void CheckLabels(const std::string& path, const std::vector<int32_t>& labels, int64_t classes) {
  const auto wrong = std::find_if(labels.begin(), labels.end(),
                                  [&](int32_t label) { return label < 0 || label >= classes; });
  if (wrong != labels.end()) {
    throw BadInput(path, ": label ", *wrong, " of image ", wrong - labels.begin(),
                   " is none of the ", classes, " classes; fetch the file again");
  }
}

// Fashion-MNIST has MNIST's format.
Dataset ReadMnist(const DataSpec& spec) {
  const std::string prefix = spec.split == DataSplit::kTest ? "t10k" : "train";
  const std::string images_path = PlainOrGzip(spec.folder, prefix + "-images-idx3-ubyte");
  const std::string labels_path = PlainOrGzip(spec.folder, prefix + "-labels-idx1-ubyte");
  Dataset dataset;
  dataset.num_classes = 10;
  dataset.preprocessing = spec.format == DataFormat::kMnist ? Preprocessing{{0.1307f}, {0.3081f}}
                                                            : Preprocessing{{0.2860f}, {0.3530f}};
  // A mirrored digit is another one or none; a mirrored shoe is a shoe.
  dataset.augmentation = {.flip = spec.format == DataFormat::kFashionMnist, .shift = 2};
  dataset.images = ReadIdxFile(images_path, 3);
  const Shape shape = dataset.images.shape();
  dataset.images = std::move(dataset.images).Reshaped({shape[0], 1, shape[1], shape[2]});
  const Tensor labels = ReadIdxFile(labels_path, 1);
  if (labels.num_elements() != shape[0]) {
    throw BadInput(labels_path, ": ", labels.num_elements(), " labels for the ", shape[0],
                   " images of ", images_path);
  }
  dataset.labels.assign(labels.values<uint8_t>().begin(), labels.values<uint8_t>().end());
  CheckLabels(labels_path, dataset.labels, dataset.num_classes);
  return dataset;
}

constexpr int64_t kCifarBatch = 10'000;  // images a file, each a label and 3x32x32 bytes

Dataset ReadCifar10(const DataSpec& spec) {
  std::vector<std::string> names{"test_batch.bin"};
  if (spec.split != DataSplit::kTest) {
    names.clear();
    for (int i = 1; i <= 5; ++i) names.push_back(Text("data_batch_", i, ".bin"));
  }
  Dataset dataset;
  dataset.num_classes = 10;
  dataset.preprocessing = {{0.4914f, 0.4822f, 0.4465f}, {0.2470f, 0.2435f, 0.2616f}};
  dataset.augmentation = {.flip = true, .shift = 4};  // He et al. 2015, 4.2
  const int64_t count = kCifarBatch * static_cast<int64_t>(names.size());
  dataset.images = Tensor(TensorType{DType::kU8, {count, 3, 32, 32}});
  constexpr size_t kImageBytes = size_t{3} * 32 * 32;
  std::byte* to = dataset.images.bytes();
  for (const std::string& name : names) {
    GzipFile file(PlainOrGzip(spec.folder, name));
    for (int64_t i = 0; i < kCifarBatch; ++i, to += kImageBytes) {
      std::byte label{};
      file.Read({&label, 1});
      file.Read({to, kImageBytes});
      dataset.labels.push_back(static_cast<int32_t>(label));
    }
    file.ExpectEnd();
    CheckLabels(file.path(), dataset.labels, dataset.num_classes);
  }
  return dataset;
}

// Which images are held out for validation.
std::vector<bool> HeldOut(const Dataset& dataset) {
  std::vector<std::vector<int64_t>> of_class(static_cast<size_t>(dataset.num_classes));
  for (int64_t i = 0; i < dataset.size(); ++i) {
    of_class[static_cast<size_t>(dataset.labels[static_cast<size_t>(i)])].push_back(i);
  }
  std::vector<bool> held_out(static_cast<size_t>(dataset.size()));
  for (size_t label = 0; label < of_class.size(); ++label) {
    std::vector<int64_t>& indices = of_class[label];
    Random(kSplitSeed).Fork(label).Shuffle(&indices);
    const size_t count = std::min(indices.size() / 10, kMostHeldOutOfAClass);
    for (size_t i = 0; i < count; ++i) held_out[static_cast<size_t>(indices[i])] = true;
  }
  return held_out;
}

std::vector<int64_t> IndicesOf(const Dataset& dataset, const DataSpec& spec) {
  std::vector<int64_t> indices;
  const std::vector<bool> held_out =
      spec.split == DataSplit::kTest ? std::vector<bool>(dataset.labels.size()) : HeldOut(dataset);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (spec.limit && static_cast<int64_t>(indices.size()) == *spec.limit) break;
    if (held_out[static_cast<size_t>(i)] == (spec.split == DataSplit::kValidation)) {
      indices.push_back(i);
    }
  }
  return indices;
}

Tensor Padded(const Tensor& images, int64_t pad) {
  const Shape& shape = images.shape();
  const int64_t height = shape[2] + 2 * pad, width = shape[3] + 2 * pad;
  Tensor result(TensorType{DType::kU8, {shape[0], shape[1], height, width}});
  const uint8_t* from = images.values<uint8_t>().data();
  uint8_t* to = result.values<uint8_t>().data();
  for (int64_t plane = 0; plane < shape[0] * shape[1]; ++plane, to += height * width) {
    for (int64_t y = 0; y < shape[2]; ++y, from += shape[3]) {
      std::copy_n(from, shape[3], to + (y + pad) * width + pad);
    }
  }
  return result;
}

std::vector<float> PerChannel(const DataSpec& spec, std::string_view name,
                              const std::vector<float>& values, size_t channels) {
  if (values.size() == channels) return values;
  if (values.size() == 1) return std::vector<float>(channels, values[0]);
  throw Error(ErrorKind::kUsage, Text("data '", spec.text, "': option ", name, " has ",
                                      values.size(), " numbers for ", channels, " channels"));
}

}  // namespace

Dataset LoadDataset(const DataSpec& spec) {
  const Dataset all = spec.format == DataFormat::kCifar10 ? ReadCifar10(spec) : ReadMnist(spec);
  Dataset dataset = Subset(all, IndicesOf(all, spec));
  dataset.name = spec.text;
  if (!spec.has_labels) {
    dataset.labels.clear();
    dataset.num_classes = 0;
  }
  if (dataset.size() == 0) {
    throw BadInput(spec.text, ": no image in split ", NameOf(spec.split));
  }
  const Shape image = dataset.ImageShape();
  constexpr int64_t kMostPadding = 1024;
  if (spec.pad > kMostPadding) {
    throw Error(ErrorKind::kUsage,
                Text("data '", spec.text, "': option pad may be at most ", kMostPadding));
  }
  if (spec.pad > 0) dataset.images = Padded(dataset.images, spec.pad);
  const auto channels = static_cast<size_t>(image[0]);
  if (spec.mean) dataset.preprocessing.mean = PerChannel(spec, "mean", *spec.mean, channels);
  if (spec.deviation) {
    dataset.preprocessing.deviation = PerChannel(spec, "std", *spec.deviation, channels);
  }
  return dataset;
}

}  // namespace fettle
