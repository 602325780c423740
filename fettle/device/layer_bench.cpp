#include "fettle/device/layer_bench.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/threads.h"
#include "fettle/device/layer_data.h"
#include "fettle/device/prepared_layer.h"

namespace fettle {
namespace {

std::vector<const Tensor*> PointersTo(const std::vector<Tensor>& tensors) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : tensors) pointers.push_back(&tensor);
  return pointers;
}

bool IsAllPlain(const Implementation& implementation) {
  return implementation.output == Layout::kPlain &&
         std::all_of(implementation.inputs.begin(), implementation.inputs.end(),
                     [](Layout layout) { return layout == Layout::kPlain; });
}

// One call of LayerBench::Measure.
class Bench {
 public:
  Bench(const LayerSpec& spec, const Target& target, std::span<const Offer> offers,
        uint64_t data_seed)
      : spec_(spec),
        target_(target),
        offers_(offers),
        data_(MakeLayerData(spec, data_seed)),
        weights_(PointersTo(data_.weights)),
        inputs_(data_.inputs),
        timings_(offers.size()),
        layers_(offers.size()) {}

  // Nothing where the reference refuses: then the reason stands in every timing.
  void ComputeExpected(const Primitive& reference) {
    const Support support = reference.Supports(spec_, target_);
    if (!support) return RefuseAll("the reference refuses the layer: " + support.reason);
    const std::vector<Implementation> all = reference.Implementations(spec_, target_);
    const auto plain = std::find_if(all.begin(), all.end(), IsAllPlain);
    if (plain == all.end()) return RefuseAll("the reference does not compute it in plain layout");
    PreparedLayer layer(spec_, *plain, reference.Prepare(spec_, *plain, target_, weights_),
                        inputs_);
    layer.Run();
    expected_ = layer.Output();
  }

  void PrepareAll(const BenchObserver& observer) {
    for (size_t i = 0; i < offers_.size() && expected_; ++i) {
      if (observer) observer(BenchStage::kPreparing, i);
      try {
        Prepare(i);
      } catch (const std::exception& error) {
        Refuse(i, MeasurementStatus::kFailed, error.what());
      }
      if (timings_[i].measurement.status != MeasurementStatus::kOk) layers_[i].reset();
    }
  }

  std::vector<Timing> MeasureAll(Measurer& measurer, const TimingOptions& options,
                                 const BenchObserver& observer) {
    std::vector<Contender*> contenders;
    std::vector<size_t> indices;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!layers_[i]) continue;
      contenders.push_back(layers_[i].get());
      indices.push_back(i);
    }
    const auto starting = [&](size_t contender) {
      if (observer) observer(BenchStage::kMeasuring, indices[contender]);
    };
    std::vector<Timing> measured = measurer.Measure(contenders, options, starting);
    for (size_t i = 0; i < measured.size(); ++i) Adopt(std::move(measured[i]), indices[i]);
    for (Timing& timing : timings_) timing.measurement.mode = options.mode;
    return std::move(timings_);
  }

 private:
  void Refuse(size_t offer, MeasurementStatus status, std::string detail) {
    timings_[offer].measurement.status = status;
    timings_[offer].measurement.detail = std::move(detail);
  }

  void RefuseAll(const std::string& detail) {
    for (size_t i = 0; i < offers_.size(); ++i) {
      Refuse(i, MeasurementStatus::kNotApplicable, detail);
    }
  }

  // Why the offer does not stand, in words.
  std::optional<std::string> WhyNotOffered(const Offer& offer) const {
    const std::string& name = offer.implementation.name;
    if (offer.primitive == nullptr) return Text("there is no primitive for '", name, "' here");
    const Support support = offer.primitive->Supports(spec_, target_);
    if (!support) return support.reason;
    for (const Implementation& other : offer.primitive->Implementations(spec_, target_)) {
      if (other == offer.implementation) return std::nullopt;
    }
    return Text("'", name, "' of version ", offer.implementation.version,
                ", in these layouts, is not offered here");
  }

  void Prepare(size_t index) {
    const Offer& offer = offers_[index];
    if (auto reason = WhyNotOffered(offer)) {
      return Refuse(index, MeasurementStatus::kNotApplicable, std::move(*reason));
    }
    std::unique_ptr<Kernel> kernel =
        offer.primitive->Prepare(spec_, offer.implementation, target_, weights_);
    Measurement& measurement = timings_[index].measurement;
    measurement.workspace_bytes = static_cast<int64_t>(kernel->WorkspaceBytes());
    measurement.weight_bytes = static_cast<int64_t>(kernel->WeightBytes());
    layers_[index] =
        std::make_unique<PreparedLayer>(spec_, offer.implementation, std::move(kernel), inputs_);
    const Verdict verdict = layers_[index]->Validate(*expected_);
    measurement.error = verdict.error;
    if (!verdict.fault.empty())
      return Refuse(index, MeasurementStatus::kWrongResult, verdict.fault);
    measurement.status = MeasurementStatus::kOk;  // until it is measured
  }

  void Adopt(Timing&& measured, size_t index) {
    Timing& timing = timings_[index];
    measured.measurement.error = timing.measurement.error;
    measured.measurement.workspace_bytes = timing.measurement.workspace_bytes;
    measured.measurement.weight_bytes = timing.measurement.weight_bytes;
    timing = std::move(measured);
  }

  const LayerSpec& spec_;
  const Target& target_;
  std::span<const Offer> offers_;
  LayerData data_;
  std::vector<const Tensor*> weights_;
  ArrangedInputs inputs_;
  std::optional<Tensor> expected_;
  std::vector<Timing> timings_;
  std::vector<std::unique_ptr<PreparedLayer>> layers_;  // null for those not to be measured
};

}  // namespace

std::vector<Timing> LayerBench::Measure(const LayerSpec& spec, const Target& target,
                                        std::span<const Offer> offers, const TimingOptions& options,
                                        uint64_t data_seed, const BenchObserver& observer) {
  const ThreadScope threads(target.threads);
  Bench bench(spec, target, offers, data_seed);
  bench.ComputeExpected(reference_);
  bench.PrepareAll(observer);
  return bench.MeasureAll(measurer_, options, observer);
}

}  // namespace fettle
