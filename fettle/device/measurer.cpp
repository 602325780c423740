#include "fettle/device/measurer.h"

#include <algorithm>
#include <exception>
#include <string>

#include "fettle/core/random.h"
#include "fettle/core/statistics.h"
#include "fettle/device/rounds.h"
#include "fettle/device/stopwatch.h"
#include "fettle/device/warm_up.h"

namespace fettle {
namespace {

// A batch that came out too short is repeated with more runs, but not without end.
constexpr int kMostAttempts = 10;

// For the samples that a median's interval needs a contender may go so far over its budget.
constexpr int kMostOverrun = 3;

struct Racer {
  explicit Racer(Contender* what) : contender(what) {}

  Contender* contender;
  int runs = 1;  // of a batch
  size_t samples = 0;
  std::chrono::nanoseconds spent{0};  // on samples
  bool has_failed = false;
  std::string failure;
};

bool Overlap(const Standing& a, const Standing& b) {
  if (!a.latency_ms || !b.latency_ms) return true;
  return a.latency_ms->low <= b.latency_ms->high && b.latency_ms->low <= a.latency_ms->high;
}

// One call of Measurer::Measure.
class Race {
 public:
  Race(Environment& environment, Contender& reference, Contender& sweep,
       std::span<Contender* const> contenders, const TimingOptions& options)
      : environment_(environment),
        options_(options),
        reference_(&reference),
        reference_stopwatch_(environment, nullptr),
        stopwatch_(environment, options.mode == CacheMode::kCold ? &sweep : nullptr),
        rounds_(contenders.size(), options),
        random_(options.seed) {
    for (Contender* contender : contenders) racers_.emplace_back(contender);
  }

  void WarmUpAll(const std::function<void(size_t)>& starting) {
    reference_.runs = WarmUp(environment_, reference_stopwatch_, options_, *reference_.contender);
    for (size_t i = 0; i < racers_.size(); ++i) {
      if (starting) starting(i);
      Guarded(&racers_[i], [&](Racer* racer) {
        racer->runs = WarmUp(environment_, stopwatch_, options_, *racer->contender);
      });
    }
  }

  void RunRounds() {
    if (Active().empty()) return;
    double reference_ms = TimeReference();
    while (rounds_.size() < static_cast<size_t>(options_.max_rounds)) {
      std::vector<size_t> order = Active();
      if (order.empty()) return;
      random_.Shuffle(&order);
      rounds_.Begin(reference_ms);
      for (const size_t contender : order) TimeOnce(contender);
      reference_ms = TimeReference();
      rounds_.End(reference_ms);
    }
  }

  std::vector<Timing> Timings() const {
    std::vector<Timing> timings;
    for (size_t i = 0; i < racers_.size(); ++i) timings.push_back(TimingOf(i));
    return timings;
  }

 private:
  // What a contender throws is its own failure; nothing else ends.
  template <typename Work>
  void Guarded(Racer* racer, const Work& work) {
    if (racer->has_failed) return;
    try {
      work(racer);
    } catch (const std::exception& error) {
      racer->has_failed = true;
      racer->failure = error.what();
    }
  }

  Batch TimeLongEnough(Stopwatch* stopwatch, Racer* racer) {
    Batch batch = stopwatch->Time(*racer->contender, racer->runs);
    for (int attempt = 1; attempt < kMostAttempts; ++attempt) {
      if (IsLongEnough(environment_, *stopwatch, options_, batch)) break;
      racer->runs =
          std::max(racer->runs + 1, RunsOfBatch(environment_, *stopwatch, options_, batch));
      batch = stopwatch->Time(*racer->contender, racer->runs);
    }
    return batch;
  }

  double TimeReference() { return TimeLongEnough(&reference_stopwatch_, &reference_).MsPerRun(); }

  void TimeOnce(size_t contender) {
    Guarded(&racers_[contender], [&](Racer* racer) {
      // The others have had the caches since: a batch of few runs would be slower by the first.
      if (options_.mode == CacheMode::kHot) racer->contender->Run();
      const auto start = environment_.Now();
      rounds_.Add(contender, TimeLongEnough(&stopwatch_, racer));
      racer->spent += environment_.Now() - start;
      ++racer->samples;
    });
  }

  bool IsSpent(size_t contender) const {
    const Racer& racer = racers_[contender];
    const int overrun = racer.samples < kFewestForMedianInterval ? kMostOverrun : 1;
    return racer.has_failed || racer.spent >= overrun * options_.contender_budget;
  }

  // Those not yet settled, and those that are but cannot be told from one that is not.
  std::vector<size_t> Active() const {
    std::vector<Standing> standings;
    for (size_t i = 0; i < racers_.size(); ++i) standings.push_back(rounds_.StandingOf(i));
    const auto is_open = [&](size_t i) { return !IsSpent(i) && !standings[i].is_settled; };
    std::vector<size_t> active;
    for (size_t i = 0; i < racers_.size(); ++i) {
      bool is_needed = is_open(i);
      for (size_t other = 0; other < racers_.size() && !is_needed; ++other) {
        is_needed = is_open(other) && Overlap(standings[i], standings[other]);
      }
      if (is_needed && !IsSpent(i)) active.push_back(i);
    }
    return active;
  }

  Timing TimingOf(size_t contender) const {
    const Racer& racer = racers_[contender];
    if (!racer.has_failed) return rounds_.TimingOf(contender);
    Timing timing;
    timing.measurement.mode = options_.mode;
    timing.measurement.status = MeasurementStatus::kFailed;
    timing.measurement.detail = racer.failure;
    return timing;
  }

  Environment& environment_;
  TimingOptions options_;
  Racer reference_;
  std::vector<Racer> racers_;
  Stopwatch reference_stopwatch_;
  Stopwatch stopwatch_;
  Rounds rounds_;
  Random random_;
};

}  // namespace

std::vector<Timing> Measurer::Measure(std::span<Contender* const> contenders,
                                      const TimingOptions& options,
                                      const std::function<void(size_t)>& starting) {
  Race race(environment_, reference_, sweep_, contenders, options);
  race.WarmUpAll(starting);
  race.RunRounds();
  return race.Timings();
}

}  // namespace fettle
