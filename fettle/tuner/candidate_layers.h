#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fettle/runtime/layer_graph.h"
#include "fettle/search/design_space.h"
#include "fettle/tuner/tuning_space.h"

namespace fettle {

// The lowered networks of candidates, put together from pieces that are remembered. Rewriting and
// lowering a whole network takes about a millisecond, and candidates differ from one another in a
// few places: a layer of the original becomes the same piece, itself or a row of factors, in all
// candidates that agree in what decides it. That is the option of its own rewriting, the widths
// that its extents follow, and the blocks that are dropped, which change who is fused with whom.
//
// Which widths a layer follows is found by changing each alone. Whatever meets a piece not known
// yet is lowered as a whole and compared with what the pieces come to; should they ever differ,
// nothing is put together any more. So the answer is that of lowering, only sooner.
class CandidateLayers {
 public:
  // The space must outlive it.
  explicit CandidateLayers(const TuningSpace& space);

  // Lower(space.Shapes(candidate), {.shapes_only = true}), its tensors perhaps in another order.
  // Layers may come without `weights`; their types are in the specs, and then no two share one.
  LayerGraph Of(const Candidate& candidate);

  int64_t num_lowered() const { return num_lowered_; }
  bool is_usable() const { return is_usable_; }

 private:
  // What becomes of a layer, in order. An input is a tensor between these layers where it is not
  // negative, else -1 - i for the original layer's input i; the last output is the original's.
  struct Piece {
    std::vector<Layer> layers;
    std::vector<LayerTensor> between;
  };
  using Pieces = std::map<std::vector<int>, Piece>;  // of a layer, by the options that decide it
  // The network with its blocks dropped and nothing else changed.
  struct Base {
    LayerGraph graph;
    std::map<std::string, size_t> layers;     // by name
    std::vector<int> variants;                // of each layer the decision about it, or -1
    std::vector<std::vector<size_t>> widths;  // of each layer the decisions it follows
    std::vector<Pieces*> pieces;              // of each layer
  };

  LayerGraph LowerWhole(const Candidate& candidate);
  void FindWidths();
  Base& BaseOf(const Candidate& candidate);
  std::vector<int> OptionsAt(const Base& base, size_t layer, const Candidate& candidate) const;
  bool Compose(const Base& base, const Candidate& candidate, LayerGraph* graph) const;
  bool Learn(const Base& base, const Candidate& candidate, const LayerGraph& whole) const;

  const TuningSpace& space_;
  bool is_usable_ = true;
  int64_t num_lowered_ = 0;
  std::vector<size_t> width_decisions_;
  std::map<std::string, size_t> local_;  // by layer, the decisions that rewrite it alone
  std::vector<size_t> global_;           // decisions that change what is around them
  std::map<std::string, std::vector<size_t>> followed_;  // by layer of the original, the widths
  std::map<std::vector<int>, Base> bases_;               // by the options of global_
  // By what a layer is in a base, and which of its inputs are the same: whatever is dropped around
  // it, mostly nothing else changes.
  std::map<std::string, Pieces> pieces_;
};

}  // namespace fettle
