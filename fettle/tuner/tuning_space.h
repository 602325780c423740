#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/dtype.h"
#include "fettle/network/calibration.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/search/design_space.h"

namespace fettle {

// One thing that a session may change: the width of a group of coupled channels, or the precision
// of a layer. Option 0 leaves it as it is.
struct TuningDecision {
  enum class Kind : uint8_t { kWidth, kPrecision };
  Kind kind = Kind::kWidth;
  std::string layer;              // the group's name or the layer's
  std::vector<int64_t> kept;      // kWidth: units that stay, by option, descending
  std::vector<DType> precisions;  // kPrecision: by option
};

struct TuningSpaceOptions {
  int64_t channel_step = 8;  // widths are multiples of it
  int64_t most_widths = 4;   // a group, the whole one included
  std::vector<DType> precisions = {DType::kF32, DType::kBF16};
};

// What a candidate of the design space means for a network.
class TuningSpace {
 public:
  TuningSpace(Graph original, const TuningSpaceOptions& options);

  const Graph& original() const { return original_; }
  const std::vector<TuningDecision>& decisions() const { return decisions_; }
  const DesignSpace& space() const { return *space_; }

  // The candidate's network, from `start` (the original, or a wider candidate that was trained):
  // of each group the most salient units stay, what the removed ones would have added is folded
  // into their consumers; with the calibration of `start`, by least squares. Asserts that no group
  // of `start` is narrower than the candidate's.
  Graph Build(const Candidate& candidate, const Graph& start,
              const Calibration* calibration = nullptr) const;
  Graph Build(const Candidate& candidate) const { return Build(candidate, original_); }

  // Each group of the original that can be narrowed, and how many of its units stay.
  std::vector<std::pair<ChannelGroup, int64_t>> Widths(const Candidate& candidate) const;

  // The precisions of weighted layers, by name.
  std::map<std::string, DType> Precisions(const Candidate& candidate) const;

  // Whether every group of `wide` is at least as wide as the other's.
  bool IsWider(const Candidate& wide, const Candidate& narrow) const;
  bool HasSameWidths(const Candidate& a, const Candidate& b) const;

  // Whether two width decisions change the weights of one layer.
  bool Meet(size_t a, size_t b) const;

  // "conv1: prune(keep=0.5)", "fc: bf16"; for each decision that is not as it was.
  struct Change {
    std::string layer, variant, precision;  // variant or precision is empty
  };
  std::vector<Change> Changes(const Candidate& candidate) const;

 private:
  Graph original_;
  std::vector<ChannelGroup> groups_;
  std::vector<TuningDecision> decisions_;
  std::unique_ptr<DesignSpace> space_;
};

}  // namespace fettle
