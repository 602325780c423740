#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fettle/core/tensor.h"

namespace fettle {

// NumPy's .npy files, versions 1.0, 2.0 and 3.0 (NEP 1, "A Simple File Format for NumPy Arrays"):
// one array of little-endian f2, f4, f8, i1, i2, i4, i8, u1 or bool. An array in Fortran order is
// transposed into ours, a bool becomes 0 or 1. Files are not trusted: a header that is not the
// plain dictionary that NumPy writes, another element type, or data of another length than the
// shape says throw an Error of kind kBadInput that begins with the file's name.
Tensor ReadNpy(const std::filesystem::path& path);

// The same of a file's content; `name` is what errors call it.
Tensor ParseNpy(std::string_view bytes, std::string_view name);

// What a file's first bytes say of it, before its values are there.
struct NpyHeader {
  TensorType type;
  bool is_fortran = false;  // its first axis is the innermost
  size_t begin = 0;         // of the values
  uint64_t length = 0;      // of the file, with its values
};
NpyHeader ParseNpyHeader(std::string_view bytes, std::string_view name);

// Writes version 1.0, row-major, atomically as WriteFileAtomically does and with its errors. NumPy
// has no bf16: such a tensor is written as f4, which holds every value of it.
void WriteNpy(const std::filesystem::path& path, const Tensor& tensor);

// What WriteNpy writes.
std::string NpyBytes(const Tensor& tensor);

}  // namespace fettle
