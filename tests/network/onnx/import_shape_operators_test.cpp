#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <limits>

#include "tests/network/onnx/model_builder.h"

namespace fettle {
namespace {

using testing::HasSubstr;

const std::vector<Shape> kX = {{2, 3, 4}};
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST(ImportReshapeTest, CopiesAndInfersExtents) {
  EXPECT_EQ(OpsOf(OneNode{13, "Reshape", kX, {}, {I64({0, -1})}}), "reshape(shape=2x12)");
  EXPECT_EQ(OpsOf(OneNode{5 + 2, "Reshape", kX, {}, {I64({4, 0, -1})}}), "reshape(shape=4x3x2)");
  EXPECT_EQ(OpsOf(OneNode{13, "Reshape", {{1, 1}}, {}, {I64({})}}), "reshape(shape=none)");
  EXPECT_EQ(OpsOf(OneNode{14, "Reshape", {{0, 3}}, {{"allowzero", 1}}, {I64({5, 0})}}),
            "reshape(shape=5x0)");
}

TEST(ImportReshapeTest, RefusesWhatDoesNotFit) {
  const auto fault = [](const Ints& shape) {
    return FaultOf(OneNode{13, "Reshape", kX, {}, {I64(shape)}});
  };
  EXPECT_THAT(fault({-1, -1}), HasSubstr("leaves the axes 0 and 1 open"));
  EXPECT_THAT(fault({5, -1}), HasSubstr("axis 1 has no fitting extent"));
  EXPECT_THAT(fault({5, 5}), HasSubstr("cannot reshape 2x3x4 to 5x5"));
  EXPECT_THAT(fault({-2, 12}), HasSubstr("wants an extent of -2"));
  EXPECT_THAT(fault({2, 3, 4, 0}), HasSubstr("keeps axis 3 of an input 2x3x4"));
  EXPECT_THAT(fault({kMost, kMost, -1}), HasSubstr("no fitting extent"));
  EXPECT_THAT(FaultOf(OneNode{13, "Reshape", {{4}, {2}}}),
              HasSubstr("its shape ('x1') is only known at run time"));
}

TEST(ImportReshapeTest, FlattenSqueezeUnsqueeze) {
  EXPECT_EQ(OpsOf(OneNode{13, "Flatten", kX}), "reshape(shape=2x12)");
  EXPECT_EQ(OpsOf(OneNode{9, "Flatten", kX, {{"axis", 0}}}), "reshape(shape=1x24)");
  EXPECT_EQ(OpsOf(OneNode{13, "Flatten", kX, {{"axis", -1}}}), "reshape(shape=6x4)");
  EXPECT_EQ(OpsOf(OneNode{13, "Flatten", kX, {{"axis", 3}}}), "reshape(shape=24x1)");
  EXPECT_THAT(FaultOf(OneNode{13, "Flatten", kX, {{"axis", 4}}}), HasSubstr("axis 4 of 3 axes"));

  const std::vector<Shape> ones = {{1, 3, 1, 4}};
  EXPECT_EQ(OpsOf(OneNode{11, "Squeeze", ones}), "reshape(shape=3x4)");
  EXPECT_EQ(OpsOf(OneNode{11, "Squeeze", ones, {{"axes", Ints{-2}}}}), "reshape(shape=1x3x4)");
  EXPECT_EQ(OpsOf(OneNode{13, "Squeeze", ones, {}, {I64({0})}}), "reshape(shape=3x1x4)");
  EXPECT_THAT(FaultOf(OneNode{13, "Squeeze", ones, {}, {I64({1})}}),
              HasSubstr("squeezes axis 1 of 1x3x1x4"));

  EXPECT_EQ(OpsOf(OneNode{11, "Unsqueeze", kX, {{"axes", Ints{3, 0}}}}),
            "reshape(shape=1x2x3x1x4)");
  EXPECT_EQ(OpsOf(OneNode{13, "Unsqueeze", kX, {}, {I64({-1})}}), "reshape(shape=2x3x4x1)");
  EXPECT_THAT(FaultOf(OneNode{13, "Unsqueeze", kX, {}, {I64({0, -5})}}), HasSubstr("axis 0 twice"));
  EXPECT_THAT(FaultOf(OneNode{13, "Unsqueeze", kX}), HasSubstr("has no axes"));
}

TEST(ImportReshapeTest, Transpose) {
  EXPECT_EQ(OpsOf(OneNode{13, "Transpose", kX}), "transpose(permutation=2x1x0)");
  EXPECT_EQ(OpsOf(OneNode{13, "Transpose", kX, {{"perm", Ints{1, 0, 2}}}}),
            "transpose(permutation=1x0x2)");
  EXPECT_THAT(FaultOf(OneNode{13, "Transpose", kX, {{"perm", Ints{1, 1, 2}}}}),
              HasSubstr("not a permutation"));
}

TEST(ImportSliceTest, InBothForms) {
  EXPECT_EQ(
      OpsOf(OneNode{9, "Slice", kX, {{"starts", Ints{1}}, {"ends", Ints{2}}, {"axes", Ints{1}}}}),
      "slice(starts=0x1x0,ends=2x2x4,steps=1x1x1)");
  EXPECT_EQ(OpsOf(OneNode{9, "Slice", kX, {{"starts", Ints{1, 0}}, {"ends", Ints{2, 2}}}}),
            "slice(starts=1x0x0,ends=2x2x4,steps=1x1x1)");
  EXPECT_EQ(OpsOf(OneNode{13, "Slice", kX, {}, {I64({1}), I64({2}), I64({-1})}}),
            "slice(starts=0x0x1,ends=2x3x2,steps=1x1x1)");
}

std::string SliceText(int64_t start, int64_t end, int64_t step) {
  return OpsOf(OneNode{13, "Slice", {{5}}, {}, {I64({start}), I64({end}), I64({0}), I64({step})}});
}

TEST(ImportSliceTest, ClampsAndCountsFromTheEnd) {
  EXPECT_EQ(SliceText(-3, -1, 1), "slice(starts=2,ends=4,steps=1)");
  EXPECT_EQ(SliceText(-99, kMost, 2), "slice(starts=0,ends=5,steps=2)");
  EXPECT_EQ(SliceText(7, 9, 1), "slice(starts=5,ends=5,steps=1)");
  EXPECT_EQ(SliceText(-1, kLeast, -1), "slice(starts=4,ends=-1,steps=-1)");
  EXPECT_EQ(SliceText(kMost, -4, -2), "slice(starts=4,ends=1,steps=-2)");
  EXPECT_EQ(SliceText(0, 5, kMost), "slice(starts=0,ends=5,steps=2147483647)");
}

TEST(ImportSliceTest, RefusesWhatMakesNoSense) {
  const auto fault = [](const Ints& starts, const Ints& ends, const Ints& axes, const Ints& steps) {
    return FaultOf(OneNode{13, "Slice", kX, {}, {I64(starts), I64(ends), I64(axes), I64(steps)}});
  };
  EXPECT_THAT(fault({0}, {1}, {0}, {0}), HasSubstr("step 0"));
  EXPECT_THAT(fault({0, 0}, {1}, {0}, {1}), HasSubstr("have 2, 1, 1 and 1 entries"));
  EXPECT_THAT(fault({0, 0}, {1, 1}, {0, -3}, {1, 1}), HasSubstr("axis 0 twice"));
  EXPECT_THAT(FaultOf(OneNode{13, "Slice", {{4}, {1}, {1}}}),
              HasSubstr("its starts ('x1') is only known at run time"));
}

TEST(ImportSplitTest, InAllForms) {
  const std::vector<Shape> x = {{7, 6}};
  EXPECT_EQ(OpsOf(OneNode{11, "Split", x, {{"axis", 1}, {"split", Ints{2, 4}}}, {}, 2}),
            "split(axis=1,sizes=2x4)");
  EXPECT_EQ(OpsOf(OneNode{13, "Split", x, {{"axis", -1}}, {I64({1, 5})}, 2}),
            "split(axis=1,sizes=1x5)");
  EXPECT_EQ(OpsOf(OneNode{13, "Split", x, {{"axis", 1}}, {}, 3}), "split(axis=1,sizes=2x2x2)");
  EXPECT_EQ(OpsOf(OneNode{18, "Split", x, {{"num_outputs", 3}}, {}, 3}),
            "split(axis=0,sizes=3x3x1)");
  const Graph graph = ImportProto(ModelOf(OneNode{13, "Split", x, {{"axis", 1}}, {}, 3}));
  EXPECT_EQ(graph.value(graph.outputs()[2]).name, "y2");
}

TEST(ImportSplitTest, RefusesWhatDoesNotFit) {
  const std::vector<Shape> x = {{7, 6}};
  EXPECT_THAT(FaultOf(OneNode{13, "Split", x, {}, {}, 2}),
              HasSubstr("cannot split 7 elements into 2 equal parts"));
  EXPECT_THAT(FaultOf(OneNode{13, "Split", x, {}, {I64({3, 4})}, 3}),
              HasSubstr("splits into 2 parts, but has 3 outputs"));
  EXPECT_THAT(FaultOf(OneNode{13, "Split", x, {}, {I64({3, 3})}, 2}), HasSubstr("sizes 3x3"));
  EXPECT_THAT(FaultOf(OneNode{18, "Split", x, {{"num_outputs", 1000000000}}, {}, 2}),
              HasSubstr("splits into 1000000000 parts"));
}

TEST(ImportConcatTest, ResolvesItsAxis) {
  EXPECT_EQ(OpsOf(OneNode{13, "Concat", {{2, 3}, {2, 5}}, {{"axis", -1}}}), "concat(axis=1)");
  EXPECT_THAT(FaultOf(OneNode{13, "Concat", {{2, 3}}}), HasSubstr("has no attribute axis"));
  EXPECT_THAT(FaultOf(OneNode{13, "Concat", {{2, 3}, {3, 3}}, {{"axis", 1}}}),
              HasSubstr("an input is f32[3x3], expected 2x3"));
}

TEST(ImportPadTest, InAllForms) {
  const std::vector<Shape> x = {{3, 4}};
  EXPECT_EQ(OpsOf(OneNode{10, "Pad", x, {{"pads", Ints{0, 1, 2, -1}}, {"value", 0.5}}}),
            "pad(mode=constant,begin=0x1,end=2x-1,value=0.5)");
  EXPECT_EQ(OpsOf(OneNode{11, "Pad", x, {{"mode", "reflect"}}, {I64({0, 1, 2, 0})}}),
            "pad(mode=reflect,begin=0x1,end=2x0,value=0)");
  EXPECT_EQ(OpsOf(OneNode{13, "Pad", x, {{"mode", "edge"}}, {I64({0, 1, 2, 0}), Scalar(7)}}),
            "pad(mode=edge,begin=0x1,end=2x0,value=7)");
  EXPECT_EQ(OpsOf(OneNode{18, "Pad", x, {}, {I64({1, 2}), Tensor(), I64({-1})}}),
            "pad(mode=constant,begin=0x1,end=0x2,value=0)");
}

TEST(ImportPadTest, RefusesWhatItMust) {
  const std::vector<Shape> x = {{3, 4}};
  EXPECT_THAT(FaultOf(OneNode{19, "Pad", x, {{"mode", "wrap"}}, {I64({0, 0, 0, 0})}}),
              HasSubstr("the mode 'wrap'"));
  EXPECT_THAT(FaultOf(OneNode{13, "Pad", x, {}, {I64({1, 2})}}),
              HasSubstr("pads has 2 entries, expected 4"));
  EXPECT_THAT(FaultOf(OneNode{13, "Pad", x, {}, {I64({-9, 0, 0, 0})}}), HasSubstr("removing"));
}

TEST(ImportResizeTest, ByScalesOrSizes) {
  const std::vector<Shape> x = {{1, 1, 2, 4}};
  EXPECT_EQ(OpsOf(OneNode{11, "Resize", x, {{"mode", "linear"}}, {Tensor(), F32({1, 1, 2, 0.6f})}}),
            "resize(mode=linear,coordinates=half_pixel,rounding=round_prefer_floor,"
            "scales=1x1x2x0.6,sizes=1x1x4x2)");
  EXPECT_EQ(OpsOf(OneNode{13,
                          "Resize",
                          x,
                          {{"nearest_mode", "ceil"},
                           {"coordinate_transformation_mode", "align_corners"},
                           {"cubic_coeff_a", -0.5}},
                          {Tensor(), Tensor(), I64({1, 1, 4, 6})}}),
            "resize(mode=nearest,coordinates=align_corners,rounding=ceil,scales=1x1x2x1.5,"
            "sizes=1x1x4x6)");
}

TEST(ImportResizeTest, Opset18SelectsAxesAndKeepsRatios) {
  const std::vector<Shape> x = {{1, 1, 2, 4}};
  const OnnxAttribute axes = {"axes", Ints{3, 2}};
  const std::string prefix =
      "resize(mode=nearest,coordinates=half_pixel,rounding=round_prefer_floor,";
  EXPECT_EQ(OpsOf(OneNode{18, "Resize", x, {axes}, {Tensor(), Tensor(), I64({6, 4})}}),
            prefix + "scales=1x1x2x1.5,sizes=1x1x4x6)");
  EXPECT_EQ(OpsOf(OneNode{18,
                          "Resize",
                          x,
                          {axes, {"keep_aspect_ratio_policy", "not_larger"}},
                          {Tensor(), Tensor(), I64({6, 4})}}),
            prefix + "scales=1x1x1.5x1.5,sizes=1x1x3x6)");
  EXPECT_EQ(OpsOf(OneNode{18,
                          "Resize",
                          x,
                          {axes, {"keep_aspect_ratio_policy", "not_smaller"}},
                          {Tensor(), Tensor(), I64({6, 4})}}),
            prefix + "scales=1x1x2x2,sizes=1x1x4x8)");
}

TEST(ImportResizeTest, KeptRatiosStayInBounds) {
  EXPECT_THAT(FaultOf(OneNode{18,
                              "Resize",
                              {{1, 1 << 20}},
                              {{"keep_aspect_ratio_policy", "not_smaller"}},
                              {Tensor(), Tensor(), I64({1 << 30, 1})}}),
              HasSubstr("resizes axis 1 to"));
}

TEST(ImportResizeTest, SymmetricHalfPixelsWhereTheyAreHalfPixels) {
  const OnnxAttribute mode = {"coordinate_transformation_mode", "half_pixel_symmetric"};
  EXPECT_THAT(OpsOf(OneNode{19, "Resize", {{1, 1, 2}}, {mode}, {Tensor(), F32({1, 1, 2})}}),
              HasSubstr("coordinates=half_pixel,"));
  EXPECT_THAT(FaultOf(OneNode{19, "Resize", {{1, 1, 3}}, {mode}, {Tensor(), F32({1, 1, 1.5f})}}),
              HasSubstr("half_pixel_symmetric with scale 1.5 of an axis of 3"));
}

TEST(ImportResizeTest, OlderForms) {
  const std::vector<Shape> x = {{1, 1, 2, 4}};
  const std::string text = "coordinates=asymmetric,rounding=floor,scales=1x1x2x1.5,sizes=1x1x4x6)";
  const std::vector<float> scales = {1, 1, 2, 1.5f};
  EXPECT_EQ(OpsOf(OneNode{7, "Upsample", x, {{"scales", scales}}}), "resize(mode=nearest," + text);
  EXPECT_EQ(OpsOf(OneNode{9, "Upsample", x, {{"mode", "linear"}}, {F32(scales)}}),
            "resize(mode=linear," + text);
  EXPECT_EQ(OpsOf(OneNode{10, "Resize", x, {}, {F32(scales)}}), "resize(mode=nearest," + text);
  EXPECT_EQ(OutputsOf(OneNode{10, "Resize", x, {}, {F32({1, 1, 1, 0.5})}}), "1x1x2x2");
  EXPECT_THAT(FaultOf(OneNode{10, "Resize", x, {}, {F32({1, 1, 1, 0.6f})}}),
              HasSubstr("opset 10's nearest with scale 0.6"));
  EXPECT_THAT(FaultOf(OneNode{9, "Upsample", x, {}, {F32({1, 1, 1, 0.5})}}),
              HasSubstr("upsamples by 0.5"));
  EXPECT_THAT(FaultOf(OneNode{10, "Upsample", x, {}, {F32(scales)}}), HasSubstr("opset 9"));
}

TEST(ImportResizeTest, RefusesWhatItMust) {
  const std::vector<Shape> x = {{1, 1, 2, 4}};
  const std::vector<Tensor> doubled = {Tensor(), F32({1, 1, 2, 2})};
  const auto fault = [&](const OnnxAttribute& attribute) {
    return FaultOf(OneNode{18, "Resize", x, {attribute}, doubled});
  };
  EXPECT_THAT(fault({"mode", "cubic"}), HasSubstr("the mode 'cubic'"));
  EXPECT_THAT(fault({"antialias", 1}), HasSubstr("antialias"));
  EXPECT_THAT(fault({"coordinate_transformation_mode", "tf_crop_and_resize"}),
              HasSubstr("the coordinate_transformation_mode 'tf_crop_and_resize'"));
  EXPECT_THAT(fault({"nearest_mode", "x"}), HasSubstr("the nearest_mode 'x'"));
  EXPECT_THAT(FaultOf(OneNode{13, "Resize", x, {}, {Tensor(), F32({1, 2})}}),
              HasSubstr("scales has 2 entries, expected 4"));
  EXPECT_THAT(FaultOf(OneNode{13, "Resize", x, {}, {Tensor(), F32({1, 1, -1, 1})}}),
              HasSubstr("scale -1"));
  EXPECT_THAT(FaultOf(OneNode{13, "Resize", x, {}, {Tensor(), Tensor(), I64({1, 1, 0, 1})}}),
              HasSubstr("resizes axis 2 from 2 to 0"));
  EXPECT_THAT(FaultOf(OneNode{13, "Resize", x}), HasSubstr("needs either scales or sizes"));
}

}  // namespace
}  // namespace fettle
