#include "fettle/network/variants/group.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/variants/block_order.h"
#include "fettle/network/variants/channel_permutation.h"
#include "fettle/network/variants/low_rank.h"

namespace fettle {
namespace {

// T x S: of each output, the energy of what it sees of each input.
Matrix EnergiesOf(const Matrix& kernel, size_t taps, const Moments* input) {
  Matrix energies(kernel.rows(), kernel.columns() / taps);
  for (size_t s = 0; s < energies.columns(); ++s) {
    const Matrix filters = kernel.Columns(s * taps, taps);
    const Matrix seen =
        input == nullptr ? filters : Product(filters, CovarianceBlock(*input, s * taps, taps));
    for (size_t t = 0; t < kernel.rows(); ++t) {
      for (size_t tap = 0; tap < taps; ++tap) energies(t, s) += seen(t, tap) * filters(t, tap);
    }
  }
  return energies;
}

// The units that may move among the layer's inputs and outputs.
class MovableChannels {
 public:
  MovableChannels(const Graph& graph, const WeightedLayer& layer)
      : groups_(FindChannelGroups(graph).groups) {
    const ValueId weights = graph.nodes()[static_cast<size_t>(layer.node)].inputs[1];
    const std::vector<bool> permutable = FindPermutableGroups(graph, groups_);
    for (size_t g = 0; g < groups_.size(); ++g) {
      const ChannelSlice* const outputs = SliceAt({weights, 0}, groups_[g]);
      const ChannelSlice* const inputs = SliceAt({weights, 1}, groups_[g]);
      if (!permutable[g] || (inputs == nullptr && outputs == nullptr)) continue;
      used_.push_back(g);
      MovableUnits& set = sets_.emplace_back();
      for (int64_t unit = 0; unit < groups_[g].num_units; ++unit) {
        set.inputs.push_back(ChannelsOf(inputs, unit));
        set.outputs.push_back(ChannelsOf(outputs, unit));
      }
    }
  }

  const std::vector<MovableUnits>& sets() const { return sets_; }

  ChannelPermutation Permutation(const Graph& graph, const BlockOrder& order) const {
    std::vector<UnitOrder> orders;
    for (size_t m = 0; m < used_.size(); ++m) orders.push_back({used_[m], order.orders[m]});
    return {graph, groups_, orders};
  }

 private:
  static const ChannelSlice* SliceAt(TensorAxis place, const ChannelGroup& group) {
    const auto found = std::ranges::find(group.slices, place, &ChannelSlice::place);
    return found == group.slices.end() ? nullptr : &*found;
  }
  static std::vector<int64_t> ChannelsOf(const ChannelSlice* slice, int64_t unit) {
    if (slice == nullptr) return {};
    const auto channels = slice->Of(unit);
    return {channels.begin(), channels.end()};
  }

  std::vector<ChannelGroup> groups_;
  std::vector<size_t> used_;  // into groups_
  std::vector<MovableUnits> sets_;
};

// The layer in groups after a permutation.
struct Attempt {
  ChannelPermutation permutation;
  Graph result;
  double error = 0;
};

}  // namespace

std::string GroupVariant::Text() const { return fettle::Text("group(groups=", groups_, ")"); }

std::string GroupVariant::WhyNot(const WeightedLayer& layer) const {
  if (!layer.is_conv) return "it is no convolution";
  if (layer.groups != 1) return "it is in groups already";
  if (groups_ < 2) return "one group is what it has";
  if (layer.inputs % groups_ != 0 || layer.outputs % groups_ != 0) {
    return fettle::Text("its ", layer.inputs, " inputs and ", layer.outputs,
                        " outputs cannot be parted into ", groups_, " groups");
  }
  return "";
}

std::vector<FactorShape> GroupVariant::Shapes(const WeightedLayer& layer) const {
  return {{layer.outputs, layer.inputs, groups_, layer.window}};
}

std::vector<Factor> GroupVariant::Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                            const Moments*) const {
  const FactorShape shape = Shapes(layer)[0];
  const auto patch = static_cast<size_t>(shape.patch());
  const auto outputs = static_cast<size_t>(shape.outputs / groups_);  // of a group
  Matrix blocks(kernel.rows(), patch);
  for (size_t t = 0; t < kernel.rows(); ++t) {
    const auto block = kernel.row(t).subspan(t / outputs * patch, patch);
    std::ranges::copy(block, blocks.row(t).begin());
  }
  return {{shape, std::move(blocks)}};
}

Graph GroupVariant::Rewrite(const Graph& graph, std::string_view name,
                            const RewriteOptions& options) const {
  if (options.shapes_only || options.fresh_seed) {
    return FactorVariant::Rewrite(graph, name, options);
  }
  const WeightedLayer layer = Find(graph, name);
  const auto taps = static_cast<size_t>(layer.taps());
  const Node& node = graph.nodes()[static_cast<size_t>(layer.node)];
  const Matrix kernel = KernelOf(graph, layer);
  const Moments* const input = InputMoments(graph, layer, options.calibration);
  const MovableChannels movable(graph, layer);

  std::optional<Attempt> best;
  const auto attempt = [&](const Moments* weighs) {
    const BlockOrder order =
        FindBlockOrder({EnergiesOf(kernel, taps, weighs), groups_, movable.sets()});
    const ChannelPermutation permutation = movable.Permutation(graph, order);
    const Graph permuted = PermuteChannels(graph, permutation);
    std::optional<Moments> moved;
    const std::vector<int64_t>* const sources = permutation.Of({node.inputs[1], 1});
    if (input != nullptr && sources != nullptr) {
      moved = OfChannels(*input, *sources, taps);
    }
    const Moments* const seen = moved ? &*moved : input;
    const Matrix wanted = KernelOf(permuted, layer);
    const std::vector<Factor> factors = FittedFactors(*this, layer, wanted, seen);
    const double error = RelativeError(wanted, ComposedKernel(factors), seen);
    if (best && best->error <= error) return;
    best = {permutation, WithFittedFactors(permuted, layer, wanted, factors, seen), error};
  };
  attempt(nullptr);
  if (input != nullptr) attempt(input);
  if (options.carried != nullptr) {
    PermuteCalibration(graph, best->permutation, options.carried);
    options.carried->patches.erase(layer.name);
  }
  return std::move(best->result);
}

std::optional<double> GroupVariant::WeightError(const Graph& graph, std::string_view name) const {
  const WeightedLayer layer = Find(graph, name);
  const Matrix kernel = KernelOf(graph, layer);
  const double whole = kernel.SquaredNorm();
  if (!(whole > 0)) return 0;
  const MovableChannels movable(graph, layer);
  const Matrix energies = EnergiesOf(kernel, static_cast<size_t>(layer.taps()), nullptr);
  return std::max(0.0, 1 - FindBlockOrder({energies, groups_, movable.sets()}).kept / whole);
}

std::unique_ptr<Variant> ParseGroup(VariantText text) {
  const int64_t groups = text.TakeCount("groups");
  text.Finish();
  return std::make_unique<GroupVariant>(groups);
}

std::vector<std::unique_ptr<FactorVariant>> OfferGroup(LayerSpectra& spectra,
                                                       const DecisionOptions& options) {
  const WeightedLayer& layer = spectra.layer();
  std::vector<std::unique_ptr<FactorVariant>> variants;
  for (const int64_t groups : {2, 4, 8, 16, 32}) {
    const int64_t least = std::min(layer.inputs, layer.outputs) / groups;
    if (groups > 2 && least < 2) break;
    variants.push_back(std::make_unique<GroupVariant>(groups));
  }
  return Applicable(std::move(variants), layer, options.most_options);
}

}  // namespace fettle
