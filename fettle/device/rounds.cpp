#include "fettle/device/rounds.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>

#include "fettle/core/error.h"

namespace fettle {
namespace {

double RelativeWidth(const Interval& interval) {
  return interval.value > 0 ? (interval.high - interval.low) / interval.value : INFINITY;
}

}  // namespace

Rounds::Rounds(size_t contenders, const TimingOptions& options)
    : contenders_(contenders), options_(options) {}

void Rounds::Begin(double reference_ms) {
  Round round;
  round.reference_before = reference_ms;
  round.samples.resize(contenders_);
  rounds_.push_back(std::move(round));
}

void Rounds::Add(size_t contender, const Batch& batch) {
  assert(!rounds_.empty());
  rounds_.back().samples[contender] =
      Sample{batch.MsPerRun(), batch.CpuMsPerRun(), batch.WaitedMsPerRun()};
}

void Rounds::End(double reference_ms) {
  rounds_.back().reference_after = reference_ms;
  std::vector<double> references{rounds_.front().reference_before};
  for (const Round& round : rounds_) references.push_back(round.reference_after);
  reference_median_ = Median(references);
}

// By which factor, one or more, the reference was off its median.
double Rounds::Drift(const Round& round) const {
  double drift = 1;
  for (const double reference : {round.reference_before, round.reference_after}) {
    if (!(reference > 0)) return INFINITY;
    drift = std::max({drift, reference / reference_median_, reference_median_ / reference});
  }
  return drift;
}

std::vector<const Rounds::Round*> Rounds::RoundsOf(size_t contender) const {
  std::vector<const Round*> rounds;
  for (const Round& round : rounds_) {
    if (round.samples[contender]) rounds.push_back(&round);
  }
  return rounds;
}

std::vector<const Rounds::Round*> Rounds::BelievedOf(size_t contender) const {
  std::vector<const Round*> rounds = RoundsOf(contender);
  std::erase_if(rounds,
                [this](const Round* round) { return Drift(*round) > 1 + options_.max_drift; });
  return rounds;
}

std::vector<const Rounds::Round*> Rounds::KeptOf(size_t contender) const {
  std::vector<const Round*> believed = BelievedOf(contender);
  const auto enough = static_cast<size_t>(options_.min_samples);
  if (believed.size() >= enough) return believed;
  std::vector<const Round*> rounds = RoundsOf(contender);
  std::stable_sort(rounds.begin(), rounds.end(),
                   [this](const Round* a, const Round* b) { return Drift(*a) < Drift(*b); });
  rounds.resize(std::min(rounds.size(), enough));
  std::sort(rounds.begin(), rounds.end());  // in the order taken
  return rounds;
}

Standing Rounds::StandingOf(size_t contender) const {
  std::vector<double> samples;
  for (const Round* round : BelievedOf(contender)) samples.push_back(round->samples[contender]->ms);
  Standing standing;
  standing.latency_ms = MedianInterval(samples);
  standing.is_settled = samples.size() >= static_cast<size_t>(options_.min_samples) &&
                        standing.latency_ms &&
                        RelativeWidth(*standing.latency_ms) <= options_.relative_width;
  return standing;
}

Timing Rounds::TimingOf(size_t contender) const {
  Timing timing;
  Measurement& measurement = timing.measurement;
  measurement.mode = options_.mode;
  std::vector<double> cpu_ms, undisturbed_ms, references;
  double waited_ms = 0;
  bool tells_waiting = true;
  const std::vector<const Round*> kept = KeptOf(contender);
  for (const Round* round : kept) {
    const Sample& sample = *round->samples[contender];
    measurement.samples_ms.push_back(sample.ms);
    cpu_ms.push_back(sample.cpu_ms);
    references.insert(references.end(), {round->reference_before, round->reference_after});
    tells_waiting = tells_waiting && sample.waited_ms.has_value();
    waited_ms += sample.waited_ms.value_or(0);
    if (sample.waited_ms == 0.0) undisturbed_ms.push_back(sample.ms);
  }
  measurement.dropped_rounds = static_cast<int>(RoundsOf(contender).size() - kept.size());
  if (!kept.empty()) {
    measurement.latency_ms = MedianInterval(measurement.samples_ms);
    measurement.cpu_ms = Median(cpu_ms);
    const auto [fastest, slowest] = std::minmax_element(references.begin(), references.end());
    if (*fastest > 0) measurement.reference_drift = *slowest / *fastest;
    if (tells_waiting) timing.waited_ms = waited_ms / static_cast<double>(kept.size());
    timing.undisturbed_ms = MedianInterval(undisturbed_ms);
  }
  const bool is_settled = StandingOf(contender).is_settled;
  measurement.status = is_settled ? MeasurementStatus::kOk : MeasurementStatus::kUnstable;
  if (!is_settled) measurement.detail = WhyUnstable(contender, timing);
  return timing;
}

std::string Rounds::WhyUnstable(size_t contender, const Timing& timing) const {
  const Measurement& measurement = timing.measurement;
  const size_t samples = measurement.samples_ms.size();
  std::string why;
  if (samples < kFewestForMedianInterval) {
    why = Text("only ", samples, " samples before the time was up");
  } else {
    const double percent = std::round(1000 * RelativeWidth(*measurement.latency_ms)) / 10;
    why = Text("the median's interval is ", percent, " % wide after ", samples, " samples");
  }
  const size_t believed = BelievedOf(contender).size();
  if (believed < samples) {
    why += Text(", of which ", samples - believed, " with the reference kernel off by more than ",
                100 * options_.max_drift, " %");
  }
  return why;
}

}  // namespace fettle
