#include "fettle/search/unseen_candidates.h"

#include <algorithm>
#include <string>
#include <utility>

namespace fettle {
namespace {

constexpr int kDraws = 64;
constexpr int kStepsInOrder = 1'000'000;

}  // namespace

UnseenCandidates::UnseenCandidates(const DesignSpace& space)
    : space_(&space), cursor_(space.Original()) {}

std::optional<Candidate> UnseenCandidates::Take(Random* random) {
  for (int draw = 0; draw < kDraws; ++draw) {
    Candidate candidate = space_->Sample(random);
    if (space_->Repair(&candidate) && MarkSeen(candidate)) return candidate;
  }
  return TakeInOrder();
}

std::optional<Candidate> UnseenCandidates::TakeInOrder() {
  for (int step = 0; step < kStepsInOrder && cursor_.has_value(); ++step) {
    Candidate candidate = *cursor_;
    if (!space_->Advance(&*cursor_)) cursor_.reset();
    if (space_->IsFeasible(candidate) && MarkSeen(candidate)) return candidate;
  }
  return std::nullopt;
}

void UnseenCandidates::Save(StateWriter* writer) const {
  writer->Add("cursor", cursor_.has_value() ? CandidateText(*cursor_) : "end");
  // In order, so that equal states have equal texts.
  std::vector<Candidate> seen(seen_.begin(), seen_.end());
  std::sort(seen.begin(), seen.end());
  writer->Add("seen", std::to_string(seen.size()));
  for (const Candidate& candidate : seen) writer->Add("candidate", CandidateText(candidate));
}

bool UnseenCandidates::Restore(StateReader* reader) {
  const auto parse = [this](std::optional<std::string_view> text) -> std::optional<Candidate> {
    std::optional<Candidate> candidate = text.has_value() ? ParseCandidate(*text) : std::nullopt;
    if (candidate.has_value() && !space_->Contains(*candidate)) return std::nullopt;
    return candidate;
  };
  const std::optional<std::string_view> cursor_text = reader->Read("cursor");
  if (!cursor_text.has_value()) return false;
  std::optional<Candidate> cursor;
  if (*cursor_text != "end" && !(cursor = parse(cursor_text)).has_value()) return false;
  const std::optional<uint64_t> count = reader->ReadNumber("seen");
  if (!count.has_value()) return false;
  std::unordered_set<Candidate, CandidateHasher> seen;
  for (uint64_t i = 0; i < *count; ++i) {
    std::optional<Candidate> candidate = parse(reader->Read("candidate"));
    if (!candidate.has_value()) return false;
    seen.insert(*std::move(candidate));
  }
  seen_ = std::move(seen);
  cursor_ = std::move(cursor);
  return true;
}

}  // namespace fettle
