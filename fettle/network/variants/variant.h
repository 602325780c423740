#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/variant_text.h"

namespace fettle {

// What a rewrite may consult besides the weights. Later variants add their own fields, each with a
// default that asks for nothing.
struct RewriteOptions {
  // A number for each unit of the group, greater where it matters more (Taylor, Fisher, from
  // data); empty: MagnitudeSaliency.
  std::function<std::vector<double>(const Graph&, const ChannelGroup&)> saliency = {};
  // What removed channels contributed on average goes into their consumers' biases: see
  // PruneOptions. May add biases, which NetworkOption does not count.
  bool folds_constants = false;
  // Of the graph that is rewritten; not owned. Null: from the weights alone.
  const Calibration* calibration = nullptr;
  // Changed with the graph, so that what was a calibration of the graph is one of the result:
  // moments of channels that change places move along, those of layers that are no more go. Not
  // owned; may be `calibration`. For rewrites one after another on what was seen of the first
  // network.
  Calibration* carried = nullptr;
  // For networks that are trained from scratch or distilled: weights are drawn from this seed
  // instead of computed, and between the factors of a layer stand batch norms and ReLUs (see
  // WithFreshFactors). NetworkOption does not count the norms.
  std::optional<uint64_t> fresh_seed = {};
  // Only the shapes of the result are wanted, to price it: weights may be anything.
  bool shapes_only = false;
};

class FactorVariant;

// A way to change one layer, or one group of coupled channels, of a network.
class Variant {
 public:
  virtual ~Variant() = default;

  // The canonical name, "prune(keep=0.5)": what the database, the command line and `inspect` say.
  // ParseVariant(Text()) is an equal variant.
  virtual std::string Text() const = 0;

  // The network with this variant at the layer or group of that name; the others keep their names.
  // Throws an Error (kBadInput) that says why where it cannot be done there.
  virtual Graph Rewrite(const Graph& graph, std::string_view layer,
                        const RewriteOptions& options = {}) const = 0;

  // Itself, where it rewrites a layer into a row of linear ones; else null.
  virtual const FactorVariant* AsFactors() const { return nullptr; }

  // How far what it changes there is from what it was, judged by the weights alone: a share of
  // squared norms, 0 where nothing is lost (docs/variants.md says of each kind of what). Nothing
  // where the weights do not tell. Throws as Rewrite does.
  virtual std::optional<double> WeightError(const Graph& graph, std::string_view layer) const;
};

// One variant that a layer could take, and the whole network's size after that change alone.
struct NetworkOption {
  std::string variant;     // canonical name
  int64_t parameters = 0;  // elements of all constants
  int64_t macs = 0;        // MacsOf all nodes
  // What all constants take when they are stored. Where a kind leaves it 0, FindDecisions takes
  // f32.
  int64_t weight_bytes = 0;
  // Variant::WeightError, where somebody asked for it, or where the option's rank was chosen by
  // what tells it.
  std::optional<double> error = {};
  // The error is no less than this.
  double least_error = 0;
};

// What may change at one place of the network; or, without options, why nothing may.
struct NetworkDecision {
  std::string kind;                 // of variant, "prune"
  std::string layer;                // a node's name, or a channel group's
  std::vector<std::string> layers;  // those that compute what changes
  std::vector<NetworkOption> options;
  std::string reason;  // empty where there are options
};

struct DecisionOptions {
  // Widths are multiples of this: where the device's latency steps.
  int64_t channel_step = 8;
  // At most so many options of one kind a place, spread evenly.
  int64_t most_options = 8;
  // That look at layers side by side; what is found is the same on any number.
  int threads = 1;
  // Hears how many layers have been looked at, of how many; may be empty. From any of the threads,
  // one at a time. An exception it throws ends the finding.
  std::function<void(size_t done, size_t all)> progress = {};
};

class LayerSpectra;

// The variants of a kind to offer for a layer, gentlest first. Those that the layer cannot take, or
// that have no fewer multiplications and no fewer parameters than it, are dropped by the caller;
// where none is left, the last one's reason is told.
using FactorOffer = std::vector<std::unique_ptr<FactorVariant>> (*)(LayerSpectra& spectra,
                                                                    const DecisionOptions& options);

// A kind of variant: one line of variant_list.cpp. It has either a `find` or an `offer`.
struct VariantKind {
  std::string_view name;  // "prune"
  // Takes the fields; throws an Error (kUsage).
  std::unique_ptr<Variant> (*parse)(VariantText text);
  // All places of this kind in the network, with their options or why there are none.
  std::vector<NetworkDecision> (*find)(const Graph& graph, const DecisionOptions& options);
  // Of FactorVariants, which are found layer by layer.
  FactorOffer offer = nullptr;
};

}  // namespace fettle
