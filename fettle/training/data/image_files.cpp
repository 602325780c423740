// images:FOLDER
#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <thread>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/training/data/available_memory.h"
#include "fettle/training/data/data_splits.h"
#include "fettle/training/data/dataset_format.h"
#include "fettle/training/data/image.h"
#include "fettle/training/data/image_listing.h"

namespace fettle {
namespace {

constexpr int64_t kUsualResize = 256, kUsualCrop = 224;

struct Reading {
  std::vector<std::filesystem::path> files;
  int64_t resize = 0, crop = 0, channels = 3;
  std::string data;  // as the user wrote it
};

Image ReadImage(const Reading& reading, const std::filesystem::path& file) {
  Image image = DecodeImage(ReadFile(file), reading.channels, file.string());
  const int64_t shorter = std::min(image.height, image.width);
  const int64_t longer = std::max(image.height, image.width);
  // A strip of a pixel by a million, resized, would be large.
  if (longer / std::max<int64_t>(1, shorter) > kMostPixels / (reading.resize * reading.resize)) {
    throw BadInput(file.string(), ": ", image.width, " x ", image.height,
                   " pixels cannot be resized; take it out of the dataset");
  }
  return CentreCrop(Resized(image, reading.resize), reading.crop);
}

// Rows of pixels become planes.
void Store(const Image& image, uint8_t* to) {
  const int64_t plane = image.height * image.width;
  for (int64_t p = 0; p < plane; ++p) {
    for (int64_t c = 0; c < image.channels; ++c) {
      to[c * plane + p] = image.pixels[static_cast<size_t>(p * image.channels + c)];
    }
  }
}

// By all processors; of several faults the first image's is thrown.
Tensor Read(const Reading& reading, const std::vector<int64_t>& indices) {
  const auto count = static_cast<int64_t>(indices.size());
  const int64_t bytes = reading.channels * reading.crop * reading.crop;
  RequireMemory(count * bytes, reading.data);
  Tensor images(TensorType{DType::kU8, {count, reading.channels, reading.crop, reading.crop}});
  std::atomic<int64_t> next = 0, first_fault = count;
  std::vector<std::exception_ptr> faults(indices.size());
  const auto work = [&] {
    for (int64_t i; (i = next++) < count && i < first_fault;) {
      try {
        const auto file = static_cast<size_t>(indices[static_cast<size_t>(i)]);
        Store(ReadImage(reading, reading.files[file]), images.values<uint8_t>().data() + i * bytes);
      } catch (...) {
        faults[static_cast<size_t>(i)] = std::current_exception();
        int64_t before = first_fault;
        while (i < before && !first_fault.compare_exchange_weak(before, i)) {
        }
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) workers.emplace_back(work);
    work();
  }
  if (first_fault < count) std::rethrow_exception(faults[static_cast<size_t>(first_fault)]);
  return images;
}

// Those of the split; training images for a validation split that the folder has not.
std::vector<ImageListing::Entry> OfSplit(const ImageListing& listing, const DataSpec& spec,
                                         bool* is_split) {
  std::vector<ImageListing::Entry> entries = listing.entries;
  const auto has = [&](DataSplit split) {
    return std::ranges::find(entries, split, &ImageListing::Entry::split) != entries.end();
  };
  if (!entries[0].split) {
    std::vector<int32_t> labels;
    for (const auto& entry : entries) labels.push_back(entry.label);
    if (listing.num_classes == 0) labels.clear();
    const auto splits =
        SplitOfEach(labels, static_cast<int64_t>(entries.size()), listing.num_classes);
    for (size_t i = 0; i < entries.size(); ++i) entries[i].split = splits[i];
  } else if (!has(DataSplit::kTest) && spec.split == DataSplit::kTest) {
    throw BadInput(spec.text, ": has no test split; add a folder test, or name split=validation");
  }
  const bool holds_out = !has(DataSplit::kValidation) && spec.split != DataSplit::kTest;
  const DataSplit wanted = holds_out ? DataSplit::kTrain : spec.split;
  std::erase_if(entries, [&](const auto& entry) { return entry.split != wanted; });
  *is_split = !holds_out;
  return entries;
}

}  // namespace

DatasetFiles OpenImageFiles(const DataSpec& spec) {
  const ImageListing listing = ListImages(spec.place);
  const auto reading = std::make_shared<Reading>();
  reading->crop = spec.crop.value_or(spec.resize.value_or(kUsualCrop));
  reading->resize = spec.resize.value_or(spec.crop ? reading->crop : kUsualResize);
  reading->channels = spec.channels.value_or(3);
  reading->data = spec.text;
  if (reading->crop > reading->resize) {
    throw Error(ErrorKind::kUsage, Text("data '", spec.text, "': crop=", reading->crop,
                                        " is more than resize=", reading->resize, " leaves"));
  }
  if (spec.layout == DataLayout::kNhwc) {
    throw Error(ErrorKind::kUsage, Text("data '", spec.text, "': option layout: models take image ",
                                        "files as nchw; nhwc is of npz arrays"));
  }
  DatasetFiles files;
  files.num_classes = listing.num_classes;
  files.classes = listing.classes;
  for (const ImageListing::Entry& entry : OfSplit(listing, spec, &files.is_split)) {
    reading->files.push_back(entry.file);
    if (files.num_classes > 0) files.labels.push_back(entry.label);
  }
  files.num_images = static_cast<int64_t>(reading->files.size());
  // ImageNet's.
  files.preprocessing = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  if (reading->channels == 1) files.preprocessing = {{0.449f}, {0.226f}};
  files.preprocessing.resize = reading->resize;
  files.preprocessing.crop = reading->crop;
  files.augmentation = {.flip = true, .shift = reading->crop / 8};
  files.read = [reading](const std::vector<int64_t>& indices) { return Read(*reading, indices); };
  return files;
}

}  // namespace fettle
