#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fettle/network/batch.h"
#include "fettle/training/evaluation/calibrate.h"
#include "fettle/training/evaluation/onednn_second_moments.h"
#include "tests/support/fault.h"
#include "tests/support/graph_interpreter.h"
#include "tests/support/network_builder.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

using testing::HasSubstr;

TEST(ActivationHistogramTest, CountsOverARangeThatGrows) {
  ActivationHistogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  histogram.Add(std::vector<float>{0.5f, -0.25f});
  EXPECT_EQ(histogram.limit(), 0.5);
  histogram.Add(std::vector<float>{3, 0});
  EXPECT_EQ(histogram.limit(), 4);
  EXPECT_EQ(histogram.low(), -0.25);
  EXPECT_EQ(histogram.high(), 3);
  EXPECT_EQ(histogram.count(), 4);
  int64_t sum = 0;
  for (const int64_t bin : histogram.bins()) sum += bin;
  EXPECT_EQ(sum, 4);
  // -0.25 stands at (4 - 0.25) / 8 of the bins.
  EXPECT_EQ(histogram.bins()[static_cast<size_t>(3.75 / 8 * ActivationHistogram::kBins)], 1);
}

TEST(ActivationHistogramTest, QuantilesAreThoseOfTheValues) {
  std::vector<float> values;
  for (int i = 0; i <= 1000; ++i) values.push_back(static_cast<float>(i) / 1000 - 0.3f);
  ActivationHistogram histogram;
  histogram.Add(values);
  EXPECT_NEAR(histogram.Quantile(0), -0.3, 1e-3);
  EXPECT_NEAR(histogram.Quantile(0.5), 0.2, 2e-3);
  EXPECT_NEAR(histogram.Quantile(0.99), 0.69, 2e-3);
  EXPECT_FLOAT_EQ(static_cast<float>(histogram.Quantile(1)), 0.7f);
}

TEST(ActivationHistogramTest, WhatIsNotFiniteIsCountedApart) {
  ActivationHistogram histogram;
  histogram.Add(std::vector<float>{1, std::numeric_limits<float>::infinity(), std::nanf("")});
  EXPECT_EQ(histogram.not_finite(), 2);
  EXPECT_EQ(histogram.count(), 1);
  EXPECT_EQ(histogram.high(), 1);
}

TEST(SecondMomentsTest, AreAddedToWhatIsThere) {
  std::vector<double> sums = {1, 0, 0, 0};
  AddSecondMoments({1, 2, 3, 4, 5, 6}, 3, 2, &sums);
  EXPECT_EQ(sums, (std::vector<double>{36, 44, 44, 56}));
}

Graph Network() {
  NetworkBuilder b(5);
  const ValueId x = b.Unit("first", b.Input({1, 1, 6, 6}), 4);
  ValueId y = b.Unit("second", x, 4);
  y = b.Relu("relu", b.Add("sum", Binary{BinaryKind::kAdd}, {x, y}));
  b.Classify(b.MaxPool("max", b.Convolve("third", y, 6, {.has_bias = true})), 4);
  return b.graph;
}

// The channels' values over all images and positions.
std::vector<std::vector<double>> OfChannels(const Array& array) {
  const auto channels = static_cast<size_t>(array.shape[1]);
  const auto plane = array.values.size() / (static_cast<size_t>(array.shape[0]) * channels);
  std::vector<std::vector<double>> result(channels);
  for (size_t i = 0; i < array.values.size(); ++i) {
    result[i / plane % channels].push_back(array.values[i]);
  }
  return result;
}

TEST(CalibrationTest, AgreesWithTheInterpreter) {
  constexpr int64_t kImages = 70;  // more than a batch, and no multiple of it
  const Graph graph = Network();
  const Dataset dataset = ToyDataset(kImages, {1, 6, 6}, 3);
  const std::vector<ValueId> values = ValuesToCalibrate(graph);
  const Calibration calibration =
      Calibrate(graph, values, dataset, PrimitiveList::All(), HostTarget(2));
  ASSERT_EQ(calibration.values.size(), values.size());
  ASSERT_EQ(values.size(), 8u);  // inputs and outputs of three convolutions and a product
  const Graph of_batch = WithBatch(graph, kImages);
  const std::vector<Array> inputs = {ToArray(Images(dataset, 0, kImages))};
  for (const auto& [id, array] : InterpretAll(of_batch, inputs)) {
    const auto found = calibration.values.find(of_batch.value(id).name);
    if (found == calibration.values.end()) continue;
    SCOPED_TRACE(found->first);
    const ActivationStatistics& statistics = found->second;
    const auto [low, high] = std::ranges::minmax_element(array.values);
    EXPECT_NEAR(statistics.histogram.low(), *low, 1e-4);
    EXPECT_NEAR(statistics.histogram.high(), *high, 1e-4);
    const auto channels = OfChannels(array);
    ASSERT_EQ(statistics.channels(), static_cast<int64_t>(channels.size()));
    const size_t count = channels[0].size();
    EXPECT_EQ(statistics.samples, static_cast<int64_t>(count));
    std::vector<double> means;
    for (const auto& channel : channels) {
      double sum = 0;
      for (const double value : channel) sum += value;
      means.push_back(sum / static_cast<double>(count));
    }
    for (size_t a = 0; a < channels.size(); ++a) {
      EXPECT_NEAR(statistics.mean[a], means[a], 1e-4);
      for (size_t b = 0; b < channels.size(); ++b) {
        double sum = 0;
        for (size_t i = 0; i < count; ++i) {
          sum += (channels[a][i] - means[a]) * (channels[b][i] - means[b]);
        }
        EXPECT_NEAR(statistics.covariance[a * channels.size() + b],
                    sum / static_cast<double>(count), 1e-3);
      }
    }
  }
}

// Of so few images every position is looked at.
TEST(CalibrationTest, PatchesAreWhatKernelsAreMultipliedWith) {
  constexpr int64_t kImages = 2, kSide = 6, kOut = 3;
  NetworkBuilder b(7);
  const ValueId x = b.Relu("relu", b.Convolve("pointwise", b.Input({1, 1, kSide, kSide}), 4,
                                              {.kernel = 1, .has_bias = true}));
  b.Classify(b.Convolve("strided", x, 5, {.stride = 2}), 4);
  const Dataset dataset = ToyDataset(kImages, {1, kSide, kSide}, 3);
  const Calibration calibration =
      Calibrate(b.graph, ValuesToCalibrate(b.graph), dataset, PrimitiveList::All(), HostTarget(1));
  ASSERT_EQ(calibration.patches.size(), 1u);  // 1x1 and products: those of their values
  const Moments& moments = calibration.patches.at("strided");
  ASSERT_EQ(moments.size(), 36u);
  EXPECT_EQ(moments.samples, kImages * kOut * kOut);
  const Graph of_batch = WithBatch(b.graph, kImages);
  const std::vector<Array> inputs = {ToArray(Images(dataset, 0, kImages))};
  const Array input = InterpretAll(of_batch, inputs).at(of_batch.nodes()[2].inputs[0]);
  std::vector<std::vector<double>> patches;
  for (int64_t position = 0; position < moments.samples; ++position) {
    std::vector<double>& patch = patches.emplace_back();
    const int64_t n = position / (kOut * kOut), row = position / kOut % kOut,
                  column = position % kOut;
    for (int64_t entry = 0; entry < 36; ++entry) {
      const int64_t c = entry / 9, y = 2 * row + entry / 3 % 3 - 1, x0 = 2 * column + entry % 3 - 1;
      const bool is_inside = y >= 0 && y < kSide && x0 >= 0 && x0 < kSide;
      patch.push_back(
          is_inside ? input.values[static_cast<size_t>(((n * 4 + c) * kSide + y) * kSide + x0)]
                    : 0);
    }
  }
  const auto mean_of = [&](const auto& value_of) {
    double sum = 0;
    for (const std::vector<double>& patch : patches) sum += value_of(patch);
    return sum / static_cast<double>(patches.size());
  };
  for (size_t i = 0; i < 36; ++i) {
    EXPECT_NEAR(moments.mean[i], mean_of([&](const auto& patch) { return patch[i]; }), 1e-5);
    for (size_t k = 0; k < 36; ++k) {
      const double covariance = mean_of([&](const auto& patch) {
        return (patch[i] - moments.mean[i]) * (patch[k] - moments.mean[k]);
      });
      EXPECT_NEAR(moments.covariance[i * 36 + k], covariance, 1e-4);
    }
  }
}

// Of 16 positions of 32x32 every 64th would be in the leftmost column, where half is padding.
TEST(CalibrationTest, PatchesAreOfAllColumns) {
  NetworkBuilder b(8);
  const ValueId x = b.Convolve("conv", b.Input({1, 1, 32, 32}), 4);
  b.Classify(b.Relu("relu", x), 4);
  const Dataset dataset = ToyDataset(40, {1, 32, 32}, 3);
  const Calibration calibration =
      Calibrate(b.graph, ValuesToCalibrate(b.graph), dataset, PrimitiveList::All(), HostTarget(1));
  const Moments& moments = calibration.patches.at("conv");
  ASSERT_EQ(moments.size(), 9u);
  ASSERT_EQ(moments.samples, 40 * 16);
  for (size_t tap = 0; tap < 9; ++tap) {
    EXPECT_NEAR(moments.covariance[tap * 10] / moments.covariance[4 * 10], 1, 0.3) << tap;
  }
}

TEST(CalibrationTest, RefusesWhatDoesNotFitOrIsNotFinite) {
  const auto fault = [](const Graph& graph, const Dataset& dataset) {
    return FaultOf([&] {
      Calibrate(graph, ValuesToCalibrate(graph), dataset, PrimitiveList::All(), HostTarget(1));
    });
  };
  EXPECT_THAT(fault(Network(), ToyDataset(4, {1, 5, 5}, 1)), HasSubstr("1x5x5"));
  Graph broken = Network();
  const ValueId bias = broken.nodes().back().inputs[2];
  Tensor nan(broken.value(bias).type);
  nan.values<float>()[0] = std::nanf("");
  broken.SetConstant(bias, std::make_shared<const Tensor>(std::move(nan)));
  EXPECT_THAT(fault(broken, ToyDataset(4, {1, 6, 6}, 1)), HasSubstr("'classifier'"));
}

}  // namespace
}  // namespace fettle
