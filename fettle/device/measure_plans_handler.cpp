#include <memory>

#include "fettle/device/cache_sweep.h"
#include "fettle/device/measurer.h"
#include "fettle/device/peak_memory.h"
#include "fettle/device/plan_contender.h"
#include "fettle/device/reference_work.h"
#include "fettle/device/request_list.h"

namespace fettle {
namespace {

class MeasurePlansHandler : public RequestHandler {
 public:
  explicit MeasurePlansHandler(const WorkerTools& tools)
      : tools_(tools),
        sweep_(HostCacheSweep(tools.environment)),
        measurer_(tools.environment, work_, sweep_) {}

  std::string_view Kind() const override { return kMeasurePlansKind; }

  std::string Answer(const std::string& body, const Progress&) override {
    const PlansRequest request = ParsePlansRequest(body);
    PlansAnswer answer;
    std::vector<std::unique_ptr<PlanContender>> contenders;
    for (const std::string& folder : request.folders) {
      answer.plans.emplace_back();
      contenders.push_back(Load(folder, request, &answer.plans.back()));
    }
    std::vector<Contender*> pointers;
    for (const auto& contender : contenders) pointers.push_back(contender.get());
    const std::vector<Timing> timings = measurer_.Measure(pointers, request.options);
    for (size_t i = 0; i < timings.size(); ++i) {
      answer.plans[i].timing = timings[i];
      const bool ran = timings[i].measurement.has_latency();
      if (request.wants_steps && ran)
        answer.plans[i].steps = contenders[i]->TimeSteps(tools_.environment);
    }
    return BodyOf(answer);
  }

 private:
  std::unique_ptr<PlanContender> Load(const std::string& folder, const PlansRequest& request,
                                      PlanTiming* timing) {
    ForgetPeak(tools_.environment);
    const std::optional<int64_t> before = ResidentBytes(tools_.environment);
    auto contender = LoadContender(folder, request.threads, tools_.primitives, request.data_seed);
    contender->Run();
    const std::optional<int64_t> peak = PeakResidentBytes(tools_.environment);
    const MemoryUse use = contender->executor().memory();
    timing->arena_bytes = use.arena;
    timing->input_output_bytes = use.inputs_outputs;
    timing->weight_bytes = use.weights;
    if (before && peak) timing->measured_bytes = *peak - *before;
    return contender;
  }

  WorkerTools tools_;
  ReferenceWork work_;
  CacheSweep sweep_;
  Measurer measurer_;
};

}  // namespace

std::unique_ptr<RequestHandler> MakeMeasurePlansHandler(const WorkerTools& tools) {
  return std::make_unique<MeasurePlansHandler>(tools);
}

}  // namespace fettle
