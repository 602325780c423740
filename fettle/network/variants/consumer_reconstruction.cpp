#include "fettle/network/variants/consumer_reconstruction.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "fettle/network/variants/consumer_weights.h"
#include "fettle/network/variants/factor.h"
#include "fettle/network/variants/least_squares.h"
#include "fettle/network/variants/weighted_layer.h"

namespace fettle {
namespace {

// What is known of a layer's input: moments of vectors of all channels, each with so many taps of
// the kernel, side by side: all of them (a patch) or one (a position).
struct KnownInput {
  const Moments* moments = nullptr;
  size_t taps = 1;
};

// A layer's weights in rows that such vectors are multiplied with: one for each output and part of
// the kernel.
class WeightRows {
 public:
  WeightRows(const ConsumerWeights& layout, size_t taps)
      : layout_(layout), taps_(taps), parts_(layout.taps / taps) {}

  size_t parts() const { return parts_; }

  // Where the weight lies.
  size_t Place(size_t row, size_t column) const {
    return layout_.Place(row / parts_, column / taps_) + row % parts_ * taps_ + column % taps_;
  }

  Matrix Read() const {
    Matrix rows(layout_.outputs * parts_, layout_.inputs * taps_);
    for (size_t r = 0; r < rows.rows(); ++r) {
      for (size_t c = 0; c < rows.columns(); ++c) rows(r, c) = layout_.values[Place(r, c)];
    }
    return rows;
  }

  // Of all channels, whether they are kept.
  struct Columns {
    std::vector<size_t> kept, removed;
  };
  Columns ColumnsOf(const std::vector<int64_t>& kept_channels) const {
    Columns columns;
    for (size_t c = 0; c < layout_.inputs * taps_; ++c) {
      const bool is_kept =
          std::ranges::binary_search(kept_channels, static_cast<int64_t>(c / taps_));
      (is_kept ? columns.kept : columns.removed).push_back(c);
    }
    return columns;
  }

 private:
  const ConsumerWeights& layout_;
  size_t taps_, parts_;
};

Matrix CovarianceBetween(const Moments& moments, const std::vector<size_t>& rows,
                         const std::vector<size_t>& columns) {
  Matrix covariance(rows.size(), columns.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const double* const row = moments.covariance.data() + rows[i] * moments.size();
    for (size_t k = 0; k < columns.size(); ++k) covariance(i, k) = row[columns[k]];
  }
  return covariance;
}

// `rows` with nothing in the removed columns and the best in those kept.
Matrix Refitted(const Matrix& rows, const WeightRows::Columns& columns, const Moments& moments) {
  Matrix refitted = rows, missed(rows.rows(), columns.removed.size());
  for (size_t r = 0; r < rows.rows(); ++r) {
    for (size_t k = 0; k < columns.removed.size(); ++k) {
      missed(r, k) = std::exchange(refitted(r, columns.removed[k]), 0);
    }
  }
  const Matrix added =
      LeastSquaresChange(missed, CovarianceBetween(moments, columns.removed, columns.kept),
                         CovarianceBetween(moments, columns.kept, columns.kept), moments.samples);
  for (size_t r = 0; r < rows.rows(); ++r) {
    for (size_t k = 0; k < columns.kept.size(); ++k) {
      refitted(r, columns.kept[k]) += added(r, k);
    }
  }
  return refitted;
}

class Reconstruction {
 public:
  Reconstruction(const Graph& graph, const KeptIndices& kept, const Calibration& calibration)
      : graph_(graph), kept_(kept), calibration_(calibration), readers_(graph.Readers()) {}

  ConsumerReconstruction Run() {
    for (size_t n = 0; n < graph_.nodes().size(); ++n) Reconstruct(static_cast<int>(n));
    return std::move(result_);
  }

 private:
  std::optional<KnownInput> InputOf(int n, const ConsumerWeights& weights) const {
    const auto layer = AsWeightedLayer(graph_, n);
    if (const auto* weighted = std::get_if<WeightedLayer>(&layer)) {
      const Moments* const patches = InputMoments(graph_, *weighted, &calibration_);
      if (patches != nullptr) return KnownInput{patches, weights.taps};
    }
    const ValueId input = graph_.nodes()[static_cast<size_t>(n)].inputs[0];
    const auto value = calibration_.values.find(graph_.value(input).name);
    if (value == calibration_.values.end()) return std::nullopt;
    const Moments& moments = value->second;
    const bool is_fit = moments.size() == weights.inputs &&
                        moments.covariance.size() == weights.inputs * weights.inputs;
    if (!is_fit) return std::nullopt;
    return KnownInput{&moments, 1};
  }

  void Reconstruct(int n) {
    const Node& node = graph_.nodes()[static_cast<size_t>(n)];
    if (node.inputs.empty()) return;
    const std::vector<int64_t>* const channels = kept_.Of({node.inputs[0], 1});
    if (channels == nullptr) return;
    const auto old = ConsumerWeights::Of(graph_, node);
    const bool has_own_weights =
        old && old->groups == 1 && readers_[static_cast<size_t>(node.inputs[1])].size() == 1;
    if (!has_own_weights) return;
    const std::optional<KnownInput> input = InputOf(n, *old);
    if (!input) return;

    const WeightRows layout(*old, input->taps);
    const Matrix rows = layout.Read();
    const WeightRows::Columns columns = layout.ColumnsOf(*channels);
    const Matrix refitted = Refitted(rows, columns, *input->moments);
    const std::vector<double> missed = MissedMeans(rows, refitted, *input->moments);
    auto weights = std::make_shared<Tensor>(*graph_.value(node.inputs[1]).constant);
    std::vector<double> bias(old->outputs);
    for (size_t r = 0; r < rows.rows(); ++r) {
      for (const size_t c : columns.kept) {
        weights->values<float>()[layout.Place(r, c)] = static_cast<float>(refitted(r, c));
      }
      bias[r / layout.parts()] += old->scale * missed[r];
    }
    result_.weights[node.inputs[1]] = std::move(weights);
    result_.biases[n] = std::move(bias);
  }

  const Graph& graph_;
  const KeptIndices& kept_;
  const Calibration& calibration_;
  const std::vector<std::vector<int>> readers_;
  ConsumerReconstruction result_;
};

}  // namespace

ConsumerReconstruction ReconstructConsumers(const Graph& graph, const KeptIndices& kept,
                                            const Calibration& calibration) {
  return Reconstruction(graph, kept, calibration).Run();
}

}  // namespace fettle
