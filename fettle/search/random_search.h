// Random search (Bergstra & Bengio, JMLR 2012): the initial candidates, then unseen ones uniformly.
// What others must beat.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/random.h"
#include "fettle/search/strategy.h"
#include "fettle/search/unseen_candidates.h"

namespace fettle {

class RandomSearch : public Strategy {
 public:
  RandomSearch(const DesignSpace& space, const StrategySettings& settings);

  std::string_view Name() const override { return "random"; }
  std::vector<Candidate> Ask(size_t n) override;
  void Tell(const Candidate& candidate, const Objectives& objectives, double violation) override;
  std::string Save() const override;
  bool Restore(std::string_view state) override;

 private:
  const DesignSpace& space_;
  Random random_;
  UnseenCandidates unseen_;
  std::vector<Candidate> initial_;
  size_t num_initial_used_ = 0;
};

}  // namespace fettle
