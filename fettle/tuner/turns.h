#pragma once

#include <functional>

#include "fettle/core/statistics.h"

namespace fettle {

// Two that were timed in turns: the medians over the rounds, and that of the rounds' ratios.
struct Turns {
  Interval ours, theirs;
  Interval ratio;  // their time over ours
};

// Times both once in each round; who begins alternates. At least kFewestForMedianInterval rounds,
// else throws Error (kDevice). `before_round`, if any, may throw to stop.
Turns TakeTurns(int rounds, const std::function<double()>& ours,
                const std::function<double()>& theirs, const std::function<void()>& before_round);

}  // namespace fettle
