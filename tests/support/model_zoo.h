#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fettle {

constexpr int64_t kDynamicBatch = 0;  // left open in the file, as "N"

struct ModelOptions {
  uint64_t seed = 1;
  int64_t batch = 1;
  int opset = 17;  // 7 or newer
};

// Networks of the literature with random weights and batch norm that does something, for tests and
// measurements; docs/testing.md says what is particular to each. Input "input", f32
// [batch, 3, 224, 224] or [batch, 3, 32, 32]; output "output" [batch, 1000] or [batch, 10].
std::vector<std::string> ModelNames();

struct ModelFacts {
  int64_t channels = 3;
  int64_t extent = 0;      // of the image
  int64_t classes = 0;     // of the output
  int64_t parameters = 0;  // that are trained, as published: batch norm's mean and variance are not
};
ModelFacts FactsOf(std::string_view name);

// The ONNX file. The same bytes for the same name and options, everywhere.
std::string MakeModel(std::string_view name, const ModelOptions& options = {});

}  // namespace fettle
