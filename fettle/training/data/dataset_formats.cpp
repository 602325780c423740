#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include "fettle/core/error.h"
#include "fettle/training/data/dataset_format.h"

namespace fettle {
namespace {

constexpr std::array kFormats = {
    DatasetFormat{"fashion-mnist", "fashion-mnist[:FOLDER]", "/usr/share/datasets/fashion-mnist",
                  "", OpenFashionMnist},
    DatasetFormat{"mnist", "mnist:FOLDER", "", "", OpenMnist},
    DatasetFormat{"cifar10", "cifar10:FOLDER", "", "", OpenCifar10},
    DatasetFormat{"cifar100", "cifar100:FOLDER", "", ", labels=coarse", OpenCifar100},
    DatasetFormat{"images", "images:FOLDER", "", ", resize, size, crop, channels, layout, classes",
                  OpenImageFiles},
    DatasetFormat{"npz", "npz:FILE", "", ", layout, classes", OpenNpz},
};

}  // namespace

std::span<const DatasetFormat> DatasetFormats() { return kFormats; }

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

std::function<Tensor(const std::vector<int64_t>&)> FromMemory(Tensor images) {
  const auto shared = std::make_shared<const Tensor>(std::move(images));
  return [shared](const std::vector<int64_t>& indices) { return ImagesAt(*shared, indices); };
}

}  // namespace fettle
