// Which candidates of a space have been met, and finding ones that have not.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_set>
#include <vector>

#include "fettle/core/random.h"
#include "fettle/search/design_space.h"
#include "fettle/search/state_text.h"

namespace fettle {

class UnseenCandidates {
 public:
  // `space` must outlive this.
  explicit UnseenCandidates(const DesignSpace& space);

  // False where it was seen before.
  bool MarkSeen(const Candidate& candidate) { return seen_.insert(candidate).second; }
  bool IsSeen(const Candidate& candidate) const { return seen_.contains(candidate); }

  // An unseen feasible candidate drawn at random, and marked as seen. When many draws in a row have
  // been seen, as near the end of a small space, the first unseen one in lexicographic order.
  // Nothing when there is none; or, in a space with very many infeasible candidates, when none
  // turned up in a million steps of enumeration (the next call goes on from there).
  std::optional<Candidate> Take(Random* random);

  void Save(StateWriter* writer) const;
  // False, changing nothing, where the next lines are not what Save() wrote for such a space.
  bool Restore(StateReader* reader);

 private:
  std::optional<Candidate> TakeInOrder();

  const DesignSpace* space_;
  std::unordered_set<Candidate, CandidateHasher> seen_;
  // All before this one are seen or infeasible; nothing at the end.
  std::optional<Candidate> cursor_;
};

}  // namespace fettle
