#include "fettle/network/architectures/architecture_list.h"

#include <algorithm>
#include <string>

#include "fettle/core/error.h"
#include "fettle/network/architectures/mobilenet.h"
#include "fettle/network/architectures/resnet.h"

namespace fettle {
namespace {

template <int64_t kDepth>
Graph ResNet(const Shape& image, int64_t classes, uint64_t seed) {
  return MakeResNet(kDepth, image, classes, seed);
}

template <int64_t kDepth, int64_t kWidth>
Graph WideResNet(const Shape& image, int64_t classes, uint64_t seed) {
  return MakeWideResNet(kDepth, kWidth, image, classes, seed);
}

}  // namespace

const std::vector<Architecture>& Architectures() {
  static const std::vector<Architecture> architectures{
      {"mobilenetv2-small", MakeMobileNetV2Small},
      {"resnet20", ResNet<20>},
      {"resnet32", ResNet<32>},
      {"resnet56", ResNet<56>},
      {"resnet8", ResNet<8>},
      {"wrn-16-1", WideResNet<16, 1>},
      {"wrn-16-2", WideResNet<16, 2>},
      {"wrn-40-2", WideResNet<40, 2>},
  };
  return architectures;
}

Graph MakeArchitecture(std::string_view name, const Shape& image, int64_t classes, uint64_t seed) {
  constexpr int64_t kMost = 4096;
  const auto is_odd = [](int64_t extent) { return extent < 1 || extent > kMost; };
  if (image.size() != 3 || std::any_of(image.begin(), image.end(), is_odd) || classes < 1) {
    throw Error(ErrorKind::kUsage,
                Text("no network for images of ", ShapeText(image), " and ", classes, " classes"));
  }
  std::string known;
  for (const Architecture& architecture : Architectures()) {
    if (architecture.name == name) return architecture.make(image, classes, seed);
    known.append(known.empty() ? "" : ", ").append(architecture.name);
  }
  throw Error(ErrorKind::kUsage, Text("no architecture '", name, "'; known are ", known));
}

}  // namespace fettle
