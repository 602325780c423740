#include "fettle/network/variants/removed_constants.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>

#include "fettle/core/scalar_operators.h"
#include "fettle/network/variants/consumer_weights.h"

namespace fettle {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// The constant of each index on axis 1 of a tensor; kUnknown where it has none that is known, and
// for every channel that stays.
using Constants = std::vector<double>;

class ConstantWalk {
 public:
  ConstantWalk(const Graph& graph, const KeptIndices& kept, bool presence_only)
      : graph_(graph), kept_(kept), presence_only_(presence_only), constants_(graph.num_values()) {}

  BiasCorrections Run() {
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      node_ = &graph_.nodes()[n];
      Correct(static_cast<int>(n));
      std::visit([&](const auto& op) { Follow(op); }, node_->op);
      for (ValueId id : node_->outputs) ForgetKept(id);
    }
    return std::move(corrections_);
  }

 private:
  const Shape& ShapeOf(ValueId id) const { return graph_.value(id).type.shape; }
  int64_t Channels(ValueId id) const { return ShapeOf(id).size() < 2 ? 0 : ShapeOf(id)[1]; }

  const Constants& X(size_t i = 0) {
    const ValueId id = node_->inputs[i];
    if (constants_[id].empty()) constants_[id].assign(Channels(id), kUnknown);
    return constants_[id];
  }
  Constants& Y(size_t i = 0) {
    const ValueId id = node_->outputs[i];
    if (constants_[id].empty()) constants_[id].assign(Channels(id), kUnknown);
    return constants_[id];
  }
  void ForgetKept(ValueId id) {
    Constants& constants = constants_[id];
    for (size_t c = 0; c < constants.size(); ++c) {
      if (kept_.Has({id, 1}, static_cast<int64_t>(c))) constants[c] = kUnknown;
    }
  }

  // The values of an operand that is a constant of f32.
  std::optional<std::span<const float>> Weights(size_t i) const {
    const Value& value = graph_.value(node_->inputs[i]);
    if (value.constant == nullptr || value.type.dtype != DType::kF32) return std::nullopt;
    return value.constant->values<float>();
  }
  // A bias for each channel: empty where the node has none, nothing where it is of another kind.
  std::optional<std::span<const float>> Bias(int64_t channels) const {
    if (node_->inputs.size() < 3) return std::span<const float>();
    const auto bias = Weights(2);
    const bool is_fit = bias && static_cast<int64_t>(bias->size()) == channels &&
                        ShapeOf(node_->inputs[2]).back() == channels;
    return is_fit ? bias : std::nullopt;
  }

  // --- What a node makes of the constants ---

  template <typename T>
  void Follow(const T&) {}

  void FollowBias(double scale) {
    Constants& y = Y();
    const auto bias = Bias(static_cast<int64_t>(y.size()));
    if (!bias) return;
    for (size_t c = 0; c < y.size(); ++c) y[c] = bias->empty() ? 0 : scale * (*bias)[c];
  }
  void Follow(const Conv&) { FollowBias(1); }
  void Follow(const Gemm& op) { FollowBias(op.beta); }
  void Follow(const MatMul&) {
    if (ShapeOf(node_->outputs[0]).size() == 2) FollowBias(0);
  }
  void Follow(const BatchNorm&) {
    const auto shift = Weights(2);
    if (shift) Y().assign(shift->begin(), shift->end());
  }
  void Follow(const Activation& op) {
    Constants& y = Y();
    std::transform(X().begin(), X().end(), y.begin(), [&](double x) { return Apply(op, x); });
  }
  void Follow(const Identity&) { Y() = X(); }
  void Follow(const GlobalAveragePool&) { Y() = X(); }
  void Follow(const ReduceMean& op) {
    if (op.axes.empty() || op.axes[0] > 1) Y() = X();
  }
  void Follow(const Pool& op) {
    const auto is_zero = [](int64_t pad) { return pad == 0; };
    const bool is_padded =
        !std::all_of(op.window.pads_begin.begin(), op.window.pads_begin.end(), is_zero) ||
        !std::all_of(op.window.pads_end.begin(), op.window.pads_end.end(), is_zero);
    if (op.kind == PoolKind::kAverage && op.count_include_pad && is_padded) return;
    Y() = X();
  }

  // An operand's constant for a channel of the result.
  double Operand(size_t i, int64_t channel) {
    const ValueId id = node_->inputs[i];
    const Shape& shape = ShapeOf(id);
    const size_t rank = ShapeOf(node_->outputs[0]).size();
    if (graph_.IsConstant(id)) {
      const auto values = Weights(i);
      if (!values) return kUnknown;
      if (values->size() == 1) return (*values)[0];
      // One value for each channel: all extents but that of the channels are 1.
      const bool is_per_channel =
          shape.size() + 1 >= rank &&
          shape[shape.size() + 1 - rank] == static_cast<int64_t>(values->size());
      return is_per_channel ? (*values)[channel] : kUnknown;
    }
    return shape.size() == rank && Channels(id) > channel ? X(i)[channel] : kUnknown;
  }
  void Follow(const Binary& op) {
    for (int64_t c = 0; c < Channels(node_->outputs[0]); ++c) {
      Y()[c] = Apply(op.kind, Operand(0, c), Operand(1, c));
    }
  }
  void Follow(const Sum&) {
    for (int64_t c = 0; c < Channels(node_->outputs[0]); ++c) {
      double sum = 0;
      for (size_t i = 0; i < node_->inputs.size(); ++i) sum += Operand(i, c);
      Y()[c] = sum;
    }
  }

  void Follow(const Concat& op) {
    if (op.axis != 1) return;
    auto to = Y().begin();
    for (size_t i = 0; i < node_->inputs.size(); ++i) {
      to = std::copy(X(i).begin(), X(i).end(), to);
    }
  }
  void Follow(const Split& op) {
    if (op.axis != 1) return;
    auto from = X().begin();
    for (size_t i = 0; i < node_->outputs.size(); ++i) {
      Constants& y = Y(i);
      std::copy_n(from, y.size(), y.begin());
      from += static_cast<int64_t>(y.size());
    }
  }
  void Follow(const Slice& op) {
    if (op.steps.size() < 2 || op.steps[1] != 1) return;
    Constants& y = Y();
    std::copy_n(X().begin() + op.starts[1], y.size(), y.begin());
  }
  // Axis 0 stays; each index of the new axis 1 lies in a single channel of the old, or is none.
  void Follow(const Reshape& op) {
    const Shape& old = ShapeOf(node_->inputs[0]);
    if (old.size() < 2 || op.shape.size() < 2 || op.shape[0] != old[0]) return;
    const int64_t inner_x = RowMajorStrides(old)[1], inner_y = RowMajorStrides(op.shape)[1];
    if (inner_x == 0 || inner_y == 0 || inner_x % inner_y != 0) return;
    for (size_t i = 0; i < Y().size(); ++i) {
      Y()[i] = X()[static_cast<int64_t>(i) * inner_y / inner_x];
    }
  }

  // --- What a node's bias must make up for ---

  void Correct(int n) {
    if (node_->inputs.empty() || kept_.Of({node_->inputs[0], 1}) == nullptr) return;
    const auto weights = ConsumerWeights::Of(graph_, *node_);
    if (!weights) return;
    std::vector<double> correction(weights->outputs);
    bool is_needed = false;
    for (size_t t = 0; t < weights->outputs && !(is_needed && presence_only_); ++t) {
      for (size_t s = 0; s < weights->inputs; ++s) {
        const double constant = Known(X()[weights->FirstInput(t) + s]);
        if (constant == 0) continue;
        const auto taps = weights->values.subspan(weights->Place(t, s), weights->taps);
        correction[t] += weights->scale * constant * std::accumulate(taps.begin(), taps.end(), 0.0);
      }
      is_needed = is_needed || correction[t] != 0;
    }
    if (is_needed) corrections_[n] = std::move(correction);
  }

  // What is removed and known; 0 for all else.
  static double Known(double constant) { return std::isnan(constant) ? 0 : constant; }

  const Graph& graph_;
  const KeptIndices& kept_;
  bool presence_only_;
  const Node* node_ = nullptr;
  std::vector<Constants> constants_;  // by value; empty until asked for
  BiasCorrections corrections_;
};

}  // namespace

BiasCorrections RemovedConstants(const Graph& graph, const KeptIndices& kept, bool presence_only) {
  return ConstantWalk(graph, kept, presence_only).Run();
}

}  // namespace fettle
