#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/small/network.h"

// Operators at the edges of what they can do: each function writes one network.

namespace fettle {
namespace {

const Shape kImage = {2, 4, 6, 6};

SmallModel Broadcasts(uint64_t seed) {
  SmallNetwork n("broadcasts", seed);
  const std::string x = n.Input("x", kImage);
  const std::string row = n.Input("row", {6});
  const std::string column = n.Input("column", {2, 1, 6, 1});
  std::string y = n.Node("Add", {x, n.Weights({4, 1, 1})});
  y = n.Node("Mul", {n.onnx().ConstantFloat(0.5F), y});
  y = n.Node("Sub", {n.Weights({1, 4, 1, 6}), y});
  y = n.Node("Div", {y, n.Scales({1})});
  y = n.Node("Add", {row, y});
  n.NodeTo({"y"}, "Mul", {y, column});
  n.NodeTo({"outer"}, "Sub", {row, column});  // both grow
  n.Output("y", kImage);
  n.Output("outer", {2, 1, 6, 6});
  return n.Finish();
}

SmallModel Conv1D(uint64_t seed) {
  SmallNetwork n("conv_1d", seed);
  const std::string x = n.Input("x", {2, 4, 19});
  std::string y = n.Conv(x, {6, 4, 3}, {{"pads", Ints{2, 1}}, {"strides", Ints{2}}});
  y = n.Node("Relu", {n.BatchNorm(y, 6)});
  y = n.Conv(y, {6, 2, 3}, {{"dilations", Ints{2}}, {"group", int64_t{3}}, {"pads", Ints{2, 2}}});
  y = n.Node("MaxPool", {y}, {{"kernel_shape", Ints{3}}, {"strides", Ints{2}}});
  n.NodeTo({"mean"}, "GlobalAveragePool", {y});
  n.Output("mean", {2, 6, 1});
  n.Output(y, {2, 6, 4});
  return n.Finish();
}

SmallModel GroupedConv(uint64_t seed) {
  SmallNetwork n("grouped_conv", seed);
  const std::string x = n.Input("x", {2, 6, 9, 7});
  const std::string grouped =
      n.Node("Conv", {x, n.Weights({9, 2, 3, 5})},
             {{"group", int64_t{3}}, {"pads", Ints{1, 2, 1, 2}}, {"strides", Ints{2, 1}}});
  const std::string depthwise =
      n.Conv(grouped, {18, 1, 3, 3},
             {{"group", int64_t{9}}, {"pads", Ints{0, 1, 2, 1}}, {"dilations", Ints{1, 1}}});
  n.NodeTo({"y"}, "Conv", {depthwise, n.Weights({4, 18, 2, 2})}, {{"dilations", Ints{2, 3}}});
  n.Output("y", {2, 4, 3, 4});
  return n.Finish();
}

SmallModel AutoPad(uint64_t seed) {
  SmallNetwork n("auto_pad", seed);
  const std::string x = n.Input("x", {1, 3, 9, 8});
  std::vector<std::string> outputs;
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    const OnnxAttributeValue pad = std::string(mode);
    outputs.push_back(n.Conv(x, {4, 3, 4, 3}, {{"auto_pad", pad}, {"strides", Ints{2, 2}}}));
    outputs.push_back(
        n.Node("MaxPool", {x},
               {{"auto_pad", pad}, {"kernel_shape", Ints{4, 2}}, {"strides", Ints{2, 3}}}));
  }
  n.Output(outputs[0], {1, 4, 5, 4});
  n.Output(outputs[1], {1, 3, 5, 3});
  n.Output(outputs[2], {1, 4, 5, 4});
  n.Output(outputs[3], {1, 3, 5, 3});
  n.Output(outputs[4], {1, 4, 3, 3});
  n.Output(outputs[5], {1, 3, 3, 3});
  return n.Finish();
}

SmallModel Pools(uint64_t seed) {
  SmallNetwork n("pools", seed);
  const std::string x = n.Input("x", {2, 3, 8, 8});
  const Ints window = {3, 3};
  const Ints two = {2, 2};
  const Ints pads = {1, 1, 1, 1};
  const OnnxAttributes base = {{"kernel_shape", window}, {"strides", two}, {"pads", pads}};
  for (const int64_t include : {0, 1}) {
    OnnxAttributes attributes = base;
    attributes.emplace_back("count_include_pad", include);
    n.Output(n.Node("AveragePool", {x}, attributes), {2, 3, 4, 4});
  }
  OnnxAttributes ceil = {{"kernel_shape", window}, {"strides", two}, {"ceil_mode", int64_t{1}}};
  n.Output(n.Node("MaxPool", {x}, ceil), {2, 3, 4, 4});
  n.Output(n.Node("AveragePool", {x}, ceil), {2, 3, 4, 4});
  n.Output(n.Node("MaxPool", {x}, {{"kernel_shape", window}, {"dilations", two}}), {2, 3, 4, 4});
  return n.Finish();
}

SmallModel MatrixProducts(uint64_t seed) {
  SmallNetwork n("matrix_products", seed);
  const std::string a = n.Input("a", {5, 3});
  const OnnxAttributes scaled = {
      {"alpha", 0.5F}, {"beta", 2.0F}, {"transA", int64_t{1}}, {"transB", int64_t{1}}};
  n.Output(n.Node("Gemm", {a, n.Weights({4, 5}), n.Weights({3, 1})}, scaled), {3, 4});
  n.Output(n.Node("Gemm", {a, n.Weights({3, 2})}), {5, 2});
  n.Output(n.Node("Gemm", {n.Weights({2, 5}), a, n.Weights({})}), {2, 3});
  const std::string batched = n.Input("b", {2, 1, 4, 3});
  n.Output(n.Node("MatMul", {batched, n.Input("c", {6, 3, 2})}), {2, 6, 4, 2});
  n.Output(n.Node("MatMul", {batched, n.Weights({3})}), {2, 1, 4});
  return n.Finish();
}

SmallModel Activations(uint64_t seed) {
  SmallNetwork n("activations", seed);
  const std::string x = n.Input("x", {2, 50});
  const Shape shape = {2, 50};
  n.Output(n.Node("LeakyRelu", {x}, {{"alpha", 0.2F}}), shape);
  n.Output(n.Node("HardSigmoid", {x}, {{"alpha", 0.3F}, {"beta", 0.4F}}), shape);
  n.Output(n.Node("HardSwish", {x}), shape);
  n.Output(n.Node("Clip", {x, n.onnx().ConstantFloat(-0.5F)}), shape);
  n.Output(n.Node("Clip", {x, "", n.onnx().ConstantFloat(0.5F)}), shape);
  n.Output(n.Node("Clip", {x}), shape);
  n.Output(n.Node("Mul", {x, n.Node("Sigmoid", {x})}), shape);  // SiLU
  n.Output(n.Node("Tanh", {x}), shape);
  return n.Finish();
}

SmallModel Rearrangements(uint64_t seed) {
  SmallNetwork n("rearrangements", seed);
  OnnxBuilder& o = n.onnx();
  const std::string x = n.Input("x", {2, 3, 4, 5});
  n.Output(n.Node("Transpose", {x}), {5, 4, 3, 2});
  n.Output(n.Node("Transpose", {x}, {{"perm", Ints{0, 2, 3, 1}}}), {2, 4, 5, 3});
  n.Output(n.Node("Slice", {x, o.ConstantInts({-1, 1}), o.ConstantInts({INT64_MIN, -1}),
                            o.ConstantInts({3, 2}), o.ConstantInts({-2, 1})}),
           {2, 3, 2, 3});
  n.Output(n.Node("Reshape", {x, o.ConstantInts({0, -1, 10})}), {2, 6, 10});
  const std::string wide = n.Node("Unsqueeze", {x, o.ConstantInts({-1, 0})});
  n.Output(wide, {1, 2, 3, 4, 5, 1});
  n.Output(n.Node("Squeeze", {wide}), {2, 3, 4, 5});
  n.Output(n.Node("Flatten", {x}, {{"axis", int64_t{-1}}}), {24, 5});
  n.Output(n.Node("ReduceMean", {x}, {{"axes", Ints{-1, 1}}, {"keepdims", int64_t{0}}}), {2, 4});
  n.Output(n.Node("ReduceMean", {x}), {1, 1, 1, 1});
  n.Output(n.Node("Concat", {x, x}, {{"axis", int64_t{-2}}}), {2, 3, 8, 5});
  return n.Finish();
}

SmallModel PadsAndResizes(uint64_t seed) {
  SmallNetwork n("pads_and_resizes", seed);
  OnnxBuilder& o = n.onnx();
  const std::string x = n.Input("x", {1, 2, 4, 5});
  const std::string pads = o.ConstantInts({0, 0, 1, 2, 0, 0, 3, 0});
  for (const char* mode : {"constant", "reflect", "edge"}) {
    n.Output(n.Node("Pad", {x, pads}, {{"mode", std::string(mode)}}), {1, 2, 8, 7});
  }
  const std::string crop = o.ConstantInts({0, 1, -1, 0, 0, 0, 2, -2});
  n.Output(n.Node("Pad", {x, crop, o.ConstantFloat(1.5F)}), {1, 3, 5, 3});
  const std::string scales =
      o.Constant(Tensor::Of<float>(DType::kF32, {4}, {{1.0F, 1.0F, 2.0F, 2.0F}}));
  n.Output(n.Node("Resize", {x, "", scales},
                  {{"mode", std::string("nearest")},
                   {"coordinate_transformation_mode", std::string("asymmetric")},
                   {"nearest_mode", std::string("floor")}}),
           {1, 2, 8, 10});
  const std::string sizes = o.ConstantInts({1, 2, 7, 3});
  n.Output(n.Node("Resize", {x, "", "", sizes}, {{"mode", std::string("linear")}}), {1, 2, 7, 3});
  return n.Finish();
}

SmallModel Normalisations(uint64_t seed) {
  SmallNetwork n("normalisations", seed);
  const std::string x = n.Input("x", kImage);
  n.Output(n.Node("Softmax", {x}, {{"axis", int64_t{1}}}), kImage);
  n.Output(n.Node("Softmax", {x}), kImage);
  n.Output(n.Node("LRN", {x}, {{"size", int64_t{3}}, {"alpha", 0.5F}, {"bias", 2.0F}}), kImage);
  n.Output(n.Node("LRN", {x}, {{"size", int64_t{9}}}), kImage);
  return n.Finish();
}

SmallModel Sums(uint64_t seed) {
  SmallNetwork n("sums", seed);
  const std::string x = n.Input("x", kImage);
  n.Output(n.Node("Sum", {x}), kImage);
  n.Output(n.Node("Sum", {n.Weights({4, 1, 1}), x, n.Weights({6}), x}), kImage);
  return n.Finish();
}

// Nothing to be blocked, tiled or vectorised.
SmallModel OneOfEverything(uint64_t seed) {
  SmallNetwork n("one_of_everything", seed);
  std::string y = n.Conv(n.Input("x", {1, 1, 1, 1}), {1, 1, 1, 1});
  y = n.Node("Relu", {n.BatchNorm(y, 1)});
  y = n.Conv(y, {1, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
  y = n.Node("Flatten", {n.Node("GlobalAveragePool", {y})});
  n.NodeTo({"y"}, "Gemm", {y, n.Weights({1, 1}), n.Weights({1})});
  n.Output("y", {1, 1});
  return n.Finish();
}

}  // namespace

void AddOperatorModels(uint64_t seed, std::vector<SmallModel>* models) {
  for (const auto make :
       {Broadcasts, Conv1D, GroupedConv, AutoPad, Pools, MatrixProducts, Activations,
        Rearrangements, PadsAndResizes, Normalisations, Sums, OneOfEverything}) {
    models->push_back(make(seed));
  }
}

}  // namespace fettle
