#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/channel_removal.h"
#include "fettle/network/variants/variant.h"

namespace fettle {

struct PruneOptions {
  // Takes each removed channel to be the constant that its bias, or the shift of its batch norm,
  // makes of it, and adds what its consumers saw of that to their biases: see removed_constants.h.
  bool folds_constants = false;
  // Of this very graph. What consumers saw of the removed channels is made up for from those that
  // stay, by least squares: see consumer_reconstruction.h. Not owned; null: nothing is.
  const Calibration* calibration = nullptr;
  // Made one of the result: see Restricted. Not owned; may be `calibration`.
  Calibration* carried = nullptr;
  // Only the shapes of the result are wanted: what would be sliced is zeros.
  bool shapes_only = false;
};

// The network without the other units of these groups, which FindChannelGroups(graph) found; groups
// not named stay whole. Weights are sliced, names and metadata kept. Throws an Error (kBadInput)
// for a group named twice or not there, and for units that are not there, repeated or none at all.
Graph PruneChannels(const Graph& graph, std::span<const ChannelGroup> groups,
                    std::span<const KeptUnits> kept, const PruneOptions& options = {});

// The numbers of units, ascending, that leave fewer channels than the group has and a multiple of
// `step` (the device's: 8 or 16 channels) of them; never 0. Asserts step > 0.
std::vector<int64_t> KeepCounts(const ChannelGroup& group, int64_t step);

// prune(keep=F): the share of a group's units that stay, the most salient ones: F times the units,
// rounded to the nearest (halves up), at least one.
class PruneVariant : public Variant {
 public:
  explicit PruneVariant(double keep);  // asserts 0 < keep <= 1

  // The variant that keeps `count` of the group's units.
  static PruneVariant Keeping(int64_t count, const ChannelGroup& group);

  int64_t KeptOf(int64_t num_units) const;

  std::string Text() const override;
  Graph Rewrite(const Graph& graph, std::string_view group,
                const RewriteOptions& options = {}) const override;

  // The removed units' share of the squares of MagnitudeSaliency: of the squared norm of the
  // weights that compute the group's channels, as batch norm scales them.
  std::optional<double> WeightError(const Graph& graph, std::string_view group) const override;

 private:
  double keep_;
};

std::unique_ptr<Variant> ParsePrune(VariantText text);
std::vector<NetworkDecision> FindPruneDecisions(const Graph& graph, const DecisionOptions& options);

inline constexpr VariantKind kPruneKind = {"prune", ParsePrune, FindPruneDecisions};

}  // namespace fettle
