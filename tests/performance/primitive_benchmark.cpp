// How long every implementation of one layer takes: a look, not a measurement that is kept.
//
//   primitive_benchmark LAYER [THREADS [SECONDS [NAME]]]
//
// LAYER is a LayerSpec's text (core/layer_spec.h). The implementations take turns, in another order
// each round, for SECONDS (2) in all; the table has the median and the least of each one's rounds,
// fastest first, and its error: the largest difference from the FP64 reference, relative to that
// one's largest magnitude. The caches are as the others leave them.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/core/threads.h"
#include "fettle/device/layer_data.h"
#include "fettle/device/prepared_layer.h"
#include "fettle/primitives/primitive_list.h"

namespace fettle {
namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// An implementation, ready to run.
class Entry {
 public:
  Entry(const LayerSpec& spec, const Primitive& primitive, Implementation implementation,
        const Target& target, const std::vector<const Tensor*>& weights, ArrangedInputs& inputs)
      : implementation_(std::move(implementation)) {
    const Clock::time_point start = Clock::now();
    std::unique_ptr<Kernel> kernel = primitive.Prepare(spec, implementation_, target, weights);
    prepare_ms_ = MillisecondsSince(start);
    weight_kib_ = static_cast<double>(kernel->WeightBytes()) / 1024;
    workspace_kib_ = static_cast<double>(kernel->WorkspaceBytes()) / 1024;
    layer_.emplace(spec, implementation_, std::move(kernel), inputs);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  void CompareWith(const Tensor& expected) { verdict_ = layer_->Validate(expected); }
  Tensor Output() {
    layer_->Run();
    return layer_->Output();
  }

  void Run() {
    const Clock::time_point start = Clock::now();
    layer_->Run();
    samples_ms_.push_back(MillisecondsSince(start));
  }

  void Sort() { std::ranges::sort(samples_ms_); }
  double MedianMs() const { return samples_ms_[samples_ms_.size() / 2]; }

  void Print(int64_t macs) const {
    std::string layouts;
    for (Layout layout : implementation_.inputs) layouts.append(NameOf(layout)).append(" ");
    layouts.append("> ").append(NameOf(implementation_.output));
    const double ms = MedianMs();
    std::printf("%-58s %-36s %9.4f %9.4f %8.1f %9.1e %8.1f %9.1f %9.1f %6zu%s%s\n",
                implementation_.name.c_str(), layouts.c_str(), ms, samples_ms_.front(),
                2e-6 * static_cast<double>(macs) / ms, verdict_.error, prepare_ms_, weight_kib_,
                workspace_kib_, samples_ms_.size(),
                verdict_.fault.empty() ? "" : "  WRONG: ", verdict_.fault.c_str());
  }

 private:
  Implementation implementation_;
  double prepare_ms_ = 0, weight_kib_ = 0, workspace_kib_ = 0;
  std::optional<PreparedLayer> layer_;
  Verdict verdict_;
  std::vector<double> samples_ms_;
};

using Entries = std::vector<std::unique_ptr<Entry>>;

// All that compute the layer and whose names begin with `only`; those of the reference are left
// out.
Entries EntriesOf(const LayerSpec& spec, const Target& target, const PrimitiveList& list,
                  std::string_view only, const std::vector<const Tensor*>& weights,
                  ArrangedInputs& inputs, std::string* refusals) {
  Entries entries;
  for (const auto& primitive : list.primitives()) {
    if (primitive.get() == &list.reference()) continue;
    if (const Support support = primitive->Supports(spec, target); !support) {
      refusals->append(primitive->Name()).append(": ").append(support.reason).append("\n");
      continue;
    }
    for (const Implementation& implementation : primitive->Implementations(spec, target)) {
      if (!implementation.name.starts_with(only)) continue;
      entries.push_back(
          std::make_unique<Entry>(spec, *primitive, implementation, target, weights, inputs));
    }
  }
  return entries;
}

// What the reference computes in FP64, rounded once.
Tensor Expected(const LayerSpec& spec, const Target& target, const Primitive& reference,
                const std::vector<const Tensor*>& weights, ArrangedInputs& inputs) {
  const Support support = reference.Supports(spec, target);
  if (!support) throw BadInput("the reference refuses the layer: ", support.reason);
  const Implementation plain = reference.Implementations(spec, target).front();
  return Entry(spec, reference, plain, target, weights, inputs).Output();
}

void Benchmark(const LayerSpec& spec, int threads, double seconds, std::string_view only) {
  const ThreadScope scope(threads);
  const PrimitiveList list = PrimitiveList::All();
  const Target target = HostTarget(threads);
  const LayerData data = MakeLayerData(spec, 1);
  std::vector<const Tensor*> weights;
  for (const Tensor& weight : data.weights) weights.push_back(&weight);
  ArrangedInputs inputs(data.inputs);
  std::string refusals;
  Entries entries = EntriesOf(spec, target, list, only, weights, inputs, &refusals);
  if (entries.empty()) throw BadInput("none is for this layer:\n", refusals);
  const Tensor expected = Expected(spec, target, list.reference(), weights, inputs);
  for (const auto& entry : entries) entry->CompareWith(expected);
  Random random(2);
  const Clock::time_point start = Clock::now();
  do {
    random.Shuffle(&entries);
    for (const auto& entry : entries) entry->Run();
  } while (MillisecondsSince(start) < seconds * 1000);
  for (const auto& entry : entries) entry->Sort();
  std::ranges::sort(entries, {}, &Entry::MedianMs);
  std::printf("%-58s %-36s %9s %9s %8s %9s %8s %9s %9s %6s\n", "implementation", "layouts",
              "median ms", "least ms", "GFLOP/s", "error", "prep ms", "weights K", "scratch K",
              "rounds");
  for (const auto& entry : entries) entry->Print(MacsOf(spec));
  std::printf("\nnot for this layer:\n%s", refusals.c_str());
}

template <typename T>
bool ParsePositive(std::string_view text, T* value) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return fault == std::errc() && end == text.data() + text.size() && *value > 0;
}

int Main(const std::vector<std::string_view>& arguments) {
  int threads = 1;
  double seconds = 2;
  const std::optional<LayerSpec> spec =
      arguments.empty() ? std::nullopt : ParseLayerSpec(arguments[0]);
  const bool is_sound = spec && arguments.size() <= 4 &&
                        (arguments.size() < 2 || ParsePositive(arguments[1], &threads)) &&
                        (arguments.size() < 3 || ParsePositive(arguments[2], &seconds));
  if (!is_sound) {
    std::fprintf(stderr,
                 "usage: primitive_benchmark LAYER [THREADS [SECONDS [NAME]]]\n"
                 "LAYER is canonical text, e.g. 'activation(kind=relu,alpha=0,beta=0) "
                 "in=f32[1x64x56x56] out=f32[1x64x56x56]'\n");
    return 2;
  }
  try {
    Benchmark(*spec, threads, seconds, arguments.size() > 3 ? arguments[3] : "");
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.kind());
  }
  return 0;
}

}  // namespace
}  // namespace fettle

int main(int count, char** arguments) { return fettle::Main({arguments + 1, arguments + count}); }
