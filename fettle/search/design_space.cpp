#include "fettle/search/design_space.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <utility>

#include "fettle/core/fnv1a.h"

namespace fettle {

std::string CandidateText(const Candidate& candidate) {
  std::string text;
  for (int option : candidate.options) {
    if (!text.empty()) text += ',';
    text += std::to_string(option);
  }
  return text;
}

std::optional<Candidate> ParseCandidate(std::string_view text) {
  Candidate candidate;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int option = 0;
    const auto result = std::from_chars(at, end, option);
    if (result.ec != std::errc()) return std::nullopt;
    candidate.options.push_back(option);
    at = result.ptr;
    if (at != end && *at++ != ',') return std::nullopt;
  }
  // Refuses what is not canonical: signs, leading zeros, a comma at the end.
  if (CandidateText(candidate) != text) return std::nullopt;
  if (std::any_of(candidate.options.begin(), candidate.options.end(),
                  [](int o) { return o < 0; })) {
    return std::nullopt;
  }
  return candidate;
}

uint64_t CandidateHash(const Candidate& candidate) {
  Fnv1a hash;
  for (int option : candidate.options) hash.AddInteger(static_cast<uint64_t>(option));
  return hash.value();
}

DesignSpace::DesignSpace(std::vector<Decision> decisions, DesignRules rules)
    : decisions_(std::move(decisions)), rules_(std::move(rules)) {
  assert(std::all_of(decisions_.begin(), decisions_.end(),
                     [](const Decision& d) { return d.num_options >= 1; }));
}

bool DesignSpace::Contains(const Candidate& candidate) const {
  if (candidate.options.size() != size()) return false;
  for (size_t i = 0; i < size(); ++i) {
    if (candidate.options[i] < 0 || candidate.options[i] >= decisions_[i].num_options) return false;
  }
  return true;
}

bool DesignSpace::IsFeasible(const Candidate& candidate) const {
  assert(Contains(candidate));
  return !rules_.is_feasible || rules_.is_feasible(candidate);
}

bool DesignSpace::Repair(Candidate* candidate) const {
  if (IsFeasible(*candidate)) return true;
  if (!rules_.repair) return false;
  rules_.repair(candidate);
  return IsFeasible(*candidate);
}

Candidate DesignSpace::Original() const { return {std::vector<int>(size(), 0)}; }

Candidate DesignSpace::Sample(Random* random) const {
  Candidate candidate = Original();
  for (size_t i = 0; i < size(); ++i) {
    candidate.options[i] = static_cast<int>(random->Integer(0, decisions_[i].num_options - 1));
  }
  return candidate;
}

bool DesignSpace::Advance(Candidate* candidate) const {
  assert(Contains(*candidate));
  for (size_t i = size(); i-- > 0;) {
    if (++candidate->options[i] < decisions_[i].num_options) return true;
    candidate->options[i] = 0;
  }
  return false;
}

double DesignSpace::NumCandidates() const {
  double count = 1;
  for (const Decision& decision : decisions_) count *= decision.num_options;
  return count;
}

double DesignSpace::Log10NumCandidates() const {
  double sum = 0;
  for (const Decision& decision : decisions_) sum += std::log10(decision.num_options);
  return sum;
}

uint64_t DesignSpace::Fingerprint() const {
  Fnv1a hash;
  for (const Decision& decision : decisions_) {
    hash.AddInteger(static_cast<uint64_t>(decision.num_options) * 2 +
                    (decision.is_ordinal ? 1 : 0));
  }
  return hash.value();
}

}  // namespace fettle
