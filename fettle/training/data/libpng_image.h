#pragma once

#include "fettle/training/data/image.h"

namespace fettle {

// Any PNG: palettes, 16 bits and grey are converted, transparent pixels stand on black. Throws as
// DecodeImage.
Image DecodePng(const std::string& bytes, int64_t channels, const std::string& name);

}  // namespace fettle
