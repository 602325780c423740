#pragma once

#include "fettle/training/data/image.h"

namespace fettle {

// Any JPEG that libjpeg reads; of four colours (CMYK, YCCK) as Adobe writes them. EXIF's
// orientation is not looked at, as by PIL. Throws as DecodeImage.
Image DecodeJpeg(const std::string& bytes, int64_t channels, const std::string& name);

}  // namespace fettle
