#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <limits>

#include "tests/network/onnx/model_builder.h"

// What each operator becomes, form by form and opset by opset.

namespace fettle {
namespace {

using testing::HasSubstr;

const std::vector<Shape> kImage = {{1, 3, 8, 8}};

std::string ConvText(const std::vector<OnnxAttribute>& attributes, const Shape& x = {1, 4, 9, 8},
                     const Shape& w = {6, 4, 3, 3}) {
  return OpsOf(OneNode{11, "Conv", {x, w}, attributes});
}

TEST(ImportConvTest, TakesWhatIsLeftOutFromTheWeights) {
  EXPECT_EQ(ConvText({}),
            "conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=0x0,pads_end=0x0,groups=1)");
  EXPECT_EQ(ConvText({}, {1, 2, 10}, {4, 2, 5}),
            "conv(kernel=5,strides=1,dilations=1,pads_begin=0,pads_end=0,groups=1)");
}

TEST(ImportConvTest, TakesAllAttributes) {
  EXPECT_EQ(ConvText({{"kernel_shape", Ints{3, 3}},
                      {"strides", Ints{2, 1}},
                      {"dilations", Ints{1, 2}},
                      {"pads", Ints{0, 1, 2, 3}},
                      {"group", 2}},
                     {1, 4, 9, 8}, {6, 2, 3, 3}),
            "conv(kernel=3x3,strides=2x1,dilations=1x2,pads_begin=0x1,pads_end=2x3,groups=2)");
}

TEST(ImportConvTest, ResolvesAutoPad) {
  // 9 by stride 2 gives 5 windows, 2 pads; 8 gives 4 windows, the last from 6 to 9: 1 pad.
  const Ints strides = {2, 2};
  EXPECT_EQ(ConvText({{"auto_pad", "SAME_UPPER"}, {"strides", strides}}),
            "conv(kernel=3x3,strides=2x2,dilations=1x1,pads_begin=1x0,pads_end=1x1,groups=1)");
  EXPECT_EQ(ConvText({{"auto_pad", "SAME_LOWER"}, {"strides", strides}}),
            "conv(kernel=3x3,strides=2x2,dilations=1x1,pads_begin=1x1,pads_end=1x0,groups=1)");
  EXPECT_EQ(ConvText({{"auto_pad", "VALID"}, {"strides", strides}}),
            "conv(kernel=3x3,strides=2x2,dilations=1x1,pads_begin=0x0,pads_end=0x0,groups=1)");
  EXPECT_EQ(ConvText({{"auto_pad", "SAME_UPPER"}, {"dilations", Ints{2, 3}}}),
            "conv(kernel=3x3,strides=1x1,dilations=2x3,pads_begin=2x3,pads_end=2x3,groups=1)");
  EXPECT_THAT(FaultOf(OneNode{11, "Conv", {{1, 4, 9, 8}, {6, 4, 3, 3}}, {{"auto_pad", "SAME"}}}),
              HasSubstr("node 'node' (Conv): auto_pad 'SAME'"));
}

TEST(ImportConvTest, RefusesWhatDoesNotFit) {
  const std::vector<Shape> shapes = {{1, 4, 9, 8}, {6, 4, 3, 3}};
  EXPECT_THAT(FaultOf(OneNode{11, "Conv", shapes, {{"kernel_shape", Ints{5, 5}}}}),
              HasSubstr("kernel 5x5 with weights 6x4x3x3"));
  EXPECT_THAT(FaultOf(OneNode{11, "Conv", shapes, {{"pads", Ints{1, 1}}}}),
              HasSubstr("pads has 2 entries, expected 4"));
  EXPECT_THAT(FaultOf(OneNode{11, "Conv", shapes, {{"strides", Ints{0, 1}}}}),
              HasSubstr("strides has the entry 0"));
  EXPECT_THAT(FaultOf(OneNode{11, "Conv", {{1, 1, 4, 4, 4}, {1, 1, 3, 3, 3}}}),
              HasSubstr("a window over 3 axes; only 1 or 2 are"));
  EXPECT_THAT(FaultOf(OneNode{11, "Conv", {{1, 4, 9, 8}}}), HasSubstr("has no input 1"));
}

std::string PoolText(const std::string& op_type, const std::vector<OnnxAttribute>& attributes,
                     const Shape& x, int64_t opset = 19) {
  return OpsOf(OneNode{opset, op_type, {x}, attributes});
}

TEST(ImportPoolTest, TakesItsAttributes) {
  EXPECT_EQ(PoolText("MaxPool",
                     {{"kernel_shape", Ints{3, 2}},
                      {"strides", Ints{2, 1}},
                      {"dilations", Ints{2, 1}},
                      {"storage_order", 1}},
                     {1, 3, 9, 9}),
            "pool(kind=max,kernel=3x2,strides=2x1,dilations=2x1,pads_begin=0x0,pads_end=0x0,"
            "overhang=0x0,count_include_pad=0)");
  EXPECT_EQ(PoolText("AveragePool",
                     {{"kernel_shape", Ints{3}},
                      {"pads", Ints{1, 1}},
                      {"dilations", Ints{2}},
                      {"count_include_pad", 1}},
                     {1, 3, 9}),
            "pool(kind=average,kernel=3,strides=1,dilations=2,pads_begin=1,pads_end=1,overhang=0,"
            "count_include_pad=1)");
}

TEST(ImportPoolTest, CeilModeBecomesOverhang) {
  const OnnxAttribute kernel = {"kernel_shape", Ints{3}}, strides = {"strides", Ints{2}};
  const OnnxAttribute ceil = {"ceil_mode", 1};
  // Windows at 0 and 2 fit in 6 elements; one more at 4 reaches to 7.
  EXPECT_EQ(PoolText("MaxPool", {kernel, strides, ceil}, {1, 1, 6}),
            "pool(kind=max,kernel=3,strides=2,dilations=1,pads_begin=0,pads_end=0,overhang=1,"
            "count_include_pad=0)");
  // 7 elements are used up.
  EXPECT_EQ(PoolText("MaxPool", {kernel, strides, ceil}, {1, 1, 7}),
            "pool(kind=max,kernel=3,strides=2,dilations=1,pads_begin=0,pads_end=0,overhang=0,"
            "count_include_pad=0)");
  // A further window would begin at 4, behind the 3 elements and the pad before them.
  EXPECT_EQ(PoolText("MaxPool", {{"kernel_shape", Ints{2}}, strides, ceil, {"pads", Ints{1, 1}}},
                     {1, 1, 3}),
            "pool(kind=max,kernel=2,strides=2,dilations=1,pads_begin=1,pads_end=1,overhang=0,"
            "count_include_pad=0)");
  // As above, but without rounding the window of 1 would have been there: its pad goes.
  EXPECT_EQ(PoolText("MaxPool", {{"kernel_shape", Ints{1}}, strides, ceil, {"pads", Ints{0, 1}}},
                     {1, 1, 4}),
            "pool(kind=max,kernel=1,strides=2,dilations=1,pads_begin=0,pads_end=0,overhang=0,"
            "count_include_pad=0)");
}

TEST(ImportPoolTest, AutoPadAsForConvolutions) {
  EXPECT_EQ(PoolText("AveragePool", {{"kernel_shape", Ints{2, 2}}, {"auto_pad", "SAME_LOWER"}},
                     {1, 1, 4, 4}, 7),
            "pool(kind=average,kernel=2x2,strides=1x1,dilations=1x1,pads_begin=1x1,pads_end=0x0,"
            "overhang=0x0,count_include_pad=0)");
}

TEST(ImportPoolTest, RefusesTheIndices) {
  const OneNode node{12, "MaxPool", kImage, {{"kernel_shape", Ints{2, 2}}}, {}, 2};
  EXPECT_THAT(FaultOf(node), HasSubstr("the Indices of the maxima are not computed"));
  onnx::ModelProto unread = ModelOf(node);
  unread.mutable_graph()->mutable_output()->RemoveLast();
  EXPECT_EQ(FaultOf(unread), "") << "Indices that nobody reads do no harm";
  EXPECT_THAT(FaultOf(OneNode{12, "MaxPool", kImage}), HasSubstr("has no attribute kernel_shape"));
}

TEST(ImportPoolTest, Global) {
  EXPECT_EQ(OpsOf(OneNode{7, "GlobalAveragePool", kImage}), "global_average_pool()");
  EXPECT_EQ(OutputsOf(OneNode{7, "GlobalAveragePool", kImage}), "1x3x1x1");
}

TEST(ImportNormalizationTest, BatchNorm) {
  const std::vector<Shape> shapes = {{1, 3, 8, 8}, {3}, {3}, {3}, {3}};
  for (int64_t opset : {7, 9, 14, 15}) {
    EXPECT_EQ(
        OpsOf(OneNode{opset, "BatchNormalization", shapes, {{"epsilon", 0.5}, {"momentum", 0.9}}}),
        "batch_norm(epsilon=0.5)");
  }
  EXPECT_EQ(OpsOf(OneNode{9, "BatchNormalization", shapes}), "batch_norm(epsilon=1e-05)");
}

TEST(ImportNormalizationTest, BatchNormOfTrainingIsRefused) {
  const std::vector<Shape> shapes = {{1, 3, 8, 8}, {3}, {3}, {3}, {3}};
  const char* reason = "its training form; export the model for inference";
  EXPECT_THAT(FaultOf(OneNode{15, "BatchNormalization", shapes, {{"training_mode", 1}}}),
              HasSubstr(reason));
  EXPECT_THAT(FaultOf(OneNode{9, "BatchNormalization", shapes, {}, {}, 5}), HasSubstr(reason));
  EXPECT_THAT(FaultOf(OneNode{6, "BatchNormalization", shapes}), HasSubstr(reason));
  EXPECT_EQ(FaultOf(OneNode{6, "BatchNormalization", shapes, {{"is_test", 1}}}), "");
  EXPECT_THAT(FaultOf(OneNode{7, "BatchNormalization", shapes, {{"spatial", 0}}}),
              HasSubstr("spatial=0"));
}

TEST(ImportNormalizationTest, Lrn) {
  EXPECT_EQ(OpsOf(OneNode{13, "LRN", kImage, {{"size", 5}, {"alpha", 0.5}, {"bias", 2.0}}}),
            "lrn(size=5,alpha=0.5,beta=0.75,bias=2)");
  EXPECT_THAT(FaultOf(OneNode{13, "LRN", kImage}), HasSubstr("has no attribute size"));
}

TEST(ImportMatrixTest, Gemm) {
  EXPECT_EQ(OpsOf(OneNode{13, "Gemm", {{2, 3}, {3, 4}}}),
            "gemm(transpose_a=0,transpose_b=0,alpha=1,beta=1)");
  EXPECT_EQ(OpsOf(OneNode{7,
                          "Gemm",
                          {{3, 2}, {4, 3}, {4}},
                          {{"transA", 1}, {"transB", 1}, {"alpha", 0.5}, {"beta", 2.0}}}),
            "gemm(transpose_a=1,transpose_b=1,alpha=0.5,beta=2)");
  EXPECT_THAT(FaultOf(OneNode{13, "Gemm", {{2, 3}, {4, 4}}}), HasSubstr("cannot multiply"));
}

TEST(ImportMatrixTest, MatMul) {
  EXPECT_EQ(OpsOf(OneNode{13, "MatMul", {{5, 2, 3}, {3, 4}}}), "matmul()");
  EXPECT_EQ(OutputsOf(OneNode{13, "MatMul", {{5, 2, 3}, {3, 4}}}), "5x2x4");
}

TEST(ImportActivationTest, Plain) {
  EXPECT_EQ(OpsOf(OneNode{14, "Relu", kImage}), "activation(kind=relu,alpha=0,beta=0)");
  EXPECT_EQ(OpsOf(OneNode{13, "Sigmoid", kImage}), "activation(kind=sigmoid,alpha=0,beta=0)");
  EXPECT_EQ(OpsOf(OneNode{13, "Tanh", kImage}), "activation(kind=tanh,alpha=0,beta=0)");
  EXPECT_EQ(OpsOf(OneNode{14, "HardSwish", kImage}), "activation(kind=hard_swish,alpha=0,beta=0)");
}

TEST(ImportActivationTest, WithParameters) {
  EXPECT_EQ(OpsOf(OneNode{16, "LeakyRelu", kImage}),
            "activation(kind=leaky_relu,alpha=0.01,beta=0)");
  EXPECT_EQ(OpsOf(OneNode{6, "LeakyRelu", kImage, {{"alpha", 0.5}}}),
            "activation(kind=leaky_relu,alpha=0.5,beta=0)");
  EXPECT_EQ(OpsOf(OneNode{6, "HardSigmoid", kImage}),
            "activation(kind=hard_sigmoid,alpha=0.2,beta=0.5)");
  EXPECT_EQ(OpsOf(OneNode{6, "HardSigmoid", kImage, {{"alpha", 0.25}, {"beta", 0.75}}}),
            "activation(kind=hard_sigmoid,alpha=0.25,beta=0.75)");
}

TEST(ImportActivationTest, ClipInBothForms) {
  EXPECT_EQ(OpsOf(OneNode{6, "Clip", kImage, {{"min", 0.0}, {"max", 6.0}}}),
            "activation(kind=clip,alpha=0,beta=6)");
  EXPECT_EQ(OpsOf(OneNode{11, "Clip", kImage, {}, {Scalar(0), Scalar(6)}}),
            "activation(kind=clip,alpha=0,beta=6)");
  EXPECT_EQ(OpsOf(OneNode{13, "Clip", kImage, {}, {Tensor(), F32({3})}}),
            "activation(kind=clip,alpha=-3.4028235e+38,beta=3)");
  EXPECT_EQ(OpsOf(OneNode{6, "Clip", kImage}),
            "activation(kind=clip,alpha=-3.4028235e+38,beta=3.4028235e+38)");
  EXPECT_THAT(FaultOf(OneNode{13, "Clip", {{1, 3}, {}}}),
              HasSubstr("its min ('x1') is only known at run time"));
  EXPECT_THAT(FaultOf(OneNode{13, "Clip", kImage, {{"max", 6.0}}}),
              HasSubstr("the attribute 'max' is not known"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(FaultOf(OneNode{13, "Clip", kImage, {}, {Scalar(nan)}}),
              HasSubstr("its min is not a number"));
}

TEST(ImportSoftmaxTest, SinceOpset13OverOneAxis) {
  EXPECT_EQ(OpsOf(OneNode{13, "Softmax", {{2, 3, 4}}}), "softmax(axis=2)");
  EXPECT_EQ(OpsOf(OneNode{13, "Softmax", {{2, 3, 4}}, {{"axis", -3}}}), "softmax(axis=0)");
  EXPECT_THAT(FaultOf(OneNode{13, "Softmax", {{2, 3, 4}}, {{"axis", 3}}}),
              HasSubstr("axis 3 of 3 axes"));
}

TEST(ImportSoftmaxTest, BeforeOverAllAxesFromThere) {
  EXPECT_EQ(OpsOf(OneNode{11, "Softmax", {{2, 3, 4}}}),
            "reshape(shape=2x12)\nsoftmax(axis=1)\nreshape(shape=2x3x4)");
  EXPECT_EQ(OpsOf(OneNode{7, "Softmax", {{2, 3, 4}}, {{"axis", 0}}}),
            "reshape(shape=1x24)\nsoftmax(axis=1)\nreshape(shape=2x3x4)");
  EXPECT_EQ(OpsOf(OneNode{7, "Softmax", {{2, 3, 4}}, {{"axis", 2}}}), "softmax(axis=2)");
  EXPECT_EQ(OpsOf(OneNode{7, "Softmax", {{2, 10, 1, 1}}}), "softmax(axis=1)");
  const Graph graph = ImportProto(ModelOf(OneNode{11, "Softmax", {{2, 3, 4}}}));
  EXPECT_EQ(graph.nodes()[0].name, "node/flatten");
  EXPECT_EQ(graph.nodes()[1].name, "node");
  EXPECT_EQ(graph.nodes()[2].name, "node/restore");
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y0");
}

TEST(ImportArithmeticTest, BinaryAndSum) {
  const std::vector<Shape> shapes = {{2, 3, 4}, {3, 1}};
  EXPECT_EQ(OpsOf(OneNode{7, "Add", shapes}), "binary(kind=add)");
  EXPECT_EQ(OpsOf(OneNode{7, "Sub", shapes}), "binary(kind=sub)");
  EXPECT_EQ(OpsOf(OneNode{14, "Mul", shapes}), "binary(kind=mul)");
  EXPECT_EQ(OpsOf(OneNode{14, "Div", shapes}), "binary(kind=div)");
  EXPECT_EQ(OpsOf(OneNode{8, "Sum", {{2, 3}, {3}, {2, 1}}}), "sum()");
  EXPECT_EQ(OutputsOf(OneNode{8, "Sum", {{2, 3}, {3}, {2, 1}}}), "2x3");
}

TEST(ImportArithmeticTest, OldBroadcastingIsRefused) {
  const std::vector<Shape> shapes = {{2, 3, 4, 5}, {3}};
  EXPECT_THAT(FaultOf(OneNode{6, "Add", shapes, {{"broadcast", 1}, {"axis", 1}}}),
              HasSubstr("the attribute broadcast of opset 6; convert the model"));
  EXPECT_THAT(FaultOf(OneNode{5, "Add", {{2}, {2}}}), HasSubstr("opset 5 is not supported"));
  EXPECT_EQ(FaultOf(OneNode{6, "Add", {{2}, {2}}}), "");
}

TEST(ImportArithmeticTest, CastIdentityDropout) {
  EXPECT_EQ(OpsOf(OneNode{13, "Cast", kImage, {{"to", 11}}}), "cast(dtype=f64)");
  EXPECT_EQ(OpsOf(OneNode{19, "Cast", kImage, {{"to", 7}, {"saturate", 1}}}), "cast(dtype=i64)");
  EXPECT_THAT(FaultOf(OneNode{13, "Cast", kImage, {{"to", 8}}}), HasSubstr("a cast to string"));
  EXPECT_THAT(FaultOf(OneNode{13, "Cast", kImage, {{"to", 99}}}), HasSubstr("a cast to number 99"));
  EXPECT_THAT(FaultOf(OneNode{13, "Cast", kImage}), HasSubstr("has no attribute to"));
  EXPECT_EQ(OpsOf(OneNode{13, "Identity", kImage}), "identity()");
  EXPECT_EQ(OpsOf(OneNode{7, "Dropout", kImage, {{"ratio", 0.5}}}), "identity()");
  EXPECT_EQ(OpsOf(OneNode{12, "Dropout", kImage, {{"seed", 1}}, {Scalar(0.5)}}), "identity()");
}

TEST(ImportArithmeticTest, DropoutOfTrainingIsRefused) {
  Tensor training({DType::kBool, {}});
  EXPECT_EQ(FaultOf(OneNode{12, "Dropout", kImage, {}, {Scalar(0.5), training}}), "");
  training.values<uint8_t>()[0] = 1;
  EXPECT_THAT(FaultOf(OneNode{12, "Dropout", kImage, {}, {Scalar(0.5), training}}),
              HasSubstr("its training form"));
  EXPECT_THAT(FaultOf(OneNode{12, "Dropout", {{2}, {}, {}}}),
              HasSubstr("training_mode ('x2') is only known at run time"));
  EXPECT_THAT(FaultOf(OneNode{12, "Dropout", kImage, {}, {}, 2}),
              HasSubstr("the mask is not computed"));
}

TEST(ImportReduceTest, MeanWithAxesInBothForms) {
  const std::vector<Shape> x = {{2, 3, 4}};
  EXPECT_EQ(OpsOf(OneNode{13, "ReduceMean", x}), "reduce_mean(axes=0x1x2,keep_dims=1)");
  EXPECT_EQ(OpsOf(OneNode{13, "ReduceMean", x, {{"axes", Ints{-1, 0}}, {"keepdims", 0}}}),
            "reduce_mean(axes=0x2,keep_dims=0)");
  EXPECT_EQ(OpsOf(OneNode{18, "ReduceMean", x, {}, {I64({-1, 1})}}),
            "reduce_mean(axes=1x2,keep_dims=1)");
  EXPECT_EQ(OpsOf(OneNode{18, "ReduceMean", x}), "reduce_mean(axes=0x1x2,keep_dims=1)");
  EXPECT_EQ(OpsOf(OneNode{18, "ReduceMean", x, {{"noop_with_empty_axes", 1}}}),
            "reduce_mean(axes=none,keep_dims=1)");
  EXPECT_EQ(OpsOf(OneNode{18, "ReduceMean", x, {{"noop_with_empty_axes", 1}}, {I64({})}}),
            "reduce_mean(axes=none,keep_dims=1)");
  EXPECT_THAT(FaultOf(OneNode{13, "ReduceMean", x, {{"axes", Ints{1, -2}}}}),
              HasSubstr("axis 1 twice"));
  EXPECT_THAT(FaultOf(OneNode{18, "ReduceMean", x, {{"axes", Ints{1}}}}),
              HasSubstr("the attribute 'axes' is not known"));
}

TEST(ImportOperatorsTest, WhatOnlyConcernsSizesIsRefusedOverRunTimeValues) {
  for (const char* op_type : {"Abs", "Floor", "Neg", "Sqrt", "ReduceSum", "ReduceMax"}) {
    EXPECT_THAT(FaultOf(OneNode{13, op_type, kImage}),
                HasSubstr("is only computed at import, and its input 'x0' is only known"))
        << op_type;
  }
  for (const char* op_type : {"Equal", "Max", "Mod", "Gather"}) {
    EXPECT_THAT(FaultOf(OneNode{13, op_type, {{2, 3}, {2, 3}}}),
                HasSubstr("is only computed at import"))
        << op_type;
  }
}

TEST(ImportOperatorsTest, AttributesOfAnotherTypeAreNamed) {
  EXPECT_THAT(FaultOf(OneNode{13, "Softmax", kImage, {{"axis", 1.0}}}),
              HasSubstr("attribute axis is of type 1, expected 2 (INT)"));
  onnx::ModelProto model = ModelOf(OneNode{13, "Softmax", kImage, {{"axis", 1}, {"axis", 2}}});
  EXPECT_THAT(FaultOf(model), HasSubstr("has two attributes 'axis'"));
}

}  // namespace
}  // namespace fettle
