#include "fettle/training/data/dataset_files.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "fettle/core/error.h"
#include "fettle/training/data/data_splits.h"
#include "fettle/training/data/dataset_format.h"

namespace fettle {
namespace {

std::vector<int64_t> IndicesOf(const DatasetFiles& files, const DataSpec& spec,
                               const std::optional<DataSample>& sample) {
  std::vector<int64_t> indices;
  if (files.is_split) {
    indices.resize(static_cast<size_t>(files.num_images));
    std::iota(indices.begin(), indices.end(), 0);
  } else {
    const std::vector<bool> held_out =
        HeldOutForValidation(files.labels, files.num_images, files.num_classes);
    for (int64_t i = 0; i < files.num_images; ++i) {
      const bool is_wanted =
          held_out[static_cast<size_t>(i)] == (spec.split == DataSplit::kValidation);
      if (is_wanted) indices.push_back(i);
    }
  }
  if (spec.limit && static_cast<int64_t>(indices.size()) > *spec.limit) {
    indices.resize(static_cast<size_t>(*spec.limit));
  }
  if (!sample) return indices;
  std::vector<int64_t> drawn;
  for (const int64_t place : DrawnIndices(static_cast<int64_t>(indices.size()), *sample)) {
    drawn.push_back(indices[static_cast<size_t>(place)]);
  }
  return drawn;
}

Tensor Padded(const Tensor& images, int64_t pad) {
  const Shape& shape = images.shape();
  const int64_t height = shape[2] + 2 * pad, width = shape[3] + 2 * pad;
  Tensor result(TensorType{images.dtype(), {shape[0], shape[1], height, width}});
  const auto pixel = static_cast<int64_t>(ByteSize(TensorType{images.dtype(), {1}}));
  const std::byte* from = images.bytes();
  std::byte* to = result.bytes();
  for (int64_t plane = 0; plane < shape[0] * shape[1]; ++plane, to += height * width * pixel) {
    for (int64_t y = 0; y < shape[2]; ++y, from += shape[3] * pixel) {
      std::copy_n(from, shape[3] * pixel, to + ((y + pad) * width + pad) * pixel);
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

void SetPreprocessing(const DataSpec& spec, Dataset* dataset) {
  const auto channels = static_cast<size_t>(dataset->ImageShape()[0]);
  Preprocessing& how = dataset->preprocessing;
  how.mean = PerChannel(spec, "mean", spec.mean.value_or(how.mean), channels);
  how.deviation = PerChannel(spec, "std", spec.deviation.value_or(how.deviation), channels);
  how.scale = spec.scale.value_or(how.scale);
  how.pad = spec.pad;
}

// More than the labels show, where the last classes may be absent.
int64_t NumClasses(const DatasetFiles& files, const DataSpec& spec) {
  if (!spec.classes || *spec.classes == files.num_classes) return files.num_classes;
  if (*spec.classes < files.num_classes || !files.classes.empty()) {
    throw Error(ErrorKind::kUsage,
                Text("data '", spec.text, "': option classes=", *spec.classes, ", but there are ",
                     files.num_classes,
                     files.classes.empty() ? "" : " by name; list all of them in classes.txt"));
  }
  return *spec.classes;
}

}  // namespace

Dataset LoadDataset(const DataSpec& spec, const std::optional<DataSample>& sample) {
  const auto format = std::ranges::find(DatasetFormats(), spec.format, &DatasetFormat::name);
  assert(format != DatasetFormats().end());
  const DatasetFiles files = format->open(spec);
  const std::vector<int64_t> indices = IndicesOf(files, spec, sample);
  if (indices.empty()) throw BadInput(spec.text, ": no image in split ", NameOf(spec.split));
  Dataset dataset;
  dataset.name = spec.text;
  dataset.preprocessing = files.preprocessing;
  dataset.augmentation = files.augmentation;
  dataset.images = files.read(indices);
  if (spec.pad > 0) dataset.images = Padded(dataset.images, spec.pad);
  SetPreprocessing(spec, &dataset);
  if (!spec.has_labels || files.labels.empty()) return dataset;
  dataset.num_classes = NumClasses(files, spec);
  dataset.classes = files.classes;
  for (const int64_t i : indices) dataset.labels.push_back(files.labels[static_cast<size_t>(i)]);
  return dataset;
}

}  // namespace fettle
