#include "fettle/tuner/preprocessing_json.h"

#include <nlohmann/json.hpp>

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

Json PixelsOrNull(int64_t pixels) { return pixels == 0 ? Json(nullptr) : Json(pixels); }

}  // namespace

std::string PreprocessingJson(const Dataset& dataset) {
  const Shape image = dataset.ImageShape();
  const Preprocessing& how = dataset.preprocessing;
  Json json = {{"layout", "nchw"},
               {"channels", image[0]},
               {"height", image[1]},
               {"width", image[2]},
               {"resize", PixelsOrNull(how.resize)},
               {"crop", PixelsOrNull(how.crop)},
               {"pad", how.pad},
               {"scale", how.scale},
               {"mean", how.mean},
               {"std", how.deviation}};
  return json.dump();
}

}  // namespace fettle
