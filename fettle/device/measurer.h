#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "fettle/device/contender.h"
#include "fettle/device/environment.h"
#include "fettle/device/timing.h"

namespace fettle {

// Measures contenders against one another so that their order can be trusted on a machine that
// changes under them (docs/measurement.md). Each is warmed up until its running median settles;
// then come rounds: a batch of each in random order, a batch of the reference kernel in between,
// whose drift shows that the machine was not the same. A contender whose interval is narrow enough
// rests, unless another one, not yet settled, may still be as fast: those two are told apart by the
// same rounds.
class Measurer {
 public:
  // `reference` is work of fixed size, `sweep` overwrites the caches (it runs in mode kCold only).
  // All three outlive the measurer.
  Measurer(Environment& environment, Contender& reference, Contender& sweep)
      : environment_(environment), reference_(reference), sweep_(sweep) {}

  // One timing for each contender, in their order. Statuses: kOk; kUnstable at options.max_rounds
  // or where options.contender_budget of wall time is spent on it; kFailed where it threw.
  // `starting` (may be empty) hears of each contender before it runs for the first time.
  std::vector<Timing> Measure(std::span<Contender* const> contenders, const TimingOptions& options,
                              const std::function<void(size_t contender)>& starting = {});

 private:
  Environment& environment_;
  Contender& reference_;
  Contender& sweep_;
};

}  // namespace fettle
