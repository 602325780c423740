#include "fettle/network/onnx/fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <cmath>
#include <limits>

#include "tests/network/onnx/model_builder.h"

// What is computed at import.

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor Bools(const std::vector<uint8_t>& values) {
  return Tensor::Of<uint8_t>(DType::kBool, {static_cast<int64_t>(values.size())}, values);
}

Tensor Matrix(int64_t rows, const Ints& values) {
  return I64(values).Reshaped({rows, static_cast<int64_t>(values.size()) / rows});
}

Ints IntsOf(const OneNode& node) {
  const Tensor tensor = ConstantOf(node);
  if (tensor.dtype() == DType::kBool) {
    return {tensor.values<uint8_t>().begin(), tensor.values<uint8_t>().end()};
  }
  EXPECT_EQ(tensor.dtype(), DType::kI64);
  return {tensor.values<int64_t>().begin(), tensor.values<int64_t>().end()};
}

Ints IntsOf(int64_t opset, const std::string& op_type, const std::vector<Tensor>& constants,
            const std::vector<OnnxAttribute>& attributes = {}) {
  return IntsOf(OneNode{opset, op_type, {}, attributes, constants});
}

std::vector<float> FloatsOf(const std::string& op_type, const std::vector<Tensor>& constants) {
  const Tensor tensor = ConstantOf(OneNode{13, op_type, {}, {}, constants});
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

TEST(FoldTest, IntegerArithmetic) {
  EXPECT_THAT(IntsOf(13, "Add", {I64({1, 2}), I64({10})}), ElementsAre(11, 12));
  EXPECT_THAT(IntsOf(13, "Sub", {I64({1, 2}), I64({10, 20})}), ElementsAre(-9, -18));
  EXPECT_THAT(IntsOf(13, "Mul", {I64({3, -2}), I64({5})}), ElementsAre(15, -10));
  EXPECT_THAT(IntsOf(13, "Div", {I64({7, -7, 6}), I64({2})}), ElementsAre(3, -3, 3));
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  EXPECT_THAT(IntsOf(13, "Div", {I64({kLeast}), I64({-1})}), ElementsAre(kLeast));
  EXPECT_THAT(IntsOf(13, "Add", {I64({kLeast}), I64({-1})}),
              ElementsAre(std::numeric_limits<int64_t>::max()));
  EXPECT_THAT(FaultOf(OneNode{13, "Div", {}, {}, {I64({5}), I64({0})}}),
              HasSubstr("divides 5 by zero"));
}

TEST(FoldTest, FloatArithmeticRoundsOnce) {
  EXPECT_EQ(FloatsOf("Div", {F32({1, 2}), F32({3})}), (std::vector<float>{1.0f / 3, 2.0f / 3}));
  EXPECT_EQ(FloatsOf("Add", {F32({16777216, 0.1f}), F32({1, 0.2f})}),
            (std::vector<float>{16777216.0f + 1, 0.1f + 0.2f}));
  EXPECT_EQ(FloatsOf("Floor", {F32({1.5, -1.5})}), (std::vector<float>{1, -2}));
  EXPECT_EQ(FloatsOf("Ceil", {F32({1.5, -1.5})}), (std::vector<float>{2, -1}));
  EXPECT_EQ(FloatsOf("Sqrt", {F32({4, 2})}), (std::vector<float>{2, std::sqrt(2.0f)}));
}

TEST(FoldTest, ComparisonsAndLogic) {
  const std::vector<Tensor> ab = {I64({1, 2, 3}), I64({2})};
  EXPECT_THAT(IntsOf(13, "Equal", ab), ElementsAre(0, 1, 0));
  EXPECT_THAT(IntsOf(13, "Less", ab), ElementsAre(1, 0, 0));
  EXPECT_THAT(IntsOf(16, "LessOrEqual", ab), ElementsAre(1, 1, 0));
  EXPECT_THAT(IntsOf(13, "Greater", ab), ElementsAre(0, 0, 1));
  EXPECT_THAT(IntsOf(16, "GreaterOrEqual", ab), ElementsAre(0, 1, 1));
  EXPECT_THAT(IntsOf(13, "And", {Bools({1, 1, 0}), Bools({1, 0, 0})}), ElementsAre(1, 0, 0));
  EXPECT_THAT(IntsOf(13, "Or", {Bools({1, 1, 0}), Bools({1, 0, 0})}), ElementsAre(1, 1, 0));
  EXPECT_THAT(IntsOf(13, "Not", {Bools({1, 0})}), ElementsAre(0, 1));
  EXPECT_THAT(IntsOf(13, "Min", {I64({1, 9}), I64({5}), I64({4})}), ElementsAre(1, 4));
  EXPECT_THAT(IntsOf(13, "Max", {I64({1, 9})}), ElementsAre(1, 9));
  EXPECT_THAT(IntsOf(13, "Mod", {I64({7, -7}), I64({3})}), ElementsAre(1, 2));
  EXPECT_THAT(IntsOf(13, "Mod", {I64({7, -7}), I64({3})}, {{"fmod", 1}}), ElementsAre(1, -1));
  EXPECT_THAT(IntsOf(16, "Where", {Bools({1, 0}), I64({1}), I64({8, 9})}), ElementsAre(1, 9));
}

TEST(FoldTest, Movement) {
  const Tensor matrix = Matrix(2, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(IntsOf(13, "Gather", {matrix, I64({2, -3})}, {{"axis", 1}}), ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(IntsOf(13, "Gather", {matrix, I64({1})}), ElementsAre(4, 5, 6));
  EXPECT_THAT(IntsOf(13, "Transpose", {matrix}), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(IntsOf(13, "Concat", {matrix, Matrix(2, {7, 8})}, {{"axis", 1}}),
              ElementsAre(1, 2, 3, 7, 4, 5, 6, 8));
  EXPECT_THAT(IntsOf(13, "Slice", {I64({1, 2, 3, 4}), I64({-1}), I64({-9}), I64({0}), I64({-2})}),
              ElementsAre(4, 2));
  EXPECT_THAT(IntsOf(13, "Expand", {I64({1, 2}), I64({2, 1})}), ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(IntsOf(13, "Tile", {I64({1, 2}), I64({2})}), ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(IntsOf(11, "Range", {I64({3}), I64({-2}), I64({-2})}), ElementsAre(3, 1, -1));
  EXPECT_THAT(IntsOf(13, "Cast", {F32({2.9f, -2.9f, 1e30f})}, {{"to", 7}}),
              ElementsAre(2, -2, std::numeric_limits<int64_t>::max()));
  EXPECT_THAT(IntsOf(9, "ConstantOfShape", {I64({3})}, {{"value", I64({7})}}),
              ElementsAre(7, 7, 7));
  const Graph graph = ImportProto(ModelOf(OneNode{13, "Split", {}, {}, {I64({1, 2, 3, 4})}, 2}));
  EXPECT_THAT(graph.value(graph.outputs()[1]).constant->values<int64_t>(), ElementsAre(3, 4));
  EXPECT_THAT(FaultOf(OneNode{13, "Gather", {}, {}, {matrix, I64({2})}}),
              HasSubstr("index 2 of an axis of 2"));
}

TEST(FoldTest, Reductions) {
  const Tensor matrix = Matrix(2, {1, 2, 3, 4, 5, 6});
  const OnnxAttribute columns = {"axes", Ints{0}};
  EXPECT_THAT(IntsOf(13, "ReduceProd", {matrix}), ElementsAre(720));
  EXPECT_THAT(IntsOf(13, "ReduceProd", {matrix}, {columns}), ElementsAre(4, 10, 18));
  EXPECT_THAT(IntsOf(18, "ReduceMax", {matrix, I64({-1})}), ElementsAre(3, 6));
  EXPECT_THAT(IntsOf(13, "ReduceMin", {matrix}, {columns}), ElementsAre(1, 2, 3));
  EXPECT_THAT(IntsOf(13, "ReduceSum", {matrix, I64({1})}), ElementsAre(6, 15));
  EXPECT_THAT(
      FaultOf(OneNode{13, "ReduceProd", {}, {}, {I64({int64_t{1} << 40, int64_t{1} << 40})}}),
      HasSubstr("overflows"));
}

TEST(FoldTest, ShapesAreKnown) {
  const std::vector<Shape> x = {{2, 3, 4}};
  EXPECT_THAT(IntsOf(OneNode{13, "Shape", x}), ElementsAre(2, 3, 4));
  EXPECT_THAT(IntsOf(OneNode{15, "Shape", x, {{"start", 1}, {"end", -1}}}), ElementsAre(3));
  EXPECT_THAT(IntsOf(OneNode{15, "Shape", x, {{"start", 2}, {"end", 1}}}), ElementsAre());
  EXPECT_THAT(IntsOf(OneNode{13, "Size", x}), ElementsAre(24));
}

TEST(FoldTest, ConstantsInAllForms) {
  EXPECT_THAT(IntsOf(13, "Constant", {}, {{"value", I64({1, 2})}}), ElementsAre(1, 2));
  EXPECT_THAT(IntsOf(13, "Constant", {}, {{"value_int", 5}}), ElementsAre(5));
  EXPECT_THAT(IntsOf(13, "Constant", {}, {{"value_ints", Ints{5, 6}}}), ElementsAre(5, 6));
  EXPECT_EQ(ConstantOf(OneNode{13, "Constant", {}, {{"value_float", 0.5}}}), Scalar(0.5));
  EXPECT_EQ(ConstantOf(OneNode{13, "Constant", {}, {{"value_floats", std::vector<float>{1, 2}}}}),
            F32({1, 2}));
  EXPECT_THAT(FaultOf(OneNode{13, "Constant", {}, {{"value_string", "x"}}}),
              HasSubstr("a constant given as value_string"));
  EXPECT_THAT(FaultOf(OneNode{13, "Constant", {}}), HasSubstr("has no value"));
}

// What PyTorch writes for x.view(x.size(0), -1) and for interpolation by a factor.
TEST(FoldTest, ChainsOfExportersLeaveNoNodes) {
  onnx::ModelProto model = EmptyModel(11);
  AddInput(&model, "x", {"N", "3", "4", "5"});
  AddInitializer(&model, "zero", Tensor::Of<int64_t>(DType::kI64, {}, {{0}}));
  AddInitializer(&model, "minus_one", I64({-1}));
  AddNode(&model, "Shape", {"x"}, {"shape"});
  AddNode(&model, "Gather", {"shape", "zero"}, {"n"}, {{"axis", 0}});
  AddNode(&model, "Unsqueeze", {"n"}, {"n1"}, {{"axes", Ints{0}}});
  AddNode(&model, "Concat", {"n1", "minus_one"}, {"target"}, {{"axis", 0}});
  AddNode(&model, "Reshape", {"x", "target"}, {"flat"});

  AddInitializer(&model, "two", F32({2}));
  AddInitializer(&model, "starts", I64({2}));
  AddInitializer(&model, "ends", I64({4}));
  AddInitializer(&model, "first", I64({0}));
  AddInitializer(&model, "none", Zeros({0}));
  AddNode(&model, "Slice", {"shape", "first", "starts"}, {"batch"});
  AddNode(&model, "Slice", {"shape", "starts", "ends"}, {"space"});
  AddNode(&model, "Cast", {"space"}, {"real"}, {{"to", 1}});
  AddNode(&model, "Mul", {"real", "two"}, {"doubled"});
  AddNode(&model, "Floor", {"doubled"}, {"whole"});
  AddNode(&model, "Cast", {"whole"}, {"sizes"}, {{"to", 7}});
  AddNode(&model, "Concat", {"batch", "sizes"}, {"all"}, {{"axis", 0}});
  AddNode(&model, "Resize", {"x", "none", "none", "all"}, {"large"});
  AddOutput(&model, "flat", {"N", "60"});
  AddOutput(&model, "large", {"N", "3", "8", "10"});
  const Graph graph = ImportProto(model, {.batch = 2});
  EXPECT_EQ(OpsOf(graph),
            "reshape(shape=2x60)\nresize(mode=nearest,coordinates=half_pixel,"
            "rounding=round_prefer_floor,scales=1x1x2x2,sizes=2x3x8x10)");
  EXPECT_EQ(graph.num_values(), 3u) << "constants that nothing reads any more stay";
}

TEST(FoldTest, WeightsAreMovedAndShared) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"1", "2"});
  AddInitializer(&model, "w", F32({1, 2, 3, 4, 5, 6}).Reshaped({3, 2}));
  AddNode(&model, "Transpose", {"w"}, {"wt"});
  AddNode(&model, "Identity", {"wt"}, {"same"});
  AddNode(&model, "MatMul", {"x", "wt"}, {"a"});
  AddNode(&model, "MatMul", {"x", "same"}, {"b"});
  AddOutput(&model, "a");
  AddOutput(&model, "b");
  const Graph graph = ImportProto(model);
  ASSERT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.nodes()[0].inputs[1], graph.nodes()[1].inputs[1]);
  const Value& weights = graph.value(graph.nodes()[0].inputs[1]);
  EXPECT_EQ(weights.name, "wt");
  EXPECT_EQ(*weights.constant, F32({1, 3, 5, 2, 4, 6}).Reshaped({2, 3}));
  EXPECT_EQ(graph.NumParameters(), 6);
}

TEST(FoldTest, AnOutputMayBeAConstantOrAnInput) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"2"});
  AddInitializer(&model, "w", F32({1, 2}));
  AddNode(&model, "Identity", {"w"}, {"y"});
  for (const char* name : {"x", "w", "y"}) AddOutput(&model, name, {"2"});
  const Graph graph = ImportProto(model);
  ASSERT_EQ(graph.outputs().size(), 3u);
  EXPECT_EQ(graph.outputs()[0], graph.inputs()[0]);
  EXPECT_EQ(graph.value(graph.outputs()[1]).name, "w");
  EXPECT_EQ(graph.value(graph.outputs()[2]).name, "y");
  EXPECT_EQ(*graph.value(graph.outputs()[2]).constant, F32({1, 2}));
}

}  // namespace
}  // namespace fettle
