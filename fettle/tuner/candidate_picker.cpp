#include "fettle/tuner/candidate_picker.h"

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr double kMostLoss = 0.25;  // predicted, of the loss of a guess

// The spread is over latency and loss; where memory counts, its best is among the picks as well.
void AddSmallest(const std::vector<PredictedCandidate>& front,
                 const std::vector<Objective>& objectives, std::vector<PredictedCandidate>* picks) {
  if (front.empty() || !Contains(objectives, Objective::kMemory)) return;
  const PredictedCandidate& smallest =
      *std::ranges::min_element(front, {}, &PredictedCandidate::memory_bytes);
  const auto is_smallest = [&](const PredictedCandidate& pick) {
    return pick.candidate == smallest.candidate;
  };
  if (std::ranges::none_of(*picks, is_smallest)) picks->push_back(smallest);
}

}  // namespace

CandidatePicker::CandidatePicker(const Session& session, const TuningSpace& space,
                                 const CandidateCosts& costs, int64_t num_classes,
                                 TuneObserver* observer)
    : session_(session),
      space_(space),
      costs_(costs),
      num_classes_(num_classes),
      observer_(observer) {}

bool CandidatePicker::IsVerified(const Candidate& candidate) const {
  const std::string text = CandidateText(candidate);
  if (session_.beaten().contains(text)) return true;
  return std::ranges::any_of(session_.points(),
                             [&](const VerifiedPoint& point) { return point.candidate == text; });
}

AccuracyModel CandidatePicker::ModelOfPoints() const {
  std::vector<AccuracyModel::Sample> samples;
  for (const VerifiedPoint& point : session_.points()) {
    const std::optional<Candidate> candidate = ParseCandidate(point.candidate);
    if (!candidate || !space_.space().Contains(*candidate)) continue;
    samples.push_back({Contributions(*candidate), point.drop.value});
  }
  return AccuracyModel(samples);
}

std::vector<double> CandidatePicker::Contributions(const Candidate& candidate) const {
  return LossContributions(candidate, space_.space(), session_.sensitivities());
}

bool CandidatePicker::IsTooCostly(const PredictedCandidate& candidate) const {
  const AccuracyModel model = ModelOfPoints();
  return model.is_known() &&
         model.Drop(Contributions(candidate.candidate)) > session_.settings().max_drop_points;
}

std::map<std::string, double> CandidatePicker::CorrectedSensitivities() const {
  const AccuracyModel model = ModelOfPoints();
  std::map<std::string, double> corrected = session_.sensitivities();
  for (auto& [text, loss] : corrected) {
    const std::optional<Candidate> single = ParseCandidate(text);
    if (!single) continue;
    for (size_t i = 0; i < single->options.size(); ++i) {
      if (single->options[i] != 0) loss *= model.RelativeWeight(i);
    }
  }
  return corrected;
}

std::vector<PredictedCandidate> CandidatePicker::Front() {
  CandidateSearchOptions options;
  options.strategy = session_.settings().strategy;
  options.seed = session_.settings().seed;
  options.objectives = session_.settings().objectives;
  // The larger the network, the longer each candidate takes.
  const auto decisions = static_cast<int64_t>(space_.decisions().size());
  options.evaluations = std::clamp<int64_t>(30'000 / std::max<int64_t>(1, decisions), 200, 1000);
  std::vector<PredictedCandidate> front =
      SearchCandidates(space_, costs_, CorrectedSensitivities(), options, observer_);
  // On the way to the loss of a guess the sum of single changes says ever less, and what is left of
  // the network is of ever less use.
  const double most_loss = kMostLoss * std::log(static_cast<double>(num_classes_));
  std::erase_if(front,
                [&](const PredictedCandidate& candidate) { return candidate.loss > most_loss; });
  observer_->Note(
      Text("search: ", options.evaluations, " candidates, predicted front of ", front.size()));
  return front;
}

std::vector<PredictedCandidate> CandidatePicker::Picks(size_t most) {
  const std::vector<Objective>& objectives = session_.settings().objectives;
  std::vector<PredictedCandidate> front = Front();
  if (!Contains(objectives, Objective::kMemory)) front = DropIndistinct(front);
  std::vector<PredictedCandidate> picks = SpreadOver(front, most);
  AddSmallest(front, objectives, &picks);
  std::erase_if(picks, [&](const PredictedCandidate& pick) { return IsVerified(pick.candidate); });
  return picks;
}

void CandidatePicker::Correct(std::vector<PredictedCandidate>* picks) {
  const size_t remaining = picks->size();
  const double slowest = picks->front().ms;
  std::vector<PredictedCandidate> corrected = Picks(remaining + session_.points().size());
  // Those that are wider have been tried; the rest start from the ones that were trained.
  std::erase_if(corrected,
                [&](const PredictedCandidate& pick) { return pick.ms > 1.001 * slowest; });
  if (corrected.empty()) return;
  std::ranges::stable_sort(corrected, {}, &PredictedCandidate::ms);
  *picks = SpreadOver(corrected, remaining);
  observer_->Note(Text("what was verified corrects the sensitivities; ", picks->size(),
                       " candidates picked anew"));
}

}  // namespace fettle
