// The interpreter of tests/support, against numbers worked out by hand: what else is compared with
// it must be able to trust it.
#include "tests/support/graph_interpreter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <stdexcept>

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::Pointwise;

Array Counting(const Shape& shape, double first = 0) {
  Array array{shape, std::vector<double>(static_cast<size_t>(ElementCount(shape)))};
  std::iota(array.values.begin(), array.values.end(), first);
  return array;
}

std::vector<Array> RunAll(const Op& op, const std::vector<Array>& inputs) {
  Graph graph;
  std::vector<ValueId> ids;
  for (const Array& input : inputs) ids.push_back(graph.AddInput("x", {DType::kF32, input.shape}));
  for (ValueId id : graph.AddNode("y", op, ids)) graph.AddOutput(id);
  return Interpret(graph, inputs);
}

void ExpectRun(const Op& op, const std::vector<Array>& inputs, const Array& expected) {
  const std::vector<Array> outputs = RunAll(op, inputs);
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].shape, expected.shape) << OpText(op);
  EXPECT_THAT(outputs[0].values, Pointwise(testing::DoubleNear(1e-7), expected.values))
      << OpText(op);
}

Window Square(int64_t kernel, int64_t stride, int64_t pad) {
  return {{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}};
}

TEST(GraphInterpreterTest, Convolutions) {
  // 0 1 2 / 3 4 5 / 6 7 8 under 1 10 / 100 1000, bias 0.5.
  const Array w{{1, 1, 2, 2}, {1, 10, 100, 1000}};
  ExpectRun(Conv{Square(2, 1, 0), 1}, {Counting({1, 1, 3, 3}), w, {{1}, {0.5}}},
            {{1, 1, 2, 2}, {4310.5, 5421.5, 7643.5, 8754.5}});
  ExpectRun(Conv{Square(2, 2, 1), 1}, {Counting({1, 1, 3, 3}), w},
            {{1, 1, 2, 2}, {0, 2100, 6030, 8754}});
  // Two groups of one input and two filters each.
  ExpectRun(Conv{Square(1, 1, 0), 2}, {{{1, 2, 1, 1}, {3, 5}}, {{4, 1, 1, 1}, {1, 2, 3, 4}}},
            {{1, 4, 1, 1}, {3, 6, 15, 20}});
  // Two inputs; one spatial axis, dilated and padded at the end alone.
  ExpectRun(Conv{{{2}, {1}, {2}, {0}, {1}}, 1},
            {{{1, 2, 3}, {1, 2, 3, 10, 20, 30}}, {{1, 2, 2}, {1, 2, 3, 4}}},
            {{1, 1, 2}, {1 + 6 + 30 + 120, 2 + 60}});
}

TEST(GraphInterpreterTest, NormalisationAndProducts) {
  ExpectRun(BatchNorm{0},
            {Counting({1, 2, 2}), {{2}, {2, 3}}, {{2}, {1, 1}}, {{2}, {0, 1}}, {{2}, {4, 1}}},
            {{1, 2, 2}, {1, 2, 4, 7}});
  const Array a{{2, 2}, {1, 2, 3, 4}}, b{{2, 2}, {5, 6, 7, 8}};
  ExpectRun(Gemm{}, {a, b}, {{2, 2}, {19, 22, 43, 50}});
  ExpectRun(Gemm{true, true, 2, 3}, {a, b, {{2, 1}, {1, 2}}}, {{2, 2}, {49, 65, 74, 98}});
  ExpectRun(MatMul{}, {a, {{2}, {1, 10}}}, {{2}, {21, 43}});
  ExpectRun(MatMul{}, {{{2}, {1, 10}}, a}, {{2}, {31, 42}});
  ExpectRun(MatMul{}, {{{2}, {1, 10}}, {{2}, {3, 4}}}, {{}, {43}});
  ExpectRun(MatMul{}, {Counting({2, 1, 2}), b}, {{2, 1, 2}, {7, 8, 31, 36}});
}

TEST(GraphInterpreterTest, Activations) {
  const Array x{{4}, {-4, -1, 1, 4}};
  ExpectRun(Activation{}, {x}, {{4}, {0, 0, 1, 4}});
  ExpectRun(Activation{ActivationKind::kClip, -2, 3}, {x}, {{4}, {-2, -1, 1, 3}});
  ExpectRun(Activation{ActivationKind::kLeakyRelu, 0.5f, 0}, {x}, {{4}, {-2, -0.5, 1, 4}});
  ExpectRun(Activation{ActivationKind::kSigmoid, 0, 0}, {x},
            {{4}, {0.01798621, 0.26894142, 0.73105858, 0.98201379}});
  ExpectRun(Activation{ActivationKind::kHardSigmoid, 0.25f, 0.5f}, {x}, {{4}, {0, 0.25, 0.75, 1}});
  ExpectRun(Activation{ActivationKind::kHardSwish, 0, 0}, {x}, {{4}, {0, -1. / 3, 2. / 3, 4}});
  ExpectRun(Activation{ActivationKind::kTanh, 0, 0}, {x},
            {{4}, {-0.99932930, -0.76159416, 0.76159416, 0.99932930}});
  ExpectRun(Softmax{1}, {{{2, 2}, {0, std::log(3.), 1000, 1000}}}, {{2, 2}, {.25, .75, .5, .5}});
  ExpectRun(Softmax{0}, {{{2, 1}, {0, std::log(3.)}}}, {{2, 1}, {.25, .75}});
}

TEST(GraphInterpreterTest, Pools) {
  const Array x = Counting({1, 1, 3, 3}, 1);
  ExpectRun(Pool{PoolKind::kMax, Square(2, 2, 0), {1, 1}}, {x}, {{1, 1, 2, 2}, {5, 6, 8, 9}});
  ExpectRun(Pool{PoolKind::kMax, Square(2, 2, 1), {0, 0}}, {Counting({1, 1, 3, 3}, -9)},
            {{1, 1, 2, 2}, {-9, -7, -3, -1}});
  ExpectRun(Pool{PoolKind::kAverage, Square(2, 2, 1), {0, 0}, false}, {x},
            {{1, 1, 2, 2}, {1, 2.5, 5.5, 7}});
  ExpectRun(Pool{PoolKind::kAverage, Square(2, 2, 1), {0, 0}, true}, {x},
            {{1, 1, 2, 2}, {0.25, 1.25, 2.75, 7}});
  // What the last window reaches over by ceil_mode is never counted.
  ExpectRun(Pool{PoolKind::kAverage, Square(2, 2, 0), {1, 1}, true}, {x},
            {{1, 1, 2, 2}, {3, 4.5, 7.5, 9}});
  ExpectRun(GlobalAveragePool{}, {Counting({1, 2, 2, 2})}, {{1, 2, 1, 1}, {1.5, 5.5}});
  ExpectRun(ReduceMean{{0, 2}, false}, {Counting({2, 2, 2})}, {{2}, {2.5, 4.5}});
  ExpectRun(ReduceMean{{1}, true}, {Counting({2, 2})}, {{2, 1}, {0.5, 2.5}});
}

TEST(GraphInterpreterTest, SumsAndBroadcasting) {
  const Array row{{3}, {1, 2, 4}}, column{{2, 1}, {10, 20}};
  ExpectRun(Binary{BinaryKind::kSub}, {column, row}, {{2, 3}, {9, 8, 6, 19, 18, 16}});
  ExpectRun(Binary{BinaryKind::kDiv}, {column, row}, {{2, 3}, {10, 5, 2.5, 20, 10, 5}});
  ExpectRun(Binary{BinaryKind::kMul}, {row, {{}, {3}}}, {{3}, {3, 6, 12}});
  ExpectRun(Binary{}, {row, row}, {{3}, {2, 4, 8}});
  ExpectRun(Sum{}, {row, column, {{}, {100}}}, {{2, 3}, {111, 112, 114, 121, 122, 124}});
}

TEST(GraphInterpreterTest, MovingElements) {
  ExpectRun(Concat{1}, {Counting({2, 1}), Counting({2, 2}, 10)}, {{2, 3}, {0, 10, 11, 1, 12, 13}});
  const std::vector<Array> parts = RunAll(Split{1, {1, 2}}, {Counting({2, 3})});
  EXPECT_THAT(parts[0].values, ElementsAre(0, 3));
  EXPECT_THAT(parts[1].values, ElementsAre(1, 2, 4, 5));
  ExpectRun(Slice{{1, 2}, {2, -1}, {1, -2}}, {Counting({2, 3})}, {{1, 2}, {5, 3}});
  ExpectRun(Reshape{{3, 2}}, {Counting({2, 3})}, Counting({3, 2}));
  ExpectRun(Transpose{{2, 0, 1}}, {Counting({1, 2, 3})}, {{3, 1, 2}, {0, 3, 1, 4, 2, 5}});
  ExpectRun(Pad{PadMode::kConstant, {2}, {-1}, 9}, {Counting({3})}, {{4}, {9, 9, 0, 1}});
  ExpectRun(Pad{PadMode::kReflect, {2}, {1}, 0}, {Counting({3})}, {{6}, {2, 1, 0, 1, 2, 1}});
  ExpectRun(Pad{PadMode::kEdge, {2}, {1}, 0}, {Counting({3})}, {{6}, {0, 0, 0, 1, 2, 2}});
  ExpectRun(Identity{}, {Counting({3})}, Counting({3}));
}

TEST(GraphInterpreterTest, Resizing) {
  Resize op{.coordinates = ResizeCoordinates::kAsymmetric,
            .rounding = NearestRounding::kFloor,
            .scales = {2},
            .sizes = {4}};
  ExpectRun(op, {{{2}, {1, 3}}}, {{4}, {1, 1, 3, 3}});
  op.mode = ResizeMode::kLinear;
  ExpectRun(op, {{{2}, {1, 3}}}, {{4}, {1, 2, 3, 3}});
  op.coordinates = ResizeCoordinates::kHalfPixel;
  ExpectRun(op, {{{2}, {1, 3}}}, {{4}, {1, 1.5, 2.5, 3}});
  op.coordinates = ResizeCoordinates::kAlignCorners;
  ExpectRun(op, {{{2}, {1, 4}}}, {{4}, {1, 2, 3, 4}});
  op.coordinates = ResizeCoordinates::kPytorchHalfPixel;
  op.scales = {0.5};
  op.sizes = {1};
  ExpectRun(op, {{{2}, {1, 4}}}, {{1}, {1}});
}

TEST(GraphInterpreterTest, LrnAndCasts) {
  // size 3: squares of the neighbours on both sides, (1 + 2/3 * sum)^-1.
  ExpectRun(Lrn{3, 2, 1, 1}, {{{1, 3, 1}, {1, 2, 3}}},
            {{1, 3, 1}, {1 / (1 + 2. / 3 * 5), 2 / (1 + 2. / 3 * 14), 3 / (1 + 2. / 3 * 13)}});
  // An even size reaches further behind.
  ExpectRun(Lrn{2, 2, 1, 1}, {{{1, 3, 1}, {1, 2, 3}}}, {{1, 3, 1}, {1. / 6, 2. / 14, 3. / 10}});
  ExpectRun(Cast{DType::kI8}, {{{4}, {-1.7, 1.7, 200, -200}}}, {{4}, {-1, 1, 127, -128}});
  ExpectRun(Cast{DType::kBool}, {{{3}, {0, -2, 0.5}}}, {{3}, {0, 1, 1}});
}

TEST(GraphInterpreterTest, RefusesWhatDoesNotFit) {
  EXPECT_THROW(RunAll(Reorder{}, {Counting({2})}), std::invalid_argument);
  Graph graph;
  graph.AddOutput(graph.AddNode("y", Identity{}, {graph.AddInput("x", {DType::kF32, {2}})})[0]);
  EXPECT_THROW(Interpret(graph, {}), std::invalid_argument);
  EXPECT_THROW(Interpret(graph, std::vector{Counting({3})}), std::invalid_argument);
  EXPECT_THROW(Interpret(graph, std::vector{Array{{2}, {1}}}), std::invalid_argument);
}

}  // namespace
}  // namespace fettle
