// The single-operator models of Debian's libonnx-testdata, with their recorded values.
#include "tests/support/onnx_testdata.h"

#include <gtest/gtest.h>

#include "fettle/core/error.h"
#include "tests/deploy/network_run.h"
#include "tests/support/test_tensors.h"

namespace fettle {
namespace {

constexpr double kTolerance = 1e-4;

TEST(OnnxTestdata, ComputesTheRecordedValues) {
  int run = 0;
  for (const OnnxTestCase& test : OnnxTestCases()) {
    for (const std::string& set : test.sets) {
      SCOPED_TRACE(test.group + "/" + test.name + "/" + set);
      const LoadedOnnxTestCase loaded = LoadOnnxTestCase(test, set);
      if (!loaded.graph) continue;  // tests/network/onnx counts these and says why
      try {
        const std::vector<Tensor> outputs = RunNetwork(*loaded.graph, loaded.inputs);
        ASSERT_EQ(outputs.size(), loaded.outputs.size());
        for (size_t i = 0; i < outputs.size(); ++i) {
          EXPECT_LE(RelativeError(outputs[i], loaded.outputs[i]), kTolerance);
        }
        ++run;
      } catch (const Error& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
  EXPECT_GE(run, 150);
}

}  // namespace
}  // namespace fettle
