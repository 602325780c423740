#pragma once

#include "fettle/device/contender.h"
#include "fettle/device/environment.h"
#include "fettle/device/stopwatch.h"
#include "fettle/device/timing.h"

namespace fettle {

// The runs of a batch that is long enough to be timed, by what a run took: at least
// options.min_batch (when hot) and options.min_ticks of the clock, with a fifth to spare.
int RunsOfBatch(Environment& environment, const Stopwatch& stopwatch, const TimingOptions& options,
                const Batch& last);

// Whether a batch was long enough.
bool IsLongEnough(Environment& environment, const Stopwatch& stopwatch,
                  const TimingOptions& options, const Batch& batch);

// Runs the contender until the running median of its batches settles (the last five agree with the
// five before within the options' relative width) or options.warm_up_budget is spent; one batch at
// least. Returns the runs of a batch.
int WarmUp(Environment& environment, Stopwatch& stopwatch, const TimingOptions& options,
           Contender& contender);

}  // namespace fettle
