#include "fettle/search/random_search.h"

#include <cassert>
#include <optional>
#include <utility>

#include "fettle/search/state_text.h"

namespace fettle {

RandomSearch::RandomSearch(const DesignSpace& space, const StrategySettings& settings)
    : space_(space),
      random_(Random(settings.seed).Fork("random")),
      unseen_(space),
      initial_(settings.initial) {}

std::vector<Candidate> RandomSearch::Ask(size_t n) {
  std::vector<Candidate> asked;
  while (asked.size() < n) {
    if (num_initial_used_ < initial_.size()) {
      Candidate candidate = initial_[num_initial_used_++];
      if (space_.Repair(&candidate) && unseen_.MarkSeen(candidate)) asked.push_back(candidate);
      continue;
    }
    std::optional<Candidate> candidate = unseen_.Take(&random_);
    if (!candidate.has_value()) break;
    asked.push_back(*std::move(candidate));
  }
  return asked;
}

void RandomSearch::Tell(const Candidate& candidate, const Objectives&, double) {
  assert(space_.Contains(candidate));
  unseen_.MarkSeen(candidate);
}

std::string RandomSearch::Save() const {
  StateWriter writer;
  writer.Add("random", "1");
  writer.Add("space", std::to_string(space_.Fingerprint()));
  writer.Add("generator", random_.Save());
  writer.Add("initial_used", std::to_string(num_initial_used_));
  unseen_.Save(&writer);
  return writer.text();
}

bool RandomSearch::Restore(std::string_view state) {
  StateReader reader(state);
  if (reader.Read("random") != "1" || reader.ReadNumber("space") != space_.Fingerprint()) {
    return false;
  }
  const std::optional<Random> random = Random::Restore(reader.Read("generator").value_or(""));
  const std::optional<uint64_t> used = reader.ReadNumber("initial_used");
  UnseenCandidates unseen(space_);
  if (!random.has_value() || !used.has_value() || *used > initial_.size() ||
      !unseen.Restore(&reader) || !reader.IsAtEnd()) {
    return false;
  }
  random_ = *random;
  num_initial_used_ = static_cast<size_t>(*used);
  unseen_ = std::move(unseen);
  return true;
}

}  // namespace fettle
