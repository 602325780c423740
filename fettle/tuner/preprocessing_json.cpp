#include "fettle/tuner/preprocessing_json.h"

#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

Json PixelsOrNull(int64_t pixels) { return pixels == 0 ? Json(nullptr) : Json(pixels); }

// The shortest decimal that is this float: 0.485 and not 0.48500001430511475.
Json Shortest(float number) {
  char text[32];
  const auto [end, fault] = std::to_chars(std::begin(text), std::end(text), number);
  return Json::parse(text, end);
}

Json Shortest(const std::vector<float>& numbers) {
  Json list = Json::array();
  for (const float number : numbers) list.push_back(Shortest(number));
  return list;
}

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
               {"scale", Shortest(how.scale)},
               {"mean", Shortest(how.mean)},
               {"std", Shortest(how.deviation)}};
  if (!dataset.classes.empty()) json["classes"] = dataset.classes;
  return json.dump();
}

}  // namespace fettle
