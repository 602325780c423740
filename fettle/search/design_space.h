// What a search may choose: a list of decisions, each with a number of options, of which option 0
// leaves things as they are. What they mean is the caller's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/random.h"

namespace fettle {

struct Decision {
  uint64_t id = 0;  // the caller's, never looked at
  std::string name;
  int num_options = 1;
  // Whether neighbouring options are alike (widths, ranks): searches then take small steps.
  bool is_ordinal = false;
};

// One option for each decision.
struct Candidate {
  std::vector<int> options;

  friend bool operator==(const Candidate&, const Candidate&) = default;
  friend auto operator<=>(const Candidate&, const Candidate&) = default;
};

// The canonical text, "0,3,1"; empty for no decisions. Parse answers nothing for any other text.
std::string CandidateText(const Candidate& candidate);
std::optional<Candidate> ParseCandidate(std::string_view text);

// The same on every platform (FNV-1a).
uint64_t CandidateHash(const Candidate& candidate);

struct CandidateHasher {
  size_t operator()(const Candidate& candidate) const {
    return static_cast<size_t>(CandidateHash(candidate));
  }
};

// How decisions depend on each other. Both must be deterministic.
struct DesignRules {
  // Whether a candidate can be built at all. Absent: every one can.
  std::function<bool(const Candidate&)> is_feasible;
  // Changes an infeasible candidate into a feasible one near by, where it can, within
  // the space. Absent: it cannot.
  std::function<void(Candidate*)> repair;
};

class DesignSpace {
 public:
  // Asserts that each decision has at least one option.
  explicit DesignSpace(std::vector<Decision> decisions, DesignRules rules = {});

  const std::vector<Decision>& decisions() const { return decisions_; }
  size_t size() const { return decisions_.size(); }

  // Whether the candidate has an existing option for each decision.
  bool Contains(const Candidate& candidate) const;
  // By the rules; asserts Contains.
  bool IsFeasible(const Candidate& candidate) const;
  // Leaves a feasible candidate alone and tries to repair another; whether it is feasible now.
  bool Repair(Candidate* candidate) const;

  // Option 0 everywhere.
  Candidate Original() const;
  // Uniform over all candidates, feasible or not.
  Candidate Sample(Random* random) const;
  // The next candidate in lexicographic order; false, leaving Original(), after the last.
  bool Advance(Candidate* candidate) const;

  // How many candidates there are, feasible or not: rounded, infinite beyond 1e308; and its log10.
  double NumCandidates() const;
  double Log10NumCandidates() const;

  // A hash of the numbers of options and the ordinal flags: equal for spaces whose candidates mean
  // the same to a strategy.
  uint64_t Fingerprint() const;

 private:
  std::vector<Decision> decisions_;
  DesignRules rules_;
};

}  // namespace fettle
