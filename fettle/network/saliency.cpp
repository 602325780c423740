#include "fettle/network/saliency.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <variant>

#include "fettle/core/error.h"

namespace fettle {
namespace {

double At(const Tensor& tensor, int64_t i) {
  switch (tensor.dtype()) {
    case DType::kF32:
      return tensor.values<float>()[i];
    case DType::kF64:
      return tensor.values<double>()[i];
    case DType::kBF16:
      return FromBF16(tensor.values<uint16_t>()[i]);
    default:
      throw BadInput("the saliency of weights of type ", NameOf(tensor.dtype()),
                     " is not defined: only of f32, f64 and bf16");
  }
}

// For each index of an axis, the sum of f(w) over all elements with it.
template <typename F>
std::vector<double> SumOver(const Tensor& tensor, int axis, const F& f) {
  const int64_t extent = tensor.shape()[axis];
  const int64_t inner = RowMajorStrides(tensor.shape())[axis];
  std::vector<double> sums(static_cast<size_t>(extent));
  for (int64_t first = 0; first < tensor.num_elements(); first += extent * inner) {
    for (int64_t i = 0; i < extent; ++i) {
      const int64_t row = first + i * inner;
      for (int64_t j = 0; j < inner; ++j) sums[i] += f(At(tensor, row + j));
    }
  }
  return sums;
}

// What a batch norm, if it alone reads the value, multiplies each channel by; else nothing.
std::vector<double> BatchNormFactors(const Graph& graph, ValueId value,
                                     const std::vector<std::vector<int>>& readers) {
  if (readers[value].size() != 1) return {};
  const Node& reader = graph.nodes()[readers[value][0]];
  const auto* op = std::get_if<BatchNorm>(&reader.op);
  if (op == nullptr || !graph.IsConstant(reader.inputs[1]) || !graph.IsConstant(reader.inputs[4])) {
    return {};
  }
  const Tensor& scale = *graph.value(reader.inputs[1]).constant;
  const Tensor& variance = *graph.value(reader.inputs[4]).constant;
  std::vector<double> factors(static_cast<size_t>(scale.num_elements()));
  for (size_t i = 0; i < factors.size(); ++i) {
    const auto c = static_cast<int64_t>(i);
    factors[i] = At(scale, c) / std::sqrt(At(variance, c) + op->epsilon);
  }
  return factors;
}

// Whether the channels lie where a batch norm takes them to be.
bool MakesAxisOne(const Graph& graph, const ChannelProducer& producer) {
  const Node& node = graph.nodes()[producer.node];
  const bool is_conv = std::holds_alternative<Conv>(node.op);
  return producer.weights.value == node.inputs[1] &&
         (is_conv || graph.value(node.outputs[0]).type.shape.size() == 2);
}

const ChannelSlice* FindSlice(const ChannelGroup& group, TensorAxis place) {
  const auto found = std::find_if(group.slices.begin(), group.slices.end(),
                                  [&](const ChannelSlice& slice) { return slice.place == place; });
  return found == group.slices.end() ? nullptr : &*found;
}

}  // namespace

std::vector<double> MagnitudeSaliency(const Graph& graph, const ChannelGroup& group,
                                      const MagnitudeOptions& options) {
  const bool is_l1 = options.norm == WeightNorm::kL1;
  const auto readers = graph.Readers();
  std::vector<double> saliency(static_cast<size_t>(group.num_units));
  for (const ChannelProducer& producer : FindChannelProducers(graph)) {
    const ChannelSlice* slice = FindSlice(group, producer.weights);
    if (slice == nullptr) continue;
    const Node& node = graph.nodes()[producer.node];
    std::vector<double> norms =
        SumOver(*graph.value(producer.weights.value).constant, producer.weights.axis,
                [&](double w) { return is_l1 ? std::abs(w) : w * w; });
    std::vector<double> factors;
    if (options.folds_batch_norm && MakesAxisOne(graph, producer)) {
      factors = BatchNormFactors(graph, node.outputs[0], readers);
    }
    if (!factors.empty()) {
      for (size_t i = 0; i < norms.size(); ++i) {
        norms[i] *= is_l1 ? std::abs(factors[i]) : factors[i] * factors[i];
      }
    }
    for (int64_t unit = 0; unit < group.num_units; ++unit) {
      for (int64_t index : slice->Of(unit)) saliency[unit] += norms[index];
    }
  }
  if (!is_l1) {
    for (double& value : saliency) value = std::sqrt(value);
  }
  return saliency;
}

std::vector<int64_t> MostSalient(std::span<const double> saliency, int64_t count) {
  assert(count >= 0 && count <= static_cast<int64_t>(saliency.size()));
  const auto key = [&](int64_t unit) {
    const double value = saliency[unit];
    return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
  };
  std::vector<int64_t> units(saliency.size());
  std::iota(units.begin(), units.end(), 0);
  std::stable_sort(units.begin(), units.end(),
                   [&](int64_t a, int64_t b) { return key(a) > key(b); });
  units.resize(static_cast<size_t>(count));
  std::sort(units.begin(), units.end());
  return units;
}

}  // namespace fettle
