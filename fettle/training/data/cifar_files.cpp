// CIFAR's binary files: for each image one or two labels, then 3x32x32 bytes.
#include "fettle/core/error.h"
#include "fettle/training/data/dataset_format.h"
#include "fettle/training/data/gzip_file.h"

namespace fettle {
namespace {

struct Files {
  std::vector<std::string> names;
  int64_t images_each = 0;
  size_t label_bytes = 1;
  size_t label = 0;  // which of them counts
};

DatasetFiles Open(const DataSpec& spec, const Files& files, int64_t num_classes) {
  DatasetFiles result;
  result.num_classes = num_classes;
  result.num_images = files.images_each * static_cast<int64_t>(files.names.size());
  result.is_split = spec.split == DataSplit::kTest;
  result.augmentation = {.flip = true, .shift = 4};  // He et al. 2015, 4.2
  Tensor images(TensorType{DType::kU8, {result.num_images, 3, 32, 32}});
  constexpr size_t kImageBytes = size_t{3} * 32 * 32;
  std::byte* to = images.bytes();
  for (const std::string& name : files.names) {
    GzipFile file(PlainOrGzip(spec.place, name));
    for (int64_t i = 0; i < files.images_each; ++i, to += kImageBytes) {
      std::vector<std::byte> labels(files.label_bytes);
      file.Read(labels);
      file.Read({to, kImageBytes});
      result.labels.push_back(static_cast<int32_t>(labels[files.label]));
    }
    file.ExpectEnd();
    CheckLabels(file.path(), result.labels, num_classes);
  }
  result.read = FromMemory(std::move(images));
  return result;
}

}  // namespace

DatasetFiles OpenCifar10(const DataSpec& spec) {
  Files files{{"test_batch.bin"}, 10'000};
  if (spec.split != DataSplit::kTest) {
    files.names.clear();
    for (int i = 1; i <= 5; ++i) files.names.push_back(Text("data_batch_", i, ".bin"));
  }
  DatasetFiles result = Open(spec, files, 10);
  result.preprocessing = {{0.4914f, 0.4822f, 0.4465f}, {0.2470f, 0.2435f, 0.2616f}};
  return result;
}

// A coarse label of 20, then a fine one of 100.
DatasetFiles OpenCifar100(const DataSpec& spec) {
  Files files{{"test.bin"}, 10'000, 2, 1};
  if (spec.split != DataSplit::kTest) files = {{"train.bin"}, 50'000, 2, 1};
  files.label = spec.has_coarse_labels ? 0 : 1;
  DatasetFiles result = Open(spec, files, spec.has_coarse_labels ? 20 : 100);
  result.preprocessing = {{0.5071f, 0.4865f, 0.4409f}, {0.2673f, 0.2564f, 0.2762f}};
  return result;
}

}  // namespace fettle
