// What to try next: a strategy is asked for candidates and told how they did, in any order and at
// any pace, so that the caller can measure several at once, or find results in its records.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/search/design_space.h"
#include "fettle/search/pareto_front.h"

namespace fettle {

// What every strategy starts from.
struct StrategySettings {
  uint64_t seed = 0;
  size_t num_objectives = 2;
  // Asked about first, in this order; each must be in the space. Infeasible ones are repaired, or
  // dropped where that fails.
  std::vector<Candidate> initial;
};

// A strategy is deterministic: the same settings and the same calls give the same answers. The
// space must outlive it.
class Strategy {
 public:
  virtual ~Strategy() = default;

  // The stable name, as on the command line and in saved states.
  virtual std::string_view Name() const = 0;

  // Up to n feasible candidates that were never asked about or told before; fewer only when no
  // unseen one was found, which for a space that can be enumerated means that none is left.
  virtual std::vector<Candidate> Ask(size_t n) = 0;

  // How a candidate did, asked about or not; told again it replaces what was told. Objectives are
  // minimised; `violation` is 0 where the constraints hold, else by how much they do not, in any
  // one unit: less is better, and infinity is for what failed. Where it is not 0 the objectives may
  // be left empty; otherwise their number is as in the settings (asserted; as are: in the space, no
  // NaN, violation >= 0).
  virtual void Tell(const Candidate& candidate, const Objectives& objectives, double violation) = 0;

  // The whole state, as text. Restored into a strategy made with the same name, space and settings
  // it goes on identically. Restore answers false, changing nothing, for a text that is no state of
  // this strategy on this space.
  virtual std::string Save() const = 0;
  virtual bool Restore(std::string_view state) = 0;
};

}  // namespace fettle
