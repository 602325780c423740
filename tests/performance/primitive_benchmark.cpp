// How long every implementation of one layer takes: a look, not a measurement that is kept.
//
//   primitive_benchmark LAYER [THREADS [SECONDS [NAME]]]
//
// LAYER is a LayerSpec's text (core/layer_spec.h). The implementations take turns, in another order
// each round, for SECONDS (2) in all; the table has the median and the least of each one's rounds,
// fastest first. The caches are as the others leave them. Nothing is compared: tests/agreement does
// that.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/core/threads.h"
#include "fettle/device/layer_data.h"
#include "fettle/primitives/primitive_list.h"

namespace fettle {
namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Memory aligned as a Tensor's.
Tensor Buffer(int64_t bytes) { return Tensor({DType::kU8, {std::max<int64_t>(bytes, 1)}}); }

// Values in [-1, 1]; what is no float stays zero.
void Randomise(const TensorType& type, Random* random, std::byte* data) {
  const int64_t count = ElementCount(type);
  for (int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(random->Uniform(-1, 1));
    const uint16_t half = ToBF16(value);
    if (type.dtype == DType::kF32) std::memcpy(data + i * 4, &value, 4);
    if (type.dtype == DType::kBF16) std::memcpy(data + i * 2, &half, 2);
  }
}

// An implementation with buffers of its own, ready to run.
class Contender {
 public:
  Contender(const LayerSpec& spec, const Primitive& primitive, Implementation implementation,
            const Target& target, const std::vector<const Tensor*>& weights, Random* random)
      : implementation_(std::move(implementation)),
        adds_residual_(spec.adds_residual && implementation_.in_place_input.has_value()) {
    const Clock::time_point start = Clock::now();
    kernel_ = primitive.Prepare(spec, implementation_, target, weights);
    prepare_ms_ = MillisecondsSince(start);
    for (size_t i = 0; i < spec.inputs.size(); ++i) {
      // In whatever layout: a random order of random values. Padding channels get no zeros.
      inputs_.push_back(Buffer(PhysicalBytes(spec.inputs[i], implementation_.inputs[i])));
      Randomise(spec.inputs[i], random, inputs_.back().bytes());
    }
    output_ = Buffer(PhysicalBytes(spec.output, implementation_.output));
    workspace_ = Buffer(static_cast<int64_t>(kernel_->WorkspaceBytes()));
    Run();  // the first is not the others' like
    samples_ms_.clear();
  }

  void Run() {
    std::vector<const std::byte*> pointers;
    for (const Tensor& input : inputs_) pointers.push_back(input.bytes());
    // On top of the residual, as a plan would have it; elsewhere the values would dwindle.
    std::byte* output = adds_residual_ ? inputs_.back().bytes() : output_.bytes();
    const Clock::time_point start = Clock::now();
    kernel_->Run(pointers, output, workspace_.bytes());
    samples_ms_.push_back(MillisecondsSince(start));
  }

  void Sort() { std::sort(samples_ms_.begin(), samples_ms_.end()); }
  double MedianMs() const { return samples_ms_[samples_ms_.size() / 2]; }

  void Print(int64_t macs) const {
    std::string layouts;
    for (Layout layout : implementation_.inputs) layouts.append(NameOf(layout)).append(" ");
    layouts.append("> ").append(NameOf(implementation_.output));
    const double ms = MedianMs();
    std::printf("%-58s %-36s %9.4f %9.4f %8.1f %8.1f %9.1f %9.1f %6zu\n",
                implementation_.name.c_str(), layouts.c_str(), ms, samples_ms_.front(),
                2e-6 * static_cast<double>(macs) / ms, prepare_ms_,
                static_cast<double>(kernel_->WeightBytes()) / 1024,
                static_cast<double>(kernel_->WorkspaceBytes()) / 1024, samples_ms_.size());
  }

 private:
  Implementation implementation_;
  bool adds_residual_;
  std::unique_ptr<Kernel> kernel_;
  double prepare_ms_ = 0;
  std::vector<Tensor> inputs_;
  Tensor output_, workspace_;
  std::vector<double> samples_ms_;
};

std::vector<std::unique_ptr<Contender>> Contenders(const LayerSpec& spec, const Target& target,
                                                   const PrimitiveList& list, std::string_view only,
                                                   std::string* refusals) {
  Random random(1);
  const LayerData data = MakeLayerData(spec, 1);  // for the weights, with the zeros they shall have
  std::vector<const Tensor*> pointers;
  for (const Tensor& weight : data.weights) pointers.push_back(&weight);
  std::vector<std::unique_ptr<Contender>> contenders;
  for (const auto& primitive : list.primitives()) {
    if (primitive.get() == &list.reference()) continue;
    if (const Support support = primitive->Supports(spec, target); !support) {
      refusals->append(primitive->Name()).append(": ").append(support.reason).append("\n");
      continue;
    }
    for (const Implementation& implementation : primitive->Implementations(spec, target)) {
      if (!implementation.name.starts_with(only)) continue;
      contenders.push_back(
          std::make_unique<Contender>(spec, *primitive, implementation, target, pointers, &random));
    }
  }
  return contenders;
}

void Benchmark(const LayerSpec& spec, int threads, double seconds, std::string_view only) {
  const ThreadScope scope(threads);
  const PrimitiveList list = PrimitiveList::All();
  std::string refusals;
  auto contenders = Contenders(spec, HostTarget(threads), list, only, &refusals);
  Random random(2);
  const Clock::time_point start = Clock::now();
  do {
    random.Shuffle(&contenders);
    for (const auto& contender : contenders) contender->Run();
  } while (MillisecondsSince(start) < seconds * 1000);
  for (const auto& contender : contenders) contender->Sort();
  std::sort(contenders.begin(), contenders.end(),
            [](const auto& a, const auto& b) { return a->MedianMs() < b->MedianMs(); });
  std::printf("%-58s %-36s %9s %9s %8s %8s %9s %9s %6s\n", "implementation", "layouts", "median ms",
              "least ms", "GFLOP/s", "prep ms", "weights K", "scratch K", "rounds");
  for (const auto& contender : contenders) contender->Print(MacsOf(spec));
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
