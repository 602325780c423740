#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/dtype.h"
#include "fettle/network/calibration.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/channel_removal.h"
#include "fettle/network/variants/variant.h"
#include "fettle/search/design_space.h"
#include "fettle/tuner/dropped_blocks.h"
#include "fettle/tuner/tuning_decision.h"
#include "fettle/tuner/variant_place.h"

namespace fettle {

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
  // Throws Error for an offer that is no variant's text (kUsage) or drops what cannot be dropped
  // (kBadInput).
  TuningSpace(Graph original, const TuningSpaceOptions& options);

  const Graph& original() const { return original_; }
  const std::vector<TuningDecision>& decisions() const { return decisions_; }
  // A candidate is feasible where each variant can be applied to its layer as narrow as it is then,
  // and still saves multiplications or parameters there, and where nothing is decided about what is
  // gone with a block that is dropped: so no network has two names. Else it is repaired by option
  // 0.
  const DesignSpace& space() const { return *space_; }

  // What all options mean, in a few digits: sessions with other ones cannot be compared.
  std::string Fingerprint() const;

  // What all layers of the original are called.
  const std::set<std::string>& layers() const { return layers_; }

  // The candidate's network, from `start`: the original, or the network of another candidate,
  // `of_start`, which CanStartFrom(it, candidate). Of each group the most salient units stay, what
  // the removed ones would have added is folded into their consumers; with the calibration of
  // `start`, both that and the rewriting of layers by least squares.
  Graph Build(const Candidate& candidate, const Graph& start,
              const Calibration* calibration = nullptr, const Candidate* of_start = nullptr) const;
  Graph Build(const Candidate& candidate) const { return Build(candidate, original_); }

  // Its shapes alone: weights of what is narrowed or rewritten are zeros. Fast.
  Graph Shapes(const Candidate& candidate) const;

  // Each group of the original that can be narrowed, and how many of its units stay.
  std::vector<std::pair<ChannelGroup, int64_t>> Widths(const Candidate& candidate) const;

  // The precisions of weighted layers, by name in the original.
  std::map<std::string, DType> Precisions(const Candidate& candidate) const;

  // Whether the candidate's network can be made from the other's, whose weights were trained: every
  // group of `start` is at least as wide, every layer as it was or rewritten alike, and of
  // rewritten layers no width changes; but for what the candidate drops.
  bool CanStartFrom(const Candidate& start, const Candidate& candidate) const;
  // Whether they differ in precisions only.
  bool HasSameStructure(const Candidate& a, const Candidate& b) const;

  // "conv1: prune(keep=0.5)", "fc: bf16"; for each decision that is not as it was.
  struct Change {
    std::string layer, variant, precision;  // variant or precision is empty
  };
  std::vector<Change> Changes(const Candidate& candidate) const;

 private:
  void AddWidths(const TuningSpaceOptions& options, std::vector<Decision>* decisions);
  void AddVariants(const TuningSpaceOptions& options, std::vector<Decision>* decisions);
  void AddPrecisions(const TuningSpaceOptions& options, std::vector<Decision>* decisions);
  // The decisions that are not feasible.
  std::vector<size_t> AtFault(const Candidate& candidate) const;
  // By width decision, what the group is called in a candidate's network: in one that drops blocks
  // perhaps not as in the original. Those are missing whose channels are gone or no group any more.
  std::map<size_t, std::string> GroupNames(const Candidate& candidate) const;
  std::vector<KeptUnits> KeptFrom(const Candidate& candidate, const Graph& start,
                                  const std::vector<ChannelGroup>& groups,
                                  const Candidate* of_start) const;
  Graph Build(const Candidate& candidate, const Graph& start, const RewriteOptions& options,
              const Candidate* of_start) const;

  Graph original_;
  std::vector<ChannelGroup> groups_;
  std::map<std::string, std::vector<double>> saliency_;  // of the original's groups with widths
  std::set<std::string> layers_;
  std::vector<TuningDecision> decisions_;
  std::map<size_t, VariantPlace> places_;  // by variant decision
  std::unique_ptr<DroppedBlocks> dropped_;
  std::unique_ptr<DesignSpace> space_;
};

}  // namespace fettle
