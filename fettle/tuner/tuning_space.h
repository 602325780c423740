#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/dtype.h"
#include "fettle/network/calibration.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/channel_removal.h"
#include "fettle/network/variants/variant.h"
#include "fettle/network/variants/weighted_layer.h"
#include "fettle/search/design_space.h"

namespace fettle {

// One thing that a session may change: the width of a group of coupled channels, the structure of a
// layer, or its precision. Option 0 leaves it as it is.
struct TuningDecision {
  enum class Kind : uint8_t { kWidth, kVariant, kPrecision };
  Kind kind = Kind::kWidth;
  std::string layer;                  // the group's name or the layer's
  std::vector<int64_t> kept;          // kWidth: units that stay, by option, descending
  std::vector<std::string> variants;  // kVariant: canonical names, by option; the first is empty
  std::vector<DType> precisions;      // kPrecision: by option
};

// What a layer may become, see variant_screen.h.
struct VariantOffer {
  std::string layer;
  std::vector<std::string> variants;
};

struct TuningSpaceOptions {
  int64_t channel_step = 8;  // widths are multiples of it
  int64_t most_widths = 4;   // a group, the whole one included; 1: none is pruned
  std::vector<VariantOffer> variants;
  std::vector<DType> precisions = {DType::kF32, DType::kBF16};
};

// What a candidate of the design space means for a network: first the groups are narrowed, then the
// layers rewritten, then each layer has its precision, a rewritten one all of its parts.
class TuningSpace {
 public:
  // Throws Error (kUsage) for an offer that is no variant's text.
  TuningSpace(Graph original, const TuningSpaceOptions& options);

  const Graph& original() const { return original_; }
  const std::vector<TuningDecision>& decisions() const { return decisions_; }
  // A candidate is feasible where each variant can be applied to its layer as narrow as it is then,
  // and still saves multiplications or parameters there; else it is repaired by leaving the layer
  // as it is.
  const DesignSpace& space() const { return *space_; }

  // What all options mean, in a few digits: sessions with other ones cannot be compared.
  std::string Fingerprint() const;

  // The candidate's network, from `start`: the original, or the network of another candidate,
  // `of_start`, which CanStartFrom(it, candidate). Of each group the most salient units stay, what
  // the removed ones would have added is folded into their consumers; with the calibration of
  // `start`, both that and the rewriting of layers by least squares.
  Graph Build(const Candidate& candidate, const Graph& start,
              const Calibration* calibration = nullptr, const Candidate* of_start = nullptr) const;
  Graph Build(const Candidate& candidate) const { return Build(candidate, original_); }

  // Its shapes alone: weights of rewritten layers are zeros. Fast.
  Graph Shapes(const Candidate& candidate) const;

  // Each group of the original that can be narrowed, and how many of its units stay.
  std::vector<std::pair<ChannelGroup, int64_t>> Widths(const Candidate& candidate) const;

  // The precisions of weighted layers, by name in the original.
  std::map<std::string, DType> Precisions(const Candidate& candidate) const;

  // Whether the candidate's network can be made from the other's, whose weights were trained: every
  // group of `start` is at least as wide, every layer as it was or rewritten alike, and of
  // rewritten layers no width changes.
  bool CanStartFrom(const Candidate& start, const Candidate& candidate) const;
  // Whether they differ in precisions only.
  bool HasSameStructure(const Candidate& a, const Candidate& b) const;

  // "conv1: prune(keep=0.5)", "fc: bf16"; for each decision that is not as it was.
  struct Change {
    std::string layer, variant, precision;  // variant or precision is empty
  };
  std::vector<Change> Changes(const Candidate& candidate) const;

 private:
  // How a width decides a layer's extents.
  struct Touch {
    size_t width = 0;  // decision
    int axis = 0;      // of the layer's weights: 0 outputs, 1 inputs
    int64_t per_unit = 1;
  };

  // What a variant decision is about.
  struct VariantPlace {
    std::vector<std::unique_ptr<Variant>> variants;  // by option; null for none
    std::optional<WeightedLayer> layer;              // of the original; a block has none
    std::vector<Touch> touches;
  };

  void AddWidths(const TuningSpaceOptions& options, std::vector<Decision>* decisions);
  void AddVariants(const TuningSpaceOptions& options, std::vector<Decision>* decisions);
  void AddPrecisions(const TuningSpaceOptions& options, std::vector<Decision>* decisions);
  VariantPlace PlaceOf(const VariantOffer& offer) const;
  bool Applies(const Candidate& candidate, size_t decision) const;
  std::vector<size_t> VariantsAtFault(const Candidate& candidate) const;
  std::vector<KeptUnits> KeptFrom(const Candidate& candidate, const Graph& start,
                                  const std::vector<ChannelGroup>& groups,
                                  const Candidate* of_start) const;
  Graph Build(const Candidate& candidate, const Graph& start, const RewriteOptions& options,
              const Candidate* of_start) const;

  Graph original_;
  std::vector<ChannelGroup> groups_;
  std::vector<TuningDecision> decisions_;
  std::map<size_t, VariantPlace> places_;  // by variant decision
  std::unique_ptr<DesignSpace> space_;
};

// What is said of a layer of a candidate's network, or of the original layer whose part it is
// ("conv.2" of "conv"). Null where nothing is.
template <typename T>
const T* EntryOfLayer(const std::map<std::string, T>& entries, const std::string& layer) {
  auto found = entries.find(layer);
  for (size_t end = layer.rfind('.'); found == entries.end() && end != std::string::npos && end > 0;
       end = layer.rfind('.', end - 1)) {
    found = entries.find(layer.substr(0, end));
  }
  return found == entries.end() ? nullptr : &found->second;
}

}  // namespace fettle
