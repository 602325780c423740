#include "tests/support/model_zoo.h"

#include <iterator>

#include "fettle/core/error.h"
#include "tests/support/zoo/families.h"

namespace fettle {
namespace {

struct Row {
  std::string_view name;
  std::string (*make)(const ModelOptions&);
  int64_t extent;
  int64_t classes;
  int64_t parameters;
};

constexpr Row kRows[] = {
    {"alexnet", MakeAlexNet, 224, 1000, 61'100'840},
    {"densenet121", MakeDenseNet121, 224, 1000, 7'978'856},
    {"googlenet", MakeGoogLeNet, 224, 1000, 6'624'904},
    {"inception_v1", MakeInceptionV1, 224, 1000, 6'998'552},
    {"mobilenet_v1", MakeMobileNetV1, 224, 1000, 4'231'976},
    {"mobilenet_v2", MakeMobileNetV2, 224, 1000, 3'504'872},
    {"resnet18", MakeResNet18, 224, 1000, 11'689'512},
    {"resnet20", MakeResNet20, 32, 10, 269'722},
    {"resnet50", MakeResNet50, 224, 1000, 25'557'032},
    {"resnext50_32x4d", MakeResNeXt50, 224, 1000, 25'028'904},
    {"shufflenet_g4", MakeShuffleNet, 224, 1000, 1'968'344},
    {"squeezenet1_1", MakeSqueezeNet, 224, 1000, 1'235'496},
    {"vgg19", MakeVgg19, 224, 1000, 143'667'240},
    {"wrn_16_1", MakeWrn16x1, 32, 10, 175'066},
    {"wrn_16_2", MakeWrn16x2, 32, 10, 691'674},
    {"wrn_40_2", MakeWrn40x2, 32, 10, 2'243'546},
};

const Row& RowOf(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row;
  }
  std::string names;
  for (const Row& row : kRows) names.append(names.empty() ? "" : ", ").append(row.name);
  throw BadInput("'", name, "' is not one of the zoo's models: ", names);
}

}  // namespace

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

ModelFacts FactsOf(std::string_view name) {
  const Row& row = RowOf(name);
  return {3, row.extent, row.classes, row.parameters};
}

std::string MakeModel(std::string_view name, const ModelOptions& options) {
  return RowOf(name).make(options);
}

}  // namespace fettle
