#include "fettle/core/shape_inference.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/core/error.h"

namespace fettle {
namespace {

const Window kHalving = {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}};

TensorType F(Shape shape) { return {DType::kF32, std::move(shape)}; }

Window Square(int64_t kernel, int64_t stride, int64_t pad, int64_t dilation = 1) {
  return {{kernel, kernel}, {stride, stride}, {dilation, dilation}, {pad, pad}, {pad, pad}};
}

struct Sound {
  Op op;
  std::vector<TensorType> inputs;
  Shape output;
};

TEST(ShapeInferenceTest, GivesTheShapesByHand) {
  const Window line = {{3}, {2}, {1}, {0}, {1}};
  const Sound cases[] = {
      {Conv{Square(7, 2, 3), 1}, {F({1, 3, 224, 224}), F({64, 3, 7, 7})}, {1, 64, 112, 112}},
      {Conv{Square(3, 1, 2, 2), 4}, {F({2, 8, 9, 9}), F({12, 2, 3, 3}), F({12})}, {2, 12, 9, 9}},
      {Conv{line, 1}, {F({1, 2, 10}), F({5, 2, 3})}, {1, 5, 5}},
      {BatchNorm{}, {F({1, 4, 2, 2}), F({4}), F({4}), F({4}), F({4})}, {1, 4, 2, 2}},
      {Gemm{true, true}, {F({3, 2}), F({5, 3}), F({5})}, {2, 5}},
      {MatMul{}, {F({4, 1, 2, 3}), F({5, 3, 7})}, {4, 5, 2, 7}},
      {MatMul{}, {F({3}), F({3})}, {}},
      {MatMul{}, {F({2, 3}), F({3})}, {2}},
      {Pool{PoolKind::kMax, Square(3, 2, 1), {0, 0}}, {F({1, 4, 112, 112})}, {1, 4, 56, 56}},
      {Pool{PoolKind::kMax, Square(3, 2, 0), {1, 1}}, {F({1, 4, 112, 112})}, {1, 4, 56, 56}},
      {GlobalAveragePool{}, {F({1, 4, 7, 7})}, {1, 4, 1, 1}},
      {ReduceMean{{2, 3}, true}, {F({1, 4, 7, 7})}, {1, 4, 1, 1}},
      {ReduceMean{{0, 2}, false}, {F({1, 4, 7, 6})}, {4, 6}},
      {Binary{}, {F({1, 4, 7, 7}), F({4, 1, 1})}, {1, 4, 7, 7}},
      {Sum{}, {F({1}), F({3, 1}), F({1, 2})}, {3, 2}},
      {Concat{1}, {F({1, 4, 7}), F({1, 2, 7})}, {1, 6, 7}},
      {Slice{{1, 4}, {3, -1}, {1, -2}}, {F({5, 6})}, {2, 3}},
      {Slice{{3, 0}, {1, 6}, {1, 1}}, {F({5, 6})}, {0, 6}},
      {Reshape{{6, 1, 5}}, {F({5, 6})}, {6, 1, 5}},
      {Transpose{{2, 0, 1}}, {F({5, 6, 7})}, {7, 5, 6}},
      {Pad{PadMode::kConstant, {1, -1}, {0, 2}, 0}, {F({5, 6})}, {6, 7}},
      {Pad{PadMode::kReflect, {4}, {4}, 0}, {F({5})}, {13}},
      {Softmax{1}, {F({1, 10})}, {1, 10}},
      {Lrn{5}, {F({1, 10, 3, 3})}, {1, 10, 3, 3}},
      {InnerProduct{}, {F({2, 8}), F({3, 8}), F({3})}, {2, 3}},
      {ChannelAffine{}, {F({2, 8, 3, 3}), F({8}), F({8})}, {2, 8, 3, 3}},
      {InvertedResidual{true, std::nullopt, kHalving, std::nullopt},
       {F({2, 8, 7, 5}), F({24, 8, 1, 1}), F({24}), F({24, 1, 3, 3}), F({24}), F({9, 24, 1, 1}),
        F({9})},
       {2, 9, 4, 3}},
      {InvertedResidual{false, std::nullopt, kHalving, std::nullopt},
       {F({2, 8, 7, 5}), F({8, 1, 3, 3}), F({8}), F({9, 8, 1, 1}), F({9})},
       {2, 9, 4, 3}},
      {Resize{ResizeMode::kNearest, {}, {}, {1, 1, 2, 2}, {1, 3, 8, 8}},
       {F({1, 3, 4, 4})},
       {1, 3, 8, 8}},
  };
  for (const Sound& c : cases) {
    const std::vector<TensorType> outputs = InferTypes(c.op, c.inputs);
    ASSERT_EQ(outputs.size(), 1u) << OpText(c.op);
    EXPECT_EQ(outputs[0], F(c.output)) << OpText(c.op) << " gave " << TypeText(outputs[0]);
  }
}

TEST(ShapeInferenceTest, SplitHasAnOutputForEachSize) {
  const std::vector<TensorType> outputs = InferTypes(Split{1, {3, 0, 4}}, std::vector{F({2, 7})});
  EXPECT_EQ(outputs, (std::vector{F({2, 3}), F({2, 0}), F({2, 4})}));
}

TEST(ShapeInferenceTest, CastChangesTheElementType) {
  EXPECT_EQ(InferTypes(Cast{DType::kI64}, std::vector{F({2})})[0].dtype, DType::kI64);
}

struct Faulty {
  Op op;
  std::vector<TensorType> inputs;
  std::string says;
};

TEST(ShapeInferenceTest, RefusesWhatDoesNotFitAndSaysWhy) {
  const int64_t huge = int64_t{1} << 30;
  const Window small = Square(3, 1, 0);
  Window no_stride = small;
  no_stride.strides = {0, 1};
  Window short_list = small;
  short_list.dilations = {1};
  Window endless = small;
  endless.pads_begin = {int64_t{1} << 62, 0};
  const Faulty cases[] = {
      {Conv{small}, {F({1, 3, 9, 9})}, "inputs"},
      {Conv{small}, {F({1, 3, 9, 9}), F({4, 2, 3, 3})}, "input channels"},
      {Conv{small, 2}, {F({1, 4, 9, 9}), F({3, 2, 3, 3})}, "output channels"},
      {Conv{small, 0}, {F({1, 4, 9, 9}), F({4, 4, 3, 3})}, "groups"},
      {Conv{small}, {F({1, 3, 2, 9}), F({4, 3, 3, 3})}, "does not fit"},
      {Conv{no_stride}, {F({1, 3, 9, 9}), F({4, 3, 3, 3})}, "strides"},
      {Conv{short_list}, {F({1, 3, 9, 9}), F({4, 3, 3, 3})}, "dilations"},
      {Conv{endless}, {F({1, 3, 9, 9}), F({4, 3, 3, 3})}, "pads_begin"},
      {Conv{small}, {F({1, 3, 9, 9}), F({4, 3, 3, 5})}, "kernel"},
      {Conv{small}, {F({1, 3, 9, 9}), F({4, 3, 3, 3}), F({5})}, "bias"},
      {Conv{small}, {F({1, 3, 9, 9, 9}), F({4, 3, 3, 3, 3})}, "3 axes"},
      {Conv{small}, {F({1, 3, 9, 9}), {DType::kF64, {4, 3, 3, 3}}}, "element types"},
      {BatchNorm{}, {F({1, 4}), F({4}), F({4}), F({4}), F({3})}, "per-channel"},
      {BatchNorm{}, {F({4}), F({4}), F({4}), F({4}), F({4})}, "channel axis"},
      {Gemm{}, {F({2, 3}), F({2, 3})}, "multiply"},
      {Gemm{}, {F({2, 3}), F({3, 4}), F({3})}, "broadcast"},
      {Gemm{}, {F({2, 3}), F({3, 4}), F({2, 2, 4})}, "broadcast"},
      {MatMul{}, {F({2, 3}), F({4, 2})}, "multiply"},
      {MatMul{}, {F({}), F({4, 2})}, "scalar"},
      {Softmax{2}, {F({1, 10})}, "axis 2"},
      {Softmax{-1}, {F({1, 10})}, "axis -1"},
      {Pool{PoolKind::kMax, small, {0}}, {F({1, 4, 9, 9})}, "overhang"},
      {Pool{PoolKind::kMax, small, {0, 0}}, {F({1, 4})}, "spatial"},
      {ReduceMean{{3, 2}}, {F({1, 4, 7, 7})}, "ascend"},
      {ReduceMean{{2, 2}}, {F({1, 4, 7, 7})}, "ascend"},
      {Binary{}, {F({3}), F({4})}, "broadcast"},
      {Sum{}, {}, "at least 1"},
      {Concat{0}, {F({2, 3}), F({2, 4})}, "expected"},
      {Concat{0}, {F({2, 3}), F({2, 3, 1})}, "expected"},
      {Split{1, {3, 3}}, {F({2, 7})}, "sizes"},
      {Split{1, {-1, 8}}, {F({2, 7})}, "sizes"},
      {Slice{{0}, {6}, {1}}, {F({5})}, "slice"},
      {Slice{{0}, {5}, {0}}, {F({5})}, "step"},
      {Reshape{{4}}, {F({5})}, "reshape"},
      {Reshape{{-1, -5}}, {F({5})}, "reshape"},
      {Transpose{{0, 0}}, {F({5, 6})}, "permutation"},
      {Pad{PadMode::kReflect, {5}, {0}, 0}, {F({5})}, "reflecting"},
      {Pad{PadMode::kConstant, {-3}, {-3}, 0}, {F({5})}, "removing"},
      {Pad{PadMode::kEdge, {1}, {0}, 0}, {F({0})}, "empty"},
      {Pad{PadMode::kConstant, {huge, huge}, {0, 0}, 0}, {F({5, 5})}, "too many"},
      {Identity{}, {F({huge, huge})}, "too many"},
      {Conv{small}, {F({0, 3, INT64_MAX, 9}), F({4, 3, 3, 3})}, "too many"},
      {Pad{PadMode::kConstant, {1, 1}, {1, 1}, 0}, {F({0, INT64_MAX})}, "too many"},
      {Resize{ResizeMode::kNearest, {}, {}, {0}, {5}}, {F({5})}, "scale"},
      {Resize{ResizeMode::kNearest, {}, {}, {1}, {0}}, {F({5})}, "sizes"},
      {Lrn{0}, {F({1, 10})}, "size"},
      {ChannelAffine{}, {F({2, 8}), F({8}), F({7})}, "shift"},
      {InvertedResidual{true, std::nullopt, kHalving, std::nullopt},
       {F({2, 8, 7, 5}), F({8, 1, 3, 3}), F({8}), F({9, 8, 1, 1}), F({9})},
       "takes 7 inputs"},
      {InvertedResidual{false, Activation{}, kHalving, std::nullopt},
       {F({2, 8, 7, 5}), F({8, 1, 3, 3}), F({8}), F({9, 8, 1, 1}), F({9})},
       "an expansion that there is not"},
      {InvertedResidual{false, std::nullopt, kHalving, std::nullopt},
       {F({2, 8, 7, 5}), F({8, 1, 3, 3}), F({7}), F({9, 8, 1, 1}), F({9})},
       "bias"},
      {InvertedResidual{false, std::nullopt, kHalving, std::nullopt},
       {F({2, 8, 7, 5}), F({16, 1, 3, 3}), F({8}), F({9, 16, 1, 1}), F({9})},
       "bias is"},
  };
  for (const Faulty& c : cases) {
    try {
      InferTypes(c.op, c.inputs);
      ADD_FAILURE() << OpText(c.op) << " was taken; expected a fault about " << c.says;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_NE(std::string(error.what()).find(c.says), std::string::npos)
          << OpText(c.op) << ": " << error.what() << " (expected: " << c.says << ")";
    }
  }
}

}  // namespace
}  // namespace fettle
