#pragma once

#include <charconv>
#include <cstdio>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/tuner/cli/tell_openblas.h"

namespace fettle {

// False where the text is not all of a number above 0.
template <typename T>
bool ParsePositive(std::string_view text, T* value) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return fault == std::errc() && end == text.data() + text.size() && *value > 0;
}

// The main function of a benchmark of primitives: OpenBLAS runs the kernels that it does in
// `fettle`, an Error that `run` throws is printed and its kind the exit code.
inline int BenchmarkMain(int count, char** arguments,
                         void (*run)(const std::vector<std::string_view>& arguments)) {
  TellOpenblas(arguments);
  try {
    run({arguments + 1, arguments + count});
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.kind());
  }
}

}  // namespace fettle
