#include "fettle/device/stopwatch.h"

#include <cassert>

namespace fettle {
namespace {

double MsPer(std::chrono::nanoseconds total, int runs) {
  return std::chrono::duration<double, std::milli>(total).count() / runs;
}

}  // namespace

double Batch::MsPerRun() const { return MsPer(wall, runs); }

double Batch::CpuMsPerRun() const { return MsPer(cpu, runs); }

std::optional<double> Batch::WaitedMsPerRun() const {
  return waited ? std::optional(MsPer(*waited, runs)) : std::nullopt;
}

Batch Stopwatch::Time(Contender& contender, int runs) {
  assert(runs > 0);
  Batch batch;
  batch.runs = runs;
  is_cold() ? TimeCold(contender, &batch) : TimeHot(contender, &batch);
  return batch;
}

void Stopwatch::TimeHot(Contender& contender, Batch* batch) {
  // The wall clock is read innermost: the other two are system calls.
  const auto waited = RunQueueWait(environment_);
  const auto cpu = environment_.CpuTime();
  const auto start = environment_.Now();
  for (int run = 0; run < batch->runs; ++run) contender.Run();
  batch->wall = environment_.Now() - start;
  batch->cpu = environment_.CpuTime() - cpu;
  const auto waited_after = RunQueueWait(environment_);
  if (waited && waited_after) batch->waited = *waited_after - *waited;
}

void Stopwatch::TimeCold(Contender& contender, Batch* batch) {
  for (int run = 0; run < batch->runs; ++run) {
    sweep_->Run();
    Batch one;
    one.runs = 1;
    TimeHot(contender, &one);
    batch->wall += one.wall;
    batch->cpu += one.cpu;
    if (one.waited)
      batch->waited = batch->waited.value_or(std::chrono::nanoseconds(0)) + *one.waited;
  }
}

}  // namespace fettle
