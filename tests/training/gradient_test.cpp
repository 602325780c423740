// The trainer's gradients, operator by operator, against central differences of a forward pass in
// double precision.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/core/target.h"
#include "fettle/core/threads.h"
#include "fettle/network/batch.h"
#include "fettle/training/trainer/network_pass.h"
#include "tests/support/fault.h"
#include "tests/support/network_builder.h"
#include "tests/support/sanitized.h"
#include "tests/training/training_interpreter.h"

namespace fettle {
namespace {

using testing::HasSubstr;

constexpr int64_t kBatch = 4;

// A network around the operators in question.
struct Case {
  const char* name;
  Graph (*make)();
  bool is_wide = false;
};

void PrintTo(const Case& which, std::ostream* out) { *out << which.name; }

// From a first convolution, so that the gradient of the operator's input counts, to a classifier.
Graph Around(int64_t channels, ValueId (*body)(NetworkBuilder*, ValueId)) {
  NetworkBuilder builder(7);
  ValueId x = builder.Input({1, 2, 6, 6});
  x = builder.Convolve("first", x, channels);
  builder.Classify(body(&builder, x));
  return builder.graph;
}

ValueId Conv3x3(NetworkBuilder* b, ValueId x) {
  return b->Convolve("conv", x, 7, {.kernel = 3, .has_bias = true});
}
ValueId StridedConv(NetworkBuilder* b, ValueId x) {
  return b->Convolve("conv", x, 4, {.kernel = 3, .stride = 2});
}
ValueId GroupedConv(NetworkBuilder* b, ValueId x) {
  return b->Convolve("conv", x, 8, {.kernel = 3, .groups = 2, .has_bias = true});
}
ValueId DepthwiseConv(NetworkBuilder* b, ValueId x) {
  return b->Convolve("conv", x, b->Channels(x), {.kernel = 5, .groups = b->Channels(x)});
}
ValueId DilatedConv(NetworkBuilder* b, ValueId x) {
  const Conv conv{{{3, 3}, {1, 1}, {2, 2}, {2, 1}, {1, 2}}, 1};
  return b->Add("conv", conv, {x, b->Constant("conv.weight", {3, b->Channels(x), 3, 3})});
}
ValueId Norm(NetworkBuilder* b, ValueId x) { return b->Normalise("bn", x); }
ValueId NormAndRelu(NetworkBuilder* b, ValueId x) { return b->Relu("relu", Norm(b, x)); }
ValueId NormAndClip(NetworkBuilder* b, ValueId x) {
  return b->Add("clip", Activation{ActivationKind::kClip, -0.5f, 0.75f}, {Norm(b, x)});
}
ValueId NormReadTwice(NetworkBuilder* b, ValueId x) {
  const ValueId y = Norm(b, x);
  return b->Add("add", Binary{BinaryKind::kAdd}, {b->Relu("relu", y), y});
}
ValueId Residual(NetworkBuilder* b, ValueId x) {
  ValueId y = b->Convolve("conv", NormAndRelu(b, x), b->Channels(x));
  y = b->Add("add", Binary{BinaryKind::kAdd}, {y, x});
  y = b->Relu("relu2", y);
  return b->Add("add2", Binary{BinaryKind::kAdd}, {b->Convolve("conv2", y, b->Channels(y)), y});
}
ValueId Twice(NetworkBuilder* b, ValueId x) {
  return b->Add("add", Binary{BinaryKind::kAdd}, {x, x});
}
ValueId TwiceAndRelu(NetworkBuilder* b, ValueId x) { return b->Relu("relu", Twice(b, x)); }
ValueId SumOfThree(NetworkBuilder* b, ValueId x) {
  const ValueId y = b->Convolve("conv", x, b->Channels(x));
  return b->Relu("relu", b->Add("sum", Sum{}, {x, y, b->Relu("relu_y", y)}));
}
ValueId SumOfOne(NetworkBuilder* b, ValueId x) { return b->Add("sum", Sum{}, {x}); }
ValueId MaxPooling(NetworkBuilder* b, ValueId x) {
  const Pool pool{PoolKind::kMax, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {0, 0}}, {1, 1}};
  return b->Add("pooling", pool, {x});
}
ValueId AveragePooling(NetworkBuilder* b, ValueId x) {
  const Pool pool{PoolKind::kAverage, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}, {0, 0}};
  return b->Add("pooling", pool, {x});
}
ValueId AveragePoolingWithPadding(NetworkBuilder* b, ValueId x) {
  const Pool pool{PoolKind::kAverage, {{2, 2}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}, {0, 0}, true};
  return b->Add("pooling", pool, {x});
}
ValueId Concatenated(NetworkBuilder* b, ValueId x) {
  const ValueId y = b->Convolve("conv", x, 3, {.kernel = 1});
  return b->Convolve("conv2", b->Add("concat", Concat{1}, {x, y, x}), 4, {.kernel = 1});
}
ValueId Same(NetworkBuilder* b, ValueId x) {
  return b->Add("same", Identity{}, {b->Add("also", Reshape{b->ShapeOf(x)}, {x})});
}
template <ActivationKind kKind>
ValueId Activated(NetworkBuilder* b, ValueId x) {
  const bool is_hard = kKind == ActivationKind::kHardSigmoid;
  return b->Add("activation", Activation{kKind, is_hard ? 0.2f : 0.1f, is_hard ? 0.5f : 0}, {x});
}

// Ends in flattened pixels, whose order matters.
Graph Flattened() {
  NetworkBuilder builder(8);
  ValueId x = builder.Convolve("first", builder.Input({1, 2, 5, 3}), 5);
  x = builder.Flatten("flatten", x);
  builder.graph.AddOutput(builder.Linear("classifier", builder.Relu("relu", x), 3));
  return builder.graph;
}
// Pixels, averaged by ReduceMean, a MatMul without bias, a softmax.
Graph AveragedAndMultiplied() {
  NetworkBuilder builder(9);
  ValueId x = builder.Convolve("first", builder.Input({1, 2, 5, 3}), 5);
  x = builder.Add("mean", ReduceMean{{2, 3}, false}, {x});
  x = builder.Add("matmul", MatMul{}, {x, builder.Constant("w", {5, 3})});
  builder.graph.AddOutput(x);
  return builder.graph;
}
Graph GemmNotTransposed() {
  NetworkBuilder builder(10);
  ValueId x = builder.Input({1, 6});
  x = builder.Add("gemm", Gemm{}, {x, builder.Constant("w", {6, 5}), builder.Constant("b", {5})});
  builder.graph.AddOutput(builder.Linear("classifier", builder.Relu("relu", x), 3));
  return builder.graph;
}
// One weight read by two convolutions.
Graph SharedWeights() {
  NetworkBuilder builder(11);
  ValueId x = builder.Convolve("first", builder.Input({1, 2, 6, 6}), 4);
  const ValueId w = builder.Constant("w", {4, 4, 3, 3});
  const Conv conv{NetworkBuilder::WindowOf(3, 1, 1), 1};
  x = builder.Relu("relu", builder.Add("conv1", conv, {x, w}));
  builder.Classify(builder.Add("conv2", conv, {x, w}));
  return builder.graph;
}
Graph OneSpatialAxis() {
  NetworkBuilder builder(12);
  const Conv conv{{{3}, {1}, {1}, {1}, {1}}, 1};
  ValueId x = builder.Input({1, 2, 7});
  x = builder.Add("conv", conv, {x, builder.Constant("w", {5, 2, 3})});
  builder.Classify(builder.Relu("relu", builder.Normalise("bn", x)));
  return builder.graph;
}

template <ValueId (*kBody)(NetworkBuilder*, ValueId), int64_t kChannels = 4>
Graph With() {
  return Around(kChannels, kBody);
}

const Case kCases[] = {
    {"Conv3x3", With<Conv3x3>},
    {"Conv13Channels", With<Conv3x3, 13>},
    {"StridedConv", With<StridedConv>},
    {"GroupedConv", With<GroupedConv>},
    {"DepthwiseConv", With<DepthwiseConv, 6>},
    {"DilatedConv", With<DilatedConv>},
    {"BatchNorm", With<Norm>},
    {"BatchNorm37Channels", With<Norm, 37>},
    {"BatchNormRelu", With<NormAndRelu>},
    {"BatchNormRelu600Channels", With<NormAndRelu, 600>, /*is_wide=*/true},
    {"BatchNormClip", With<NormAndClip, 16>},
    {"BatchNormReadTwice", With<NormReadTwice>},
    {"Residual", With<Residual>},
    {"Twice", With<Twice>},
    {"TwiceRelu", With<TwiceAndRelu>},
    {"SumOfThree", With<SumOfThree>},
    {"SumOfOne", With<SumOfOne>},
    {"MaxPooling", With<MaxPooling>},
    {"AveragePooling", With<AveragePooling>},
    {"AveragePoolingWithPadding", With<AveragePoolingWithPadding>},
    {"Concatenation", With<Concatenated>},
    {"Views", With<Same>},
    {"Relu", With<Activated<ActivationKind::kRelu>>},
    {"LeakyRelu", With<Activated<ActivationKind::kLeakyRelu>>},
    {"Sigmoid", With<Activated<ActivationKind::kSigmoid>>},
    {"HardSigmoid", With<Activated<ActivationKind::kHardSigmoid>>},
    {"HardSwish", With<Activated<ActivationKind::kHardSwish>>},
    {"Tanh", With<Activated<ActivationKind::kTanh>>},
    {"Flatten", Flattened},
    {"ReduceMeanMatMul", AveragedAndMultiplied},
    {"Gemm", GemmNotTransposed},
    {"SharedWeights", SharedWeights},
    {"OneSpatialAxis", OneSpatialAxis},
};

// Everything the host has, from the plainest code to the widest.
std::vector<Target> Targets() {
  const Target host = HostTarget(1);
  std::vector<Target> targets{Target{}};
  if (host.has_avx2) targets.push_back(Target{1, true});
  if (host.has_avx512) targets.push_back(host);
  return targets;
}

// A pass over one batch, and the same in double precision. The loss is a random linear form of the
// logits.
class Check {
 public:
  Check(const Graph& graph, DType dtype, const Target& target)
      : graph_(WithBatch(graph, kBatch)),
        parameters_(ParametersOf(graph)),
        pass_(graph, &parameters_, kBatch, dtype, target) {
    Random random(3);
    const Shape& shape = graph_.value(graph_.inputs()[0]).type.shape;
    input_ = {shape, std::vector<double>(static_cast<size_t>(ElementCount(shape)))};
    for (double& value : input_.values) value = static_cast<float>(random.Normal());
    StoreChannelsLast();
    for (const Parameter& parameter : parameters_) constants_.push_back(ToArray(parameter.values));
    pass_.Forward(PassMode::kTraining);
    for (float& value : pass_.logits_gradient()) {
      value = static_cast<float>(random.Normal());
      slopes_.push_back(value);
    }
    pass_.Backward();
  }

  void ExpectLogits(double tolerance) {
    const Array expected = InterpretInTraining(graph_, input_, constants_);
    ASSERT_EQ(pass_.logits().size(), expected.values.size());
    for (size_t i = 0; i < expected.values.size(); ++i) {
      EXPECT_NEAR(pass_.logits()[i], expected.values[i],
                  tolerance * (1 + std::abs(expected.values[i])));
    }
  }

  // Of each learned parameter up to this many values, against central differences; the difference
  // in proportion to the largest of the parameter's gradients.
  void ExpectGradients(double tolerance, size_t values_each) {
    for (size_t p = 0; p < parameters_.size(); ++p) {
      if (parameters_[p].kind == ParameterKind::kEstimated) continue;
      const auto gradient = pass_.gradients()[p].values<float>();
      const size_t stride = std::max<size_t>(1, gradient.size() / values_each);
      double largest = 1e-3, worst = 0;
      for (size_t i = 0; i < gradient.size(); i += stride) {
        const double expected = CentralDifference(&constants_[p].values[i]);
        largest = std::max(largest, std::abs(expected));
        worst = std::max(worst, std::abs(expected - gradient[i]));
      }
      EXPECT_LE(worst, tolerance * largest) << parameters_[p].name;
    }
  }

 private:
  double Loss() const {
    const Array logits = InterpretInTraining(graph_, input_, constants_);
    double loss = 0;
    for (size_t i = 0; i < slopes_.size(); ++i) loss += slopes_[i] * logits.values[i];
    return loss;
  }

  double CentralDifference(double* value) const {
    constexpr double kStep = 1e-6;
    const double before = *value;
    *value = before + kStep;
    const double above = Loss();
    *value = before - kStep;
    const double below = Loss();
    *value = before;
    return (above - below) / (2 * kStep);
  }

  void StoreChannelsLast() {
    const int64_t channels = input_.shape[1];
    const int64_t plane = ElementCount(input_.shape) / (kBatch * channels);
    for (int64_t i = 0; i < ElementCount(input_.shape); ++i) {
      const int64_t pixel = i % plane, channel = i / plane % channels, image = i / plane / channels;
      pass_.input()[static_cast<size_t>((image * plane + pixel) * channels + channel)] =
          static_cast<float>(input_.values[static_cast<size_t>(i)]);
    }
  }

  ThreadScope one_thread_{1};
  Graph graph_;
  std::vector<Parameter> parameters_;
  NetworkPass pass_;
  Array input_;
  std::vector<Array> constants_;
  std::vector<double> slopes_;
};

class GradientTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (kIsSanitized && GetParam().is_wide) GTEST_SKIP() << "takes a minute under the sanitizers";
  }
};

TEST_P(GradientTest, AgreesWithCentralDifferences) {
  for (const Target& target : Targets()) {
    SCOPED_TRACE(testing::Message()
                 << "avx2 " << target.has_avx2 << " avx512 " << target.has_avx512);
    Check check(GetParam().make(), DType::kF32, target);
    check.ExpectLogits(1e-4);
    check.ExpectGradients(1e-3, target.has_avx2 ? 4 : 12);
  }
}

TEST_P(GradientTest, InBf16) {
  const Target host = HostTarget(1);
  if (!host.has_avx512_bf16) GTEST_SKIP() << "the processor lacks bf16";
  Check check(GetParam().make(), DType::kBF16, host);
  check.ExpectLogits(0.1);
  check.ExpectGradients(0.35, 8);  // rounding moves values across the corners of activations
}

INSTANTIATE_TEST_SUITE_P(Operators, GradientTest, testing::ValuesIn(kCases),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(NetworkPassTest, LeavesOutASoftmaxAtTheEnd) {
  NetworkBuilder builder(9);
  ValueId x = builder.Add("gemm", Gemm{}, {builder.Input({1, 4}), builder.Constant("w", {4, 3})});
  builder.graph.AddOutput(builder.Add("softmax", Softmax{1}, {x}));
  const auto parameters = ParametersOf(builder.graph);
  NetworkPass pass(builder.graph, &parameters, 1, DType::kF32, HostTarget(1));
  pass.input()[0] = 1;
  pass.Forward(PassMode::kTraining);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_FLOAT_EQ(pass.logits()[i], parameters[0].values.values<float>()[i]);
  }
}

// In inference form batch norm takes what the graph says, and what the batch would say is estimated
// in training form: the mean, and the variance with n - 1.
TEST(NetworkPassTest, BatchNormInBothModes) {
  NetworkBuilder builder(9);
  builder.Classify(builder.Normalise("bn", builder.Input({1, 1, 1, 2})), 1);
  const auto parameters = ParametersOf(builder.graph);
  NetworkPass pass(builder.graph, &parameters, 2, DType::kF32, HostTarget(1));
  const float pixels[] = {1, 2, 3, 6};
  std::copy_n(pixels, 4, pass.input().data());
  pass.Forward(PassMode::kTraining);
  EXPECT_FLOAT_EQ(pass.gradients()[2].values<float>()[0], 3);
  EXPECT_FLOAT_EQ(pass.gradients()[3].values<float>()[0], 14.0f / 3);
  pass.Forward(PassMode::kInference);
  const auto value = [&](size_t i) -> double { return parameters[i].values.values<float>()[0]; };
  const double mean_output = value(0) * (1.5 - value(2)) / std::sqrt(value(3) + 1e-5) + value(1);
  EXPECT_NEAR(pass.logits()[0], mean_output * value(4) + value(5), 1e-5);
}

std::string FaultOfPass(const Graph& graph) {
  return FaultOf([&] {
    const auto parameters = ParametersOf(graph);
    NetworkPass(graph, &parameters, 2, DType::kF32, HostTarget(1));
  });
}

TEST(NetworkPassTest, NamesTheNodeThatCannotBeTrained) {
  EXPECT_THAT(FaultOfPass(Around(
                  4, [](NetworkBuilder* b, ValueId x) { return b->Add("odd", Lrn{}, {x}); })),
              testing::AllOf(HasSubstr("node 'odd'"), HasSubstr("lrn")));
  EXPECT_THAT(FaultOfPass(Around(4,
                                 [](NetworkBuilder* b, ValueId x) {
                                   return b->Add("odd", Binary{BinaryKind::kMul}, {x, x});
                                 })),
              HasSubstr("node 'odd'"));
  EXPECT_THAT(FaultOfPass(Around(4,
                                 [](NetworkBuilder* b, ValueId x) {
                                   return b->Add("odd", Concat{2}, {x, x});
                                 })),
              HasSubstr("node 'odd'"));
  EXPECT_THAT(
      FaultOfPass(
          Around(4,
                 [](NetworkBuilder* b, ValueId x) {
                   return b->Add("odd", Binary{BinaryKind::kAdd}, {x, b->Constant("c", {4, 1, 1})});
                 })),
      HasSubstr("node 'odd'"));
}

TEST(NetworkPassTest, RefusesWhatIsNoClassifier) {
  NetworkBuilder image(1);
  image.graph.AddOutput(image.Convolve("conv", image.Input({1, 2, 4, 4}), 3));
  EXPECT_THAT(FaultOfPass(image.graph), HasSubstr("[batch, classes]"));
  NetworkBuilder two(1);
  two.Classify(two.Convolve("conv", two.Input({1, 2, 4, 4}), 3));
  two.graph.AddOutput(two.graph.outputs()[0]);
  EXPECT_THAT(FaultOfPass(two.graph), HasSubstr("one output"));
  NetworkBuilder constant(1);
  constant.graph.AddOutput(constant.Relu("relu", constant.Input({1, 3})));
  EXPECT_THAT(FaultOfPass(constant.graph), HasSubstr("no weights"));
}

}  // namespace
}  // namespace fettle
