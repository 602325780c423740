// How long every implementation of one layer takes: a look, not a measurement that is kept.
//
//   primitive_benchmark LAYER [THREADS [SECONDS [NAME]]]
//
// LAYER is a LayerSpec's text (core/layer_spec.h). The implementations take turns, in another order
// each round, for SECONDS (2) in all; the table has the median and the least of each one's rounds,
// fastest first, and its error: the largest difference from the FP64 reference, relative to that
// one's largest magnitude. The caches are as the others leave them.
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/threads.h"
#include "tests/performance/benchmark_main.h"
#include "tests/performance/layer_entry.h"

namespace fettle {
namespace {

void Print(const LayerEntry& entry, int64_t macs) {
  std::string layouts;
  for (Layout layout : entry.implementation().inputs) layouts.append(NameOf(layout)).append(" ");
  layouts.append("> ").append(NameOf(entry.implementation().output));
  const double ms = entry.MedianMs();
  const std::string& fault = entry.verdict().fault;
  std::printf("%-58s %-36s %9.4f %9.4f %8.1f %9.1e %8.1f %9.1f %9.1f %6zu%s%s\n",
              entry.implementation().name.c_str(), layouts.c_str(), ms,
              std::ranges::min(entry.samples_ms()), 2e-6 * static_cast<double>(macs) / ms,
              entry.verdict().error, entry.prepare_ms(), entry.weight_bytes() / 1024,
              entry.workspace_bytes() / 1024, entry.samples_ms().size(),
              fault.empty() ? "" : "  WRONG: ", fault.c_str());
}

void Benchmark(const LayerSpec& spec, int threads, double seconds, std::string_view only) {
  const ThreadScope scope(threads);
  const PrimitiveList list = PrimitiveList::All();
  const LayerEntries entries(spec, HostTarget(threads), list, only);
  std::vector<LayerEntry*> all = entries.all();
  LayerEntries::RunInTurns(all, seconds);
  std::ranges::sort(all, {}, &LayerEntry::MedianMs);
  std::printf("%-58s %-36s %9s %9s %8s %9s %8s %9s %9s %6s\n", "implementation", "layouts",
              "median ms", "least ms", "GFLOP/s", "error", "prep ms", "weights K", "scratch K",
              "rounds");
  for (const LayerEntry* entry : all) Print(*entry, MacsOf(spec));
  std::printf("\nnot for this layer:\n%s", entries.refusals().c_str());
}

void Run(const std::vector<std::string_view>& arguments) {
  int threads = 1;
  double seconds = 2;
  const std::optional<LayerSpec> spec =
      arguments.empty() ? std::nullopt : ParseLayerSpec(arguments[0]);
  const bool is_sound = spec && arguments.size() <= 4 &&
                        (arguments.size() < 2 || ParsePositive(arguments[1], &threads)) &&
                        (arguments.size() < 3 || ParsePositive(arguments[2], &seconds));
  if (!is_sound) {
    throw Error(ErrorKind::kUsage,
                "usage: primitive_benchmark LAYER [THREADS [SECONDS [NAME]]]\n"
                "LAYER is canonical text, e.g. 'conv(kernel=3x3,strides=1x1,dilations=1x1,"
                "pads_begin=1x1,pads_end=1x1,groups=1) in=f32[1x64x56x56] "
                "weights=f32[64x64x3x3] out=f32[1x64x56x56]'");
  }
  Benchmark(*spec, threads, seconds, arguments.size() > 3 ? arguments[3] : "");
}

}  // namespace
}  // namespace fettle

int main(int count, char** arguments) {
  return fettle::BenchmarkMain(count, arguments, fettle::Run);
}
