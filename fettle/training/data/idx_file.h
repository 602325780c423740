#pragma once

#include <string>

#include "fettle/core/tensor.h"

namespace fettle {

// The bytes (u8) of a file in MNIST's IDX format, plain or gzip: two zero bytes, the element type,
// the number of axes, the extents (32 bits, big-endian), the elements row-major. Throws an Error
// for a file that is not such a file, has another number of axes, or another length than its
// header says.
Tensor ReadIdxFile(const std::string& path, size_t axes);

}  // namespace fettle
