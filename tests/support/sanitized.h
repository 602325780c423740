#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace fettle {

// Whether the address sanitizer watches, which makes everything several times as slow: tests of
// many similar cases take fewer then.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

// Whether to run this network of the zoo would take minutes for that.
inline bool TakesMinutesSanitized(std::string_view network) {
  constexpr std::string_view kHeavy[] = {"vgg19", "alexnet", "densenet121", "resnext50_32x4d",
                                         "resnet50"};
  return kIsSanitized && std::ranges::find(kHeavy, network) != std::end(kHeavy);
}

}  // namespace fettle
