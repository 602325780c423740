// The single-operator models of Debian's libonnx-testdata, with their recorded values.
#include "tests/support/onnx_testdata.h"

#include <gtest/gtest.h>

#include <map>

#include "fettle/core/error.h"
#include "fettle/network/onnx/import.h"
#include "tests/deploy/network_run.h"
#include "tests/support/test_tensors.h"

namespace fettle {
namespace {

constexpr double kTolerance = 1e-4;

// What is imported but not computed, and why.
const std::map<std::string, std::string> kNotComputed = {
    {"test_add_uint8", "arithmetic of integers"},
    {"test_sub_uint8", "arithmetic of integers"},
    {"test_mul_uint8", "arithmetic of integers"},
    {"test_div_uint8", "arithmetic of integers"},
    {"test_maxpool_2d_uint8", "arithmetic of integers"},
    {"test_clip_default_int8_min", "arithmetic of integers"},
    {"test_clip_default_int8_max", "arithmetic of integers"},
    {"test_clip_default_int8_inbounds", "arithmetic of integers"},
    {"test_operator_non_float_params", "arithmetic of integers"},
    {"test_resize_downsample_scales_linear_align_corners",
     "corners are aligned to the output's whole size, as ONNX Runtime does, not to 2.4 elements"},
};

// Weights are inputs in these models and constants in networks: all inputs but the first are fixed
// where the runtime wants them so.
std::vector<Tensor> RunCase(const OnnxTestCase& test, const LoadedOnnxTestCase& loaded) {
  try {
    return RunNetwork(*loaded.graph, loaded.inputs);
  } catch (const Error& error) {
    if (std::string_view(error.what()).find("must be a constant") == std::string_view::npos) throw;
  }
  ImportOptions options;
  for (size_t i = 1; i < loaded.inputs.size(); ++i) {
    options.constants[loaded.graph->value(loaded.graph->inputs()[i]).name] = loaded.inputs[i];
  }
  return RunNetwork(ImportOnnx(test.folder / "model.onnx", options), {loaded.inputs[0]});
}

TEST(OnnxTestdata, ComputesTheRecordedValues) {
  int computed = 0;
  for (const OnnxTestCase& test : OnnxTestCases()) {
    if (kNotComputed.contains(test.name)) continue;
    for (const std::string& set : test.sets) {
      SCOPED_TRACE(test.group + "/" + test.name + "/" + set);
      const LoadedOnnxTestCase loaded = LoadOnnxTestCase(test, set);
      if (!loaded.graph) continue;  // tests/network/onnx counts these and says why
      try {
        const std::vector<Tensor> outputs = RunCase(test, loaded);
        ASSERT_EQ(outputs.size(), loaded.outputs.size());
        for (size_t i = 0; i < outputs.size(); ++i) {
          if (outputs[i].dtype() == DType::kF16) {  // moved or cast, never computed with
            EXPECT_TRUE(outputs[i] == loaded.outputs[i]);
          } else {
            EXPECT_LE(RelativeError(outputs[i], loaded.outputs[i]), kTolerance);
          }
        }
        ++computed;
      } catch (const Error& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
  RecordProperty("computed", computed);
  EXPECT_GE(computed, 150);
}

}  // namespace
}  // namespace fettle
