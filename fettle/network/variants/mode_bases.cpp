#include "fettle/network/variants/mode_bases.h"

#include <cassert>
#include <utility>
#include <vector>

#include "fettle/network/variants/low_rank.h"
#include "fettle/network/variants/unfolding.h"

namespace fettle {
namespace {

// [R, C * taps] to [R * taps, C].
Matrix TapsToRows(const Matrix& matrix, size_t taps) {
  const size_t channels = matrix.columns() / taps;
  Matrix result(matrix.rows() * taps, channels);
  for (size_t r = 0; r < matrix.rows(); ++r) {
    for (size_t c = 0; c < channels; ++c) {
      for (size_t tap = 0; tap < taps; ++tap) result(r * taps + tap, c) = matrix(r, c * taps + tap);
    }
  }
  return result;
}

Matrix TapsToColumns(const Matrix& matrix, size_t taps) {
  const size_t rows = matrix.rows() / taps;
  Matrix result(rows, matrix.columns() * taps);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < matrix.columns(); ++c) {
      for (size_t tap = 0; tap < taps; ++tap) result(r, c * taps + tap) = matrix(r * taps + tap, c);
    }
  }
  return result;
}

// Of channels, the mean over the taps.
Matrix ChannelCovariance(const Moments& moments, size_t taps) {
  const Matrix mean = MeanCovariance(moments, taps);
  const size_t channels = mean.rows();
  const Moments of_channels{
      moments.samples, std::vector<double>(channels), {mean.values().begin(), mean.values().end()}};
  return CovarianceBlock(of_channels, 0, channels);
}

}  // namespace

TwoModes ProjectModes(const Matrix& kernel, size_t taps, const Moments* input, size_t outputs,
                      size_t inputs) {
  LowRank of_outputs, of_inputs;
  if (input == nullptr) {
    of_outputs = LowRankOf(kernel, nullptr, outputs);
    of_inputs = LowRankOf(TapsToRows(of_outputs.right, taps), nullptr, inputs);
  } else {
    const Matrix patches = CovarianceBlock(*input, 0, input->size());
    of_outputs = LowRankOf(kernel, &patches, outputs);
    const Matrix channels = ChannelCovariance(*input, taps);
    of_inputs = LowRankOf(TapsToRows(of_outputs.right, taps), &channels, inputs);
  }
  return {std::move(of_outputs.left), TapsToColumns(of_inputs.left, taps),
          std::move(of_inputs.right)};
}

Matrix FeaturesOf(const TwoModes& modes, size_t taps) {
  return TapsToColumns(Product(TapsToRows(modes.core, taps), modes.first), taps);
}

}  // namespace fettle
