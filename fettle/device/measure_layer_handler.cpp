#include "fettle/device/cache_sweep.h"
#include "fettle/device/peak_memory.h"
#include "fettle/device/reference_work.h"
#include "fettle/device/request_list.h"
#include "fettle/device/worker_protocol.h"

namespace fettle {
namespace {

class MeasureLayerHandler : public RequestHandler {
 public:
  explicit MeasureLayerHandler(const WorkerTools& tools)
      : tools_(tools),
        sweep_(HostCacheSweep(tools.environment)),
        measurer_(tools.environment, work_, sweep_),
        bench_(measurer_, tools.primitives.reference()) {}

  std::string_view Kind() const override { return kMeasureLayerKind; }

  std::string Answer(const std::string& body, const Progress& progress) override {
    const LayerRequest request = ParseLayerRequest(body);
    std::vector<Offer> offers;
    for (const Implementation& one : request.implementations) {
      offers.push_back({tools_.primitives.Find(one.name), one});
    }
    const auto observer = [&](BenchStage stage, size_t offer) {
      progress(BodyOf(LayerProgress{stage, offer}));
    };
    ForgetPeak(tools_.environment);
    LayerAnswer answer;
    answer.resident_bytes = ResidentBytes(tools_.environment);
    answer.timings = bench_.Measure(request.spec, HostTarget(request.threads), offers,
                                    request.options, request.data_seed, observer);
    answer.peak_bytes = PeakResidentBytes(tools_.environment);
    return BodyOf(answer);
  }

 private:
  WorkerTools tools_;
  ReferenceWork work_;
  CacheSweep sweep_;
  Measurer measurer_;
  LayerBench bench_;
};

}  // namespace

std::unique_ptr<RequestHandler> MakeMeasureLayerHandler(const WorkerTools& tools) {
  return std::make_unique<MeasureLayerHandler>(tools);
}

}  // namespace fettle
