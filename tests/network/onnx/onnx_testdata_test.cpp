#include "tests/support/onnx_testdata.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "fettle/network/onnx/export.h"
#include "tests/network/onnx/model_builder.h"

// Every model of libonnx-testdata: imported with the recorded types and, where all is known at
// import, the recorded values, and the same again after an export; or left out for a reason that is
// listed here.

namespace fettle {
namespace {

// The first that a case's reason contains is why it is left out; how many are.
const std::vector<std::pair<std::string, int>> kReasons = {
    {"is not an operator that Fettle knows", 520},
    {"recorded values that are no tensors of Fettle's types", 65},
    {"is only computed at import", 8},
    {"names no opset", 7},  // of the training preview's domain alone
    {"opset 1 is not supported", 11},
    {"operators of the domain 'ai.onnx.preview.training'", 2},
    {"runs a subgraph", 4},
    {"a window over 3 axes", 15},
    {"the mode 'cubic'", 9},
    {"the coordinate_transformation_mode 'tf_", 2},
    {"the Indices of the maxima are not computed", 2},
    {"the mask is not computed", 5},
    {"training form", 2},
    {"training_mode ('t') is only known at run time", 3},
    {"the attribute broadcast of opset 6", 5},
};

// What is left out although Fettle has its operator, its types and its rank of window.
const std::set<std::string> kOperatorsInOtherForms = {
    "test_batchnorm_epsilon_training_mode",
    "test_batchnorm_example_training_mode",
    "test_dropout_default_mask",
    "test_dropout_default_mask_ratio",
    "test_maxpool_with_argmax_2d_precomputed_pads",
    "test_maxpool_with_argmax_2d_precomputed_strides",
    "test_operator_add_broadcast",
    "test_operator_add_size1_broadcast",
    "test_operator_add_size1_right_broadcast",
    "test_operator_add_size1_singleton_broadcast",
    "test_operator_addconstant",
    "test_resize_downsample_scales_cubic",
    "test_resize_downsample_scales_cubic_A_n0p5_exclude_outside",
    "test_resize_downsample_scales_cubic_align_corners",
    "test_resize_downsample_sizes_cubic",
    "test_resize_downsample_sizes_nearest_tf_half_pixel_for_nn",
    "test_resize_tf_crop_and_resize",
    "test_resize_upsample_scales_cubic",
    "test_resize_upsample_scales_cubic_A_n0p5_exclude_outside",
    "test_resize_upsample_scales_cubic_align_corners",
    "test_resize_upsample_scales_cubic_asymmetric",
    "test_resize_upsample_sizes_cubic",
    "test_training_dropout",
    "test_training_dropout_default",
    "test_training_dropout_default_mask",
    "test_training_dropout_mask",
    "test_training_dropout_zero_ratio",
    "test_training_dropout_zero_ratio_mask",
};
constexpr size_t kFirstOtherForm = 8;  // in kReasons

// Bit for bit, except that sums and products of floats may be in another order.
void ExpectValues(const Tensor& found, const Tensor& recorded, const std::string& name) {
  ASSERT_EQ(found.type(), recorded.type());
  const bool is_reduced = name.starts_with("test_reduce_");
  if (!is_reduced || found.dtype() != DType::kF32) {
    EXPECT_EQ(found, recorded);
    return;
  }
  for (size_t i = 0; i < found.values<float>().size(); ++i) {
    const float expected = recorded.values<float>()[i];
    EXPECT_NEAR(found.values<float>()[i], expected, 1e-5 * std::abs(expected));
  }
}

struct Tally {
  std::map<std::string, int> imported;  // by group
  int constant = 0;                     // of these, wholly computed at import
  std::vector<int> left_out = std::vector<int>(kReasons.size(), 0);
  std::set<std::string> other_forms;
};

void Check(const OnnxTestCase& test, Tally* tally) {
  ASSERT_FALSE(test.sets.empty());
  const LoadedOnnxTestCase loaded = LoadOnnxTestCase(test, test.sets[0]);
  if (!loaded.graph) {
    for (size_t i = 0; i < kReasons.size(); ++i) {
      if (loaded.reason.find(kReasons[i].first) == std::string::npos) continue;
      ++tally->left_out[i];
      if (i >= kFirstOtherForm) tally->other_forms.insert(test.name);
      return;
    }
    ADD_FAILURE() << "left out for no listed reason: " << loaded.reason;
    return;
  }
  ++tally->imported[test.group];
  const Graph& graph = *loaded.graph;
  ASSERT_EQ(graph.inputs().size(), loaded.inputs.size());
  ASSERT_EQ(graph.outputs().size(), loaded.outputs.size());
  for (size_t i = 0; i < loaded.inputs.size(); ++i) {
    EXPECT_EQ(graph.value(graph.inputs()[i]).type, loaded.inputs[i].type());
  }
  bool is_constant = true;
  for (size_t i = 0; i < loaded.outputs.size(); ++i) {
    const Value& output = graph.value(graph.outputs()[i]);
    EXPECT_EQ(TypeText(output.type), TypeText(loaded.outputs[i].type()));
    is_constant = is_constant && output.constant != nullptr;
    if (output.constant != nullptr) ExpectValues(*output.constant, loaded.outputs[i], test.name);
  }
  tally->constant += is_constant ? 1 : 0;
  EXPECT_EQ(DescriptionOf(ImportBytes(ExportOnnxBytes(graph), {.widen_halves = false})),
            DescriptionOf(graph));
}

TEST(OnnxTestdataTest, EveryCaseIsImportedOrLeftOutForAListedReason) {
  const std::vector<OnnxTestCase> cases = OnnxTestCases();
  ASSERT_EQ(cases.size(), 1072u) << "is libonnx-testdata 1.12 installed?";
  Tally tally;
  for (const OnnxTestCase& test : cases) {
    SCOPED_TRACE(test.group + "/" + test.name);
    Check(test, &tally);
  }
  EXPECT_EQ(tally.imported["node"], 331);
  EXPECT_EQ(tally.imported["simple"], 5);
  EXPECT_EQ(tally.imported["pytorch-operator"], 23);
  EXPECT_EQ(tally.imported["pytorch-converted"], 53);
  EXPECT_EQ(tally.constant, 143);
  for (size_t i = 0; i < kReasons.size(); ++i) {
    EXPECT_EQ(tally.left_out[i], kReasons[i].second) << kReasons[i].first;
  }
  for (const std::string& name : tally.other_forms) {
    EXPECT_TRUE(kOperatorsInOtherForms.contains(name)) << name << " is left out unlisted";
  }
  EXPECT_EQ(tally.other_forms.size(), kOperatorsInOtherForms.size());
}

}  // namespace
}  // namespace fettle
