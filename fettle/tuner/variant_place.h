#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/variant.h"
#include "fettle/network/variants/weighted_layer.h"
#include "fettle/search/design_space.h"
#include "fettle/tuner/tuning_decision.h"

namespace fettle {

// What a decision about the structure of a layer, or of a block, is about.
class VariantPlace {
 public:
  // `decision` is of kind kVariant. Throws Error (kUsage) for a text that is no variant's.
  VariantPlace(const Graph& original, const TuningDecision& decision);

  // That a group's width, which is the decision `width`, is among what decides the layer's extents,
  // if it is.
  void TieTo(const ChannelGroup& group, size_t width);

  // Of an option other than 0.
  const Variant& Of(int option) const { return *variants_[static_cast<size_t>(option)]; }

  // The width decisions tied to it.
  std::vector<size_t> Widths() const;

  // Whether the option can be applied, with the widths of the candidate, and still saves
  // multiplications or parameters. `decisions` are those the candidate is of.
  bool Applies(int option, const Candidate& candidate,
               const std::vector<TuningDecision>& decisions) const;

 private:
  // How a width decides the layer's extents.
  struct Touch {
    size_t width = 0;  // decision
    int axis = 0;      // of the layer's weights: 0 outputs, 1 inputs
    int64_t per_unit = 1;
  };

  std::vector<std::unique_ptr<Variant>> variants_;  // by option; null for 0
  std::optional<WeightedLayer> layer_;              // of the original; a block has none
  ValueId weights_ = -1;                            // the layer's
  bool has_outputs_last_ = false;                   // on the last axis of its weights
  std::vector<Touch> touches_;
};

}  // namespace fettle
